"""The tables of `benchmarks/peers.py`, in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from handwritten import WEIGHT
from timing import Times, ratio

from peer_steps.conduct import BATCH, SLOPE, Conduct, Mathematics


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, closed by an empty line."""
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def time_table(times: Mapping[str, Times], baseline: str, ours: str) -> str:
    """Milliseconds a cycle, and the ratios to the textbook step and to wganx on the same networks."""
    rows = []
    for name, own in times.items():
        row = [name, f"{1000 * statistics.median(own.wall):.1f}", f"{1000 * statistics.median(own.cpu):.1f}"]
        for clock in ("wall", "cpu"):
            row.append("1" if name == baseline else str(ratio(times[baseline].of(clock), own.of(clock))))
        for clock in ("wall", "cpu"):
            row.append("1" if name == ours else str(ratio(own.of(clock), times[ours].of(clock))))
        rows.append(row)
    head = [
        "step", "ms a cycle", "CPU ms a cycle", f"times as fast as {baseline}, wall", "same, CPU time",
        f"{ours} is times as fast, wall", "same, CPU time",
    ]  # fmt: skip
    return table(head, rows)


def conduct_table(conducts: Mapping[str, Conduct]) -> str:
    """What each step computes in one cycle, and a sentence on what is needed."""
    needed = (
        "What one cycle does, counted. Needed: 16 critic passes, 6 generator passes of which 1 with a graph, 6 "
        "optimizer steps, no operation for which the host waits.\n\n"
    )
    head = [
        "step", "critic passes", "generator passes", "of them with a graph", "optimizer steps", "host waits",
        "arithmetic over the floor",
    ]  # fmt: skip
    rows = (
        [
            name, f"{one.critic_passes:g}", f"{one.generator_passes:g}", str(one.generator_graphs),
            str(one.optimizer_steps), str(one.waits), f"{one.arithmetic:.2f}",
        ]
        for name, one in conducts.items()
    )  # fmt: skip
    return needed + table(head, rows)


def mathematics_table(found: Mapping[str, Mathematics], penalties: Mapping[str, Mapping[str, float]]) -> str:
    """What each step minimises; `penalties` holds values of its own penalty by step and case.

    The text before the table says whose update is that of WGAN-GP; the text is made from the numbers.
    """
    right = [name for name, one in found.items() if one.is_wgan_gp(BATCH)]
    wrong = [name for name in found if name not in right]
    introduction = (
        f"What one critic update minimises, from its gradient for a linear critic of slope {SLOPE:g} on a batch of "
        f"{BATCH}, summed over the optimizer steps that it takes. WGAN-GP has: score difference x 1 (x -1 with scores "
        f"of the opposite sign), penalty weight {WEIGHT:g}, as many interpolation weights as samples, penalty 0 where "
        "the slope is 1. "
        f"It is WGAN-GP for: {', '.join(right) or 'none'}; not for: {', '.join(wrong) or 'none'}.\n\n"
    )
    cases = list(dict.fromkeys(case for each in penalties.values() for case in each))
    head = [
        "step", "score difference x", f"penalty weight at slope {SLOPE:g}", "penalty weight / score difference",
        "unexplained", "different interpolation weights", *cases,
    ]  # fmt: skip
    rows = (
        [
            name, f"{one.difference:.3g}", f"{one.weight:.4g}", f"{one.weight / abs(one.difference):.4g}",
            f"{one.unexplained:.0e}", str(one.interpolation_weights),
            *(f"{penalties[name][case]:.4g}" if case in penalties.get(name, {}) else "-" for case in cases),
        ]
        for name, one in found.items()
    )  # fmt: skip
    return introduction + table(head, rows)

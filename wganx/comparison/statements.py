"""What the numbers of a comparison allow to be said, in sentences, and what they do not show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wganx.comparison.comparing import CostRow, MetricTable, Tables, Versus
from wganx.comparison.figures import duration, figure, percent, with_ends
from wganx.comparison.statistics import FEWEST_FOR_T, Ends

NOT_SHOWN = (
    "how they would compare once each is tuned: here each has the settings it was given",
    "other data, other budgets, other networks",
    "what other metrics would say",
    "how far a single evaluation would move if it were drawn anew: intervals are over seeds, and the two widths differ",
)


def statements(tables: Tables) -> tuple[str, ...]:
    """Sentences, the gravest first: failures, then each metric, where metrics disagree, then cost."""
    return (
        *_failures(tables),
        *_too_few(tables),
        *(sentence for table in tables.metrics for sentence in _of_metric(table, tables)),
        *_by_chance(tables),
        *_disagreements(tables),
        *_costs(tables.costs, tables.baseline),
        *_reached(tables),
    )


def told_apart(versus: Versus) -> int:
    """-1 where the variant lies below the baseline, 1 where above, 0 where the runs do not tell them apart.

    By the interval of the pairs and by that of both groups: each that there is must say the same.
    """
    sides = [_side(ends) for ends in (versus.difference.paired, versus.difference.unpaired) if ends is not None]
    return sides[0] if sides and all(side == sides[0] for side in sides) else 0


def _side(ends: Ends) -> int:
    return -1 if ends[1] < 0 else 1 if ends[0] > 0 else 0


def _failures(tables: Tables) -> Iterator[str]:
    ended = [row for row in tables.reliability if row.finished or row.failed]
    for row in ended:
        if row.failed:
            low, high = row.rate
            seeds = "; ".join(f"seed {seed}: {reason}" for seed, reason in row.failed.items())
            yield (
                f"{row.variant}: {len(row.failed)} of {row.finished + len(row.failed)} runs failed, which leaves a "
                f"failure rate between {percent(low)} and {percent(high)} ({seeds})."
            )
    if ended and not any(row.failed for row in ended):
        high = max(row.rate[1] for row in ended)
        yield f"No run failed; that leaves a failure rate of up to {percent(high)} a variant."
    waiting = sum(row.waiting for row in tables.reliability)
    if waiting:
        yield f"{waiting} of {sum(row.started for row in tables.reliability)} runs are still to be done."


def _too_few(tables: Tables) -> Iterator[str]:
    if not any(table.versus for table in tables.metrics):
        return
    few = [row.variant for row in tables.reliability if row.finished < FEWEST_FOR_T]
    if few and tables.baseline not in few:
        yield (
            f"Fewer than {FEWEST_FOR_T} finished runs of {_listed(few)}: too few for an interval, so nothing is said "
            f"of the difference to {tables.baseline}."
        )
    elif few:
        yield (
            f"{tables.baseline}, to which differences are told, has fewer than {FEWEST_FOR_T} finished runs: too few "
            "for an interval, so nothing is said of any difference. Another can be named: --baseline."
        )


def _of_metric(table: MetricTable, tables: Tables) -> Iterator[str]:
    apart = [versus for versus in table.versus if told_apart(versus)]
    failed = {row.variant for row in tables.reliability if row.failed}
    for versus in apart:
        yield _apart(table, versus, failed)
    unsettled = [versus for versus in table.versus if not told_apart(versus)]
    few = [versus.variant for versus in unsettled if versus.difference.unpaired is None and _few(versus)]
    split = [versus.variant for versus in unsettled if versus.variant not in few and _sides(versus) == 2]
    if split:
        yield (
            f"{table.name}: by pairs and without them the interval of the difference between {_listed(split)} and "
            f"{tables.baseline} says two things; it is not settled."
        )
    same = [versus.variant for versus in unsettled if versus.variant not in few and versus.variant not in split]
    if same:
        yield (
            f"{table.name}: the interval of the difference includes 0: these runs do not tell {_listed(same)} from "
            f"{tables.baseline}."
        )


def _few(versus: Versus) -> bool:
    return versus.difference.paired is None


def _sides(versus: Versus) -> int:
    return len({_side(ends) for ends in (versus.difference.paired, versus.difference.unpaired) if ends is not None})


def _apart(table: MetricTable, versus: Versus, failed: set[str]) -> str:
    found = versus.difference
    word = "lower" if told_apart(versus) < 0 else "higher"
    value, ends, how = (
        (found.paired_mean, found.paired, f"{found.pairs} pairs of one seed")
        if found.paired is not None
        else (found.mean, found.unpaired, "without pairs")
    )
    if word == "lower" and value is not None and ends is not None:  # "lower by" has the sign in its words
        value, ends = -value, (-ends[1], -ends[0])
    which = " of the runs that finished" if {versus.variant, versus.baseline} & failed else ""
    better = "better" if word == table.better else "worse"
    return (
        f"{table.name}{which}: {versus.variant} is {word} ({better}) than {versus.baseline} by "
        f"{with_ends(value, ends)} ({how}, 95 %)."
    )


def _by_chance(tables: Tables) -> Iterator[str]:
    count = sum(versus.difference.unpaired is not None for table in tables.metrics for versus in table.versus)
    if count > 1:
        yield (
            f"These are {count} differences, each with its own 95 % interval: of {count} where there is nothing, about "
            f"{figure(0.05 * count)} would exclude 0 by chance."
        )


def _disagreements(tables: Tables) -> Iterator[str]:
    for row in tables.reliability:
        says: dict[int, list[str]] = {1: [], -1: []}
        for table in tables.metrics:
            for versus in table.versus:
                if versus.variant == row.variant and (side := told_apart(versus)):
                    says[side if table.better == "higher" else -side].append(table.name)
        if says[1] and says[-1]:
            yield (
                f"Metrics disagree about {row.variant}: better than {tables.baseline} in {_listed(says[1])}, worse in "
                f"{_listed(says[-1])}. No score combines them."
            )


def _costs(costs: Sequence[CostRow], baseline: str) -> Iterator[str]:
    own = next(row for row in costs if row.variant == baseline)
    for row in costs:
        if row is own or not (row.per_step and own.per_step and row.spread and own.spread):
            continue
        if row.spread[0] > own.spread[1] or row.spread[1] < own.spread[0]:
            yield (
                f"A step of {row.variant} takes {row.per_step / own.per_step:.2g} times as long as one of {baseline} "
                f"({duration(row.per_step)}, {duration(own.per_step)})."
            )


def _reached(tables: Tables) -> Iterator[str]:
    for name, score in tables.reach.items():
        never = []
        for row in tables.costs:
            runs = next(each for each in tables.reliability if each.variant == row.variant)
            times = sorted(row.reached[name].values())
            ended = runs.finished + len(runs.failed)
            if ended and times:
                span = duration(times[0]) + (f" to {duration(times[-1])}" if len(times) > 1 else "")
                yield f"{row.variant} reached {name} {figure(score)} in {len(times)} of {ended} runs, after {span}."
            elif ended:
                never.append(row.variant)
        if never:
            yield f"No run of {_listed(never)} reached {name} {figure(score)}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

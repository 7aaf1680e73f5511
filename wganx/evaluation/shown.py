"""Evaluations and distances as tables, for notebooks and terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wganx.evaluation.protocol import Interval
from wganx.tables import Table, between, figure

if TYPE_CHECKING:
    from wganx.evaluation.distance import DistanceReport
    from wganx.evaluation.record import Evaluation


def evaluation_table(evaluation: Evaluation) -> Table:
    """Every value beside its floor and the baselines."""
    baselines = list(dict.fromkeys(name for row in evaluation.rows for name in row.baselines))
    rows = [
        (
            f"{row.metric}/{row.value}", row.better or "-",
            figure(row.generated) + ("" if row.interval is None else f" {between(*row.interval)}"),
            figure(row.floor), *(figure(row.baselines.get(name)) for name in baselines),
        )
        for row in evaluation.rows
    ]  # fmt: skip
    blocks = f", {evaluation.repeats} times" if evaluation.repeats > 1 else ""
    return Table(
        f"Evaluation of step {evaluation.step}: {evaluation.n} rows a side (of {evaluation.heldout}){blocks}, "
        f"seed {evaluation.seed}",
        ("value", "better", "generated", "floor: real", *(f"baseline: {name}" for name in baselines)),
        rows,
        [
            *(f"{name} failed: {message}" for name, message in evaluation.failures.items()),
            *(f"{name} skipped: {why}" for name, why in evaluation.skipped.items()),
        ],
    )


def distance_table(report: DistanceReport) -> Table:
    """Every distance beside the floors of both sets."""
    rows = [
        (
            row.method, *(_interval(found) for found in (row.between, row.floor_a, row.floor_b, row.excess)),
            "-" if row.ratio is None else f"{row.ratio:.3g}",
        )
        for row in report.rows
    ]  # fmt: skip
    return Table(
        f"A {report.a}, B {report.b}: {report.repeats} pairs of blocks of {report.n} rows, {report.dim:,} numbers, "
        f"seed {report.seed}",
        ("method", "A and B", "floor A", "floor B", "excess", "ratio"),
        rows,
        report.notes,
    )


def _interval(found: Interval) -> str:
    return f"{figure(found.mean)} {between(found.low, found.high)}"

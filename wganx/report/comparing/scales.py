"""The tables of a comparison: every seed as a dot, all variants of a metric on one axis from floor to ceiling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from wganx.comparison.comparing import MetricTable, Reliability, Tables, Versus
from wganx.comparison.figures import figure, percent, with_ends
from wganx.comparison.statements import told_apart
from wganx.comparison.statistics import Ends
from wganx.plain import printable
from wganx.report.wording import DASH

_MARGIN = 4.0
"""Percent of an axis on either side of its outermost value: room for whole dots, and for failures at the worse end."""


@dataclass(frozen=True)
class Mark:
    """Something at a place of an axis, in percent from the left, and what it is in words."""

    kind: Literal["seed", "failed", "floor", "ceiling", "mean"]
    place: float
    name: str


@dataclass(frozen=True)
class Row:
    """A variant in a metric: its runs on the axis, and their numbers as text."""

    variant: str
    done: int
    failed: int
    marks: tuple[Mark, ...]
    whisker: tuple[float, float] | None
    seeds: str
    mean: str
    sd: str
    interval: str
    bootstrap: str
    median: str


@dataclass(frozen=True)
class Scale:
    """One metric: its axis with floor and ceiling, and a row a variant."""

    name: str
    better: str
    ends: tuple[str, str]
    standards: tuple[Mark, ...]
    rows: tuple[Row, ...]
    some_failed: bool
    has_bootstrap: bool


@dataclass(frozen=True)
class Beside:
    """A variant beside the baseline, as text; `apart` where every interval there is leaves 0 out."""

    variant: str
    paired: str
    pairs: int
    correlation: str
    p: str
    unpaired: str
    chance: str
    apart: bool


def draw_scales(tables: Tables) -> tuple[Scale, ...]:
    """A table a metric, variants in the order in which they were asked for: nothing here is a ranking."""
    runs = {row.variant: row for row in tables.reliability}
    return tuple(_scale(table, runs) for table in tables.metrics)


def draw_beside(table: MetricTable) -> tuple[Beside, ...]:
    """What lies between the variants and the baseline."""
    return tuple(_beside(versus) for versus in table.versus)


def _scale(table: MetricTable, runs: dict[str, Reliability]) -> Scale:
    values = [value for standing in table.standings for value in standing.values.values()]
    known = [value for value in (*values, table.floor, table.ceiling) if value is not None and math.isfinite(value)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5

    def place(value: float) -> float:
        return round(_MARGIN + (100 - 2 * _MARGIN) * (value - low) / (high - low), 2)

    standards = (
        [Mark("floor", place(table.floor), f"floor {figure(table.floor)}")] if math.isfinite(table.floor) else []
    )
    if table.ceiling is not None:
        standards.append(Mark("ceiling", place(table.ceiling), f"ceiling {figure(table.ceiling)}"))
    worse = 100 - _MARGIN / 2 if table.better == "lower" else _MARGIN / 2
    rows = []
    for standing in table.standings:
        own, ended = standing.summary, runs[standing.variant]
        width = _half(own.t) or own.sd
        marks = [Mark("seed", place(value), f"seed {seed}: {figure(value)}") for seed, value in standing.values.items()]
        marks += [Mark("failed", worse, f"seed {seed} failed") for seed in ended.failed]
        if own.mean is not None and own.n > 1:
            marks.append(Mark("mean", place(own.mean), f"mean {figure(own.mean, width)}"))
        whisker = None if own.t is None else (place(max(own.t[0], low)), place(min(own.t[1], high)))
        rows.append(
            Row(
                variant=printable(standing.variant),
                done=ended.finished,
                failed=len(ended.failed),
                marks=tuple(marks),
                whisker=whisker,
                seeds=", ".join([figure(value, width) for value in standing.values.values()]) or "none",
                mean=DASH if own.mean is None else figure(own.mean, width) + ("*" if ended.failed else ""),
                sd=DASH if own.sd is None else figure(own.sd, own.sd),
                interval=_interval(own.t, own.n, width),
                bootstrap="" if own.bootstrap is None else _ends(own.bootstrap, width),
                median=figure(standing.median_of_all, width),
            )
        )
    return Scale(
        name=printable(table.name),
        better=table.better,
        ends=(figure(low), figure(high)),
        standards=tuple(standards),
        rows=tuple(rows),
        some_failed=any(row.failed for row in rows),
        has_bootstrap=any(row.bootstrap for row in rows),
    )


def _interval(ends: Ends | None, n: int, width: float | None) -> str:
    if ends is None:
        return "too few" if n else DASH
    return f"{_ends(ends, width)} (t, n={n})"


def _ends(ends: Ends, width: float | None) -> str:
    return f"[{figure(ends[0], width)}, {figure(ends[1], width)}]"


def _half(ends: Ends | None) -> float | None:
    return None if ends is None else (ends[1] - ends[0]) / 2


def _beside(versus: Versus) -> Beside:
    own, chance = versus.difference, versus.chance
    won = DASH
    if chance is not None:
        ties = f", {chance.ties} ties" if chance.ties else ""
        won = f"{chance.wins} of {chance.pairs} pairs{ties} ({percent(chance.probability)})"
    return Beside(
        variant=printable(versus.variant),
        paired=DASH if own.paired_mean is None else with_ends(own.paired_mean, own.paired),
        pairs=own.pairs,
        correlation=DASH if own.correlation is None else f"{own.correlation:.2f}",
        p=DASH if own.p is None else f"{own.p:.3f}",
        unpaired=DASH if own.mean is None else with_ends(own.mean, own.unpaired),
        chance=won,
        apart=bool(told_apart(versus)),
    )

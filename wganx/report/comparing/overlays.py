"""Curves of all runs over each other: a thin line a seed, a bold one for the median, by updates and by seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wganx.comparison.comparing import Group
from wganx.experiments import Clock
from wganx.plain import printable
from wganx.records.thinning import Curve
from wganx.report.charts import Chart, Series, StepAxis, draw, step_axis
from wganx.report.reading import RunRecord

MOST_CHARTS = 6
MILLISECONDS = 1_000
_READINGS = {
    "w1_corrected": (
        "Distance to the data, as the critic reads it",
        "Wasserstein-1 on the training batches, corrected for the slope that the constraint lets the critic gain. "
        "Readings of unlike critics: the metrics above compare, these show how a training went.",
    ),
    "gradient_norm": (
        "Gradient norm of the critic",
        "How steep the critic is where its constraint looks, or between the samples where it has none that looks.",
    ),
}


@dataclass(frozen=True)
class Overlay:
    """Charts that share an axis; `left_out` names what is not drawn."""

    axis: StepAxis
    charts: tuple[Chart, ...]


def draw_overlays(
    groups: Sequence[Group], records: Mapping[tuple[str, int], RunRecord], metrics: Mapping[str, float | None]
) -> tuple[Overlay | None, Overlay | None]:
    """The same curves by updates and by training seconds; None where there are none.

    Args:
        records: what lies in the run folders, by variant and seed.
        metrics: values whose evaluations during training are drawn, with their floors.
    """
    inks = {group.name: ink for ink, group in enumerate(groups)}  # the same in every chart
    wanted = [(f"evaluate/{name}", name, "", floor) for name, floor in metrics.items()]
    wanted += [(name, title, about, None) for name, (title, about) in _READINGS.items()]
    by_updates: list[tuple[str, str, list[Series], float | None]] = []
    by_seconds: list[tuple[str, str, list[Series], float | None]] = []
    for key, title, about, target in wanted:
        if len(by_updates) == MOST_CHARTS:
            break
        found = _curves(key, groups, records)
        if found:
            by_updates.append((printable(title), about, _series(found, inks), target))
            timed = {name: [(_by_clock(curve, clock), clock) for curve, clock in own] for name, own in found.items()}
            by_seconds.append((printable(title), about, _series(timed, inks), target))
    return _overlay(by_updates, "step", 1), _overlay(by_seconds, "second", MILLISECONDS)


_Timed = Mapping[str, Sequence[tuple[Curve, Clock]]]


def _curves(
    key: str, groups: Sequence[Group], records: Mapping[tuple[str, int], RunRecord]
) -> dict[str, list[tuple[Curve, Clock]]]:
    """The curves of a reading by variant, of the runs that have one to draw."""
    found = {}
    for group in groups:
        own = []
        for outcome in group.outcomes:
            record = records.get((group.name, outcome.seed))
            curve = None if record is None else record.curves.get(key)
            if curve is not None and len(curve.finite) > 1 and outcome.clock.steps:
                own.append((curve, outcome.clock))
        found[group.name] = own
    return {name: own for name, own in found.items() if own}


def _series(found: _Timed, inks: Mapping[str, int]) -> list[Series]:
    thin = [
        Series(printable(name), curve, inks[name], thin=True)
        for name, own in found.items()
        if len(own) > 1
        for curve, _ in own
    ]
    return thin + [
        Series(printable(name), _median([curve for curve, _ in own]), inks[name]) for name, own in found.items()
    ]


def _median(curves: Sequence[Curve]) -> Curve:
    """The median over the runs, reading by reading as far as all have them; places, too, are the median of theirs."""
    if len(curves) == 1:
        return curves[0]
    count = min(len(curve.steps) for curve in curves)
    steps = np.median([curve.steps[:count] for curve in curves], axis=0).astype(np.int64)
    return Curve(steps, np.median([curve.values[:count] for curve in curves], axis=0))


def _by_clock(curve: Curve, clock: Clock) -> Curve:
    """The curve over milliseconds of training."""
    at = np.array([round(MILLISECONDS * clock.at(step)) for step in curve.steps.tolist()], dtype=np.int64)
    return Curve(np.maximum.accumulate(at), curve.values)


def _overlay(found: Sequence[tuple[str, str, list[Series], float | None]], unit: str, scale: int) -> Overlay | None:
    if not found:
        return None
    axis = step_axis([each.curve for *_, series, _ in found for each in series], unit, scale)
    charts = tuple(
        draw(title, about + (" Dashed: the floor." if target is not None else ""), series, axis, target=target)
        for title, about, series, target in found
    )
    return Overlay(axis, charts)

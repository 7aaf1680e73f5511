"""The curve of quality: the same metrics at several checkpoints, from ``evaluations/step-*.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wganx.plain import mapping, number, printable
from wganx.records.thinning import Curve
from wganx.report.charts import Chart, Series, StepAxis, draw, step_axis
from wganx.report.evaluation import ends_of

MOST_CHARTS = 12


@dataclass(frozen=True)
class Quality:
    """Charts of metrics over the checkpoints; empty where fewer than two were measured."""

    axis: StepAxis | None
    charts: tuple[Chart, ...]
    count: int
    has_intervals: bool
    has_floor: bool
    left_out: int


def draw_quality(evaluations: Sequence[tuple[int, Mapping[str, Any]]]) -> Quality:
    """Charts of every value that at least two of `evaluations`, ``(step, record)`` by step, hold."""
    rows: dict[tuple[str, str], list[tuple[int, Mapping[str, Any]]]] = {}
    for step, record in evaluations:
        found = record.get("rows")
        for row in found if isinstance(found, list) else []:
            if number(mapping(row).get("generated")) is not None:
                rows.setdefault((printable(row.get("metric", "?")), printable(row.get("value", "?"))), []).append(
                    (step, row)
                )
    drawn = {name: found for name, found in rows.items() if len({step for step, _ in found}) > 1}
    curves = {name: _curve(found, "generated") for name, found in drawn.items()}
    if not curves:
        return Quality(None, (), len(evaluations), False, False, 0)
    axis = step_axis(list(curves.values()))
    chosen = list(drawn)[:MOST_CHARTS]
    bands = {name: _band(drawn[name]) for name in chosen}
    floors = {name: number(drawn[name][-1][1].get("floor")) for name in chosen}
    charts = tuple(
        draw(
            f"{value} ({metric})",
            _better(drawn[metric, value][-1][1]),
            [Series(value, curves[metric, value], band=bands[metric, value])],
            axis,
            target=floors[metric, value],
        )
        for metric, value in chosen
    )
    return Quality(
        axis,
        charts,
        len({step for step, _ in evaluations}),
        any(bands.values()),
        any(floor is not None for floor in floors.values()),
        len(drawn) - len(chosen),
    )


def _better(row: Mapping[str, Any]) -> str:
    return {"lower": "Lower is better.", "higher": "Higher is better."}.get(str(row.get("better")), "")


def _curve(found: Sequence[tuple[int, Mapping[str, Any]]], key: str) -> Curve:
    return _of({step: number(row.get(key)) for step, row in found})


def _band(found: Sequence[tuple[int, Mapping[str, Any]]]) -> tuple[Curve, Curve] | None:
    ends = {step: ends_of(row.get("interval")) for step, row in found}
    if not any(ends.values()):
        return None
    return _of({step: end and end[0] for step, end in ends.items()}), _of(
        {step: end and end[1] for step, end in ends.items()}
    )


def _of(values: Mapping[int, float | None]) -> Curve:
    steps = sorted(values)
    numbers = [float("nan") if values[step] is None else values[step] for step in steps]
    return Curve(np.array(steps, dtype=np.int64), np.array(numbers, dtype=np.float64))

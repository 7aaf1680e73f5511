"""The curves section: which readings share a chart, what is said of them, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from wganx.plain import mapping
from wganx.records.thinning import Curve
from wganx.report.charts import Chart, Series, StepAxis, draw, step_axis
from wganx.report.pictures import spread
from wganx.report.reading import RunRecord
from wganx.report.wording import figure

MOST_CHARTS = 18
ROWS_OF_NUMBERS = 20
TARGET_NORM = {"gradient-penalty": "target", "lipschitz-penalty": "upper bound"}

ABOUT = {
    "w1_raw": (
        "Distance to the data, as the critic reads it",
        "Wasserstein-1 on the training batches, uncorrected: it holds as far as the critic's slope is near 1.",
    ),
    "w1_corrected": (
        "Distance to the data, as the critic reads it",
        "Wasserstein-1 on the training batches: the raw reading, and corrected for the slope that the constraint "
        "lets the critic gain, which is the one to compare. Held out: the raw reading on samples it never saw.",
    ),
    "distance": (
        "Distance to the data, by the objective",
        "What the generator minimises, between batches: of the training, and of held-out samples. Batches of one "
        "distribution have a distance too, so compare within this run.",
    ),
    "score_gap": ("Score gap", "Mean score of real samples less that of generated ones: no distance here."),
    "gradient_norm": ("Gradient norm of the critic", "How steep the critic is where the constraint looks."),
    "gradient_norm_interpolated": (
        "Gradient norm, by place",
        "Mean slope of the critic at real samples, at fakes, and at points between them.",
    ),
    "lipschitz": (
        "Steepest slope found",
        "The largest of these gradient norms: the critic's Lipschitz constant is at least this.",
    ),
    "penalty": ("Penalty", "What the constraint adds to the critic's loss."),
    "critic_loss": ("Critic loss", "The objective alone, without the penalty."),
    "augment_strength": (
        "Augmentation",
        "How strongly the critic's samples are changed, and the part of its reading that it has on training samples "
        "alone, which moves that strength.",
    ),
    "steps_per_second": ("Speed", "Generator updates a second."),
    "lr": ("Learning rate", "As the schedule set it."),
    "generator_loss": ("Generator loss", "Its offset is arbitrary: it says nothing about quality."),
}
TOGETHER = (
    ("w1_raw", "w1_heldout", "w1_corrected"),
    ("distance_heldout", "distance"),
    ("score_gap", "score_gap_heldout"),
    ("gradient_norm",),
    ("gradient_norm_real", "gradient_norm_fake", "gradient_norm_interpolated"),
    ("lipschitz",),
    ("penalty",),
    ("critic_loss",),
    ("augment_overfit", "augment_strength"),
)
UNDRAWN = "vital/"  # what only the health checks look at
LAST = ("generator_loss", "lr", "steps_per_second")


@dataclass(frozen=True)
class Curves:
    """The curves section: charts, what never changed, the same numbers as a table, and what was left out."""

    axis: StepAxis | None
    charts: tuple[Chart, ...]
    unchanged: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def draw_curves(run: RunRecord) -> Curves:
    """Charts of all that moved. The raw and the corrected W1 share one; what has one value is told in words."""
    moving: dict[str, Curve] = {}
    unchanged = []
    for name, curve in run.curves.items():
        finite = curve.finite
        if name.startswith(UNDRAWN):
            continue
        if len(finite) and (len(curve.values) == 1 or (len(finite) == len(curve.values) and np.ptp(finite) == 0)):
            unchanged.append((name, figure(float(finite[-1]))))
        elif len(finite):
            moving[name] = curve
    if not moving:
        return Curves(None, (), tuple(unchanged), (), (), 0)
    axis = step_axis(list(moving.values()))
    groups = _grouped(moving)
    charts = tuple(_chart(group, moving, run.config, axis) for group in groups[:MOST_CHARTS])
    columns = tuple(name for group in groups[:MOST_CHARTS] for name in group)
    densest = max((moving[name] for name in columns), key=lambda curve: len(curve.steps))
    rows = tuple(
        (f"{step:,}", *(_at(moving[name], step) for name in columns))
        for step in spread(densest.steps.tolist(), ROWS_OF_NUMBERS)
    )
    return Curves(axis, charts, tuple(unchanged), columns, rows, len(groups) - len(charts))


def _grouped(moving: Mapping[str, Curve]) -> list[tuple[str, ...]]:
    """Names that share a chart, in reading order."""
    placed = {name for group in TOGETHER for name in group} | {*LAST}
    others = [name for name in moving if name not in placed and not name.startswith(UNDRAWN)]
    others.sort(key=lambda name: not name.startswith("evaluate/"))
    groups = [tuple(name for name in group if name in moving) for group in TOGETHER]
    groups += [(name,) for name in [*others, *LAST] if name in moving]
    return [group for group in groups if group]


def _chart(group: tuple[str, ...], moving: Mapping[str, Curve], config: Mapping[str, Any], axis: StepAxis) -> Chart:
    is_w1 = group[0] in TOGETHER[0]
    title, about = ABOUT.get(group[-1], (group[0], ""))
    target = None
    constraint = mapping(config.get("constraint")).get("name")
    if group[0] == "gradient_norm" and constraint in TARGET_NORM:
        target = 1.0
        about += f" Dashed: its {TARGET_NORM[constraint]}, 1."
    # The last one is what the others lead to: it has the first ink.
    inks = [*range(1, len(group)), 0]
    series = [Series(_line_name(name, group), moving[name], ink) for name, ink in zip(group, inks)]
    return draw(title, about, series, axis, target=target, wide=is_w1)


def _line_name(name: str, group: tuple[str, ...]) -> str:
    """What a line is called beside its chart's title."""
    shared = {"w1_raw": "raw", "w1_heldout": "held out", "w1_corrected": "corrected", "score_gap_heldout": "held out"}
    if len(group) > 1:
        shared |= {"distance": "training", "distance_heldout": "held out"}
    return shared.get(name) or (name.rpartition("_")[2] if len(group) > 1 else name.rpartition("/")[2])


def _at(curve: Curve, step: int) -> str:
    place = int(np.searchsorted(curve.steps, step))
    there = place < len(curve.steps) and int(curve.steps[place]) == step
    return figure(float(curve.values[place])) if there else ""

"""The samples section: slides of the steps, the walk through the noise, the nearest training samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from wganx.report.media import Media, Medium
from wganx.report.pictures import Picture, Shown, spread
from wganx.report.reading import RunRecord
from wganx.report.wording import figure

MILESTONES = 5
MOST_DISTANCES = 32


@dataclass(frozen=True)
class Slide:
    """What the player shows of a step: its picture, its sounds and clips, and how many more of them lie in samples/."""

    step: int
    picture: Picture | None
    media: tuple[Medium, ...]
    left_out: int
    caption: str
    milestone: bool

    @property
    def label(self) -> str:
        return f"step {self.step:,}"

    @property
    def anchor(self) -> str:
        return f"step-{self.step}"


def draw_slides(run: RunRecord, shown: Shown, media: Media) -> tuple[Slide, ...]:
    """The steps with a picture, or with sounds or clips that have none."""
    pictures = {picture.step: picture for picture in shown.pictures}
    steps = sorted({step for step in (*pictures, *media.chosen) if step is not None})
    milestones = set(spread(steps, MILESTONES))
    return tuple(
        Slide(
            step=step,
            picture=pictures.get(step),
            media=media.chosen.get(step, ()),
            left_out=media.left_out.get(step, 0),
            caption=caption(run, step),
            milestone=step in milestones,
        )
        for step in steps
    )


def steps_to_show(run: RunRecord, shown: Shown) -> list[int]:
    """Steps whose sounds and clips have a place on the page: beside a shown picture, where they have none, the last."""
    placed = {picture.step for picture in shown.pictures}
    without = {step for step, _ in run.previews} - placed
    steps = sorted(step for step in run.media if step is not None)
    return [step for step in steps if step not in without or step == steps[-1]]


def caption(run: RunRecord, step: int) -> str:
    """What was read nearest to a picture's step, at most one logging interval away."""
    words = []
    for name, label in (("w1_corrected", "W₁ corrected"), ("w1_raw", "W₁ raw"), ("gradient_norm", "gradient norm")):
        curve = run.curves.get(name)
        if curve is None or len(curve.steps) < 2:
            continue
        nearest = int(np.argmin(np.abs(curve.steps - step)))
        if abs(int(curve.steps[nearest]) - step) <= int(np.diff(curve.steps).max()):
            words.append(f"{label} {figure(float(curve.values[nearest]))}")
    return ", ".join(words)

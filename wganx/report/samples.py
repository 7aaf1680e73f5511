"""The samples section: slides of the steps, the walk through the noise, sliders, the nearest training samples."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wganx.plain import mapping, number, printable
from wganx.report.media import Media, Medium, embed_media
from wganx.report.pictures import UNREADABLE_PICTURE, Picture, Shown, embed, encode, spread
from wganx.report.reading import RunRecord
from wganx.report.wording import figure

MILESTONES = 5
MOST_DISTANCES = 32
MOST_MEASURED = 16
WALK_PICTURES, WALK_MEDIA, NEIGHBOURS, SLIDERS = 600_000, 500_000, 500_000, 300_000
"""Bytes of the page."""
WALK_FILES = 4
"""Sounds and clips of each stop of the walk."""


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


@dataclass(frozen=True)
class Frame:
    """A stop of the walk, `label` of the way from one noise to the other."""

    label: str
    caption: str
    picture: Picture | None
    media: tuple[Medium, ...]
    milestone: bool
    anchor: str = ""


@dataclass(frozen=True)
class Walk:
    """What the generator of `step` makes of a way through the noise; `left_out` files are not on the page."""

    step: int
    frames: tuple[Frame, ...]
    media: Media
    left_out: int


def draw_walk(run: RunRecord) -> Walk | None:
    """The walk that lies in samples/, under a budget of its own."""
    if run.walk is None:
        return None
    record, last = run.walk, run.walk.frames - 1
    shown = embed(record.previews, WALK_PICTURES)
    pictures = {picture.step: picture for picture in shown.pictures}
    places = sorted(frame for frame in (pictures or record.media) if frame is not None)
    media = embed_media({frame: paths[:WALK_FILES] for frame, paths in record.media.items()}, places, WALK_MEDIA)
    milestones = set(spread(places, MILESTONES))
    frames = tuple(
        Frame(
            label=f"{100 * frame / max(1, last):.0f} %",
            caption={0: "one noise", last: "the other noise"}.get(frame, f"{frame}/{last} of the way"),
            picture=pictures.get(frame),
            media=media.chosen.get(frame, ()),
            milestone=frame in milestones,
        )
        for frame in places
    )
    files = len(record.previews) + sum(map(len, record.media.values()))
    return Walk(record.step, frames, media, files - len(pictures) - media.count) if frames else None


@dataclass(frozen=True)
class Sliders:
    """Sheets of what changes along directions of the noise, at `step`."""

    step: int
    ways: Picture | None
    chosen: Picture | None
    measured: tuple[str, ...]


def draw_sliders(run: RunRecord) -> tuple[Sliders | None, tuple[str, ...]]:
    """The sheets that lie in samples/, each under a budget of its own, and what could not be read of them."""
    if (record := run.sliders) is None:
        return None, ()
    pictures, problems = {}, []
    for name, path in (("ways", record.ways), ("chosen", record.chosen)):
        try:
            pictures[name] = None if path is None else encode(None, path)
        except UNREADABLE_PICTURE:
            problems.append(f"{printable(path.name if path else name)} is left out: no picture that can be read.")
    shown = {name: each for name, each in pictures.items() if each is not None and len(each.source) <= SLIDERS}
    if not shown:
        return None, tuple(problems)
    measured = tuple(map(printable, record.measured[:MOST_MEASURED]))
    return Sliders(record.step, shown.get("ways"), shown.get("chosen"), measured), tuple(problems)


@dataclass(frozen=True)
class Neighbours:
    """Generated samples and the training samples nearest to them, in the same layout."""

    step: int
    generated: Picture
    training: Picture
    distances: tuple[str, ...]
    about: str


def draw_neighbours(run: RunRecord) -> tuple[Neighbours | None, tuple[str, ...]]:
    """The pair of pictures that the evaluation names, and what could not be read of it."""
    record = mapping(mapping(run.evaluation).get("neighbours"))
    paths = {side: _inside(run, record.get(side)) for side in ("generated", "training")}
    if not all(paths.values()):
        return None, ()
    pictures, problems = {}, []
    for side, path in paths.items():
        try:
            pictures[side] = encode(None, path) if path is not None else None
        except UNREADABLE_PICTURE:
            problems.append(f"{printable(record[side])} is left out: no picture that can be read.")
    generated, training = pictures.get("generated"), pictures.get("training")
    if generated is None or training is None or len(generated.source) + len(training.source) > NEIGHBOURS:
        return None, tuple(problems)
    found = record.get("distances")
    distances = [value for each in (found if isinstance(found, list) else []) if (value := number(each)) is not None]
    step = number(mapping(run.evaluation).get("step"))
    return Neighbours(
        step=int(step or 0),
        generated=generated,
        training=training,
        distances=tuple(map(figure, distances[:MOST_DISTANCES])),
        about=_memory(*(number(record.get(name)) for name in ("of", "median", "real_median"))),
    ), ()


def _memory(of: float | None, median: float | None, real: float | None) -> str:
    """What the distances say of memorising, in words; all samples count, since those shown are the nearest of them."""
    words = "Beside each generated sample the training sample that is nearest to it in feature space."
    if of is not None:
        words += f" Shown are the nearest of {int(of):,}."
    if median is not None and real is not None:
        words += (
            f" The median distance of all is {figure(median)}; that of real held-out samples to the training data is "
            f"{figure(real)}."
        )
        if median < real / 2:
            words += " Less than half of it, as of a generator that repeats training samples."
        else:
            words += " Much less than that would be the mark of a generator that repeats training samples."
    return words


def _inside(run: RunRecord, name: object) -> Path | None:
    """A file of the run folder by its relative path; whatever leads out of the folder is none."""
    if not isinstance(name, str) or not name or "\0" in name:
        return None
    path = (run.folder / name).resolve()
    return path if path.is_relative_to(run.folder) and path.is_file() else None


def caption(run: RunRecord, step: int) -> str:
    """What was read nearest to a picture's step, at most one logging interval away."""
    words = []
    labels = {
        "w1_corrected": "W₁ corrected", "w1_raw": "W₁ raw", "distance": "distance", "gradient_norm": "gradient norm"
    }  # fmt: skip
    for name, label in labels.items():
        curve = run.curves.get(name)
        if curve is None or len(curve.steps) < 2:
            continue
        nearest = int(np.argmin(np.abs(curve.steps - step)))
        if abs(int(curve.steps[nearest]) - step) <= int(np.diff(curve.steps).max()):
            words.append(f"{label} {figure(float(curve.values[nearest]))}")
    return ", ".join(words)

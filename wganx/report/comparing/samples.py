"""Samples of all runs under one slider: rows are variants, columns seeds, all at the same share of their updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from wganx.comparison.comparing import Group
from wganx.plain import printable
from wganx.report.pictures import Picture, encode
from wganx.report.reading import RunRecord

STEPS = 4
BUDGET = 5_500_000
"""Bytes of pictures: of the page's 8 MB, the rest is for curves and tables."""


@dataclass(frozen=True)
class Cell:
    """A run at a moment: its picture, or why there is none."""

    seed: int
    step: int | None
    picture: Picture | None
    alt: str
    missing: str
    failed: bool


@dataclass(frozen=True)
class Slide:
    """A moment of all runs."""

    label: str
    anchor: str
    milestone: bool
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Gallery:
    """The slides, the seeds that head their columns, and how many moments were left out to keep the page small."""

    slides: tuple[Slide, ...]
    seeds: tuple[int, ...]
    left_out: int


def draw_gallery(
    groups: Sequence[Group], records: Mapping[tuple[str, int], RunRecord], budget: int = BUDGET
) -> Gallery:
    """As many of the four moments as fit, the last one first; none where a single moment does not."""
    seeds = tuple(sorted({outcome.seed for group in groups for outcome in group.outcomes}))
    slides: list[Slide] = []
    room = budget
    for quarter in range(STEPS, 0, -1):
        slide = _slide(groups, records, seeds, quarter / STEPS)
        size = sum(len(cell.picture.source) for _, cells in slide.rows for cell in cells if cell.picture)
        if size > room:
            break
        if size:
            room -= size
            slides.insert(0, slide)
    left_out = STEPS - len(slides) if any(record.previews for record in records.values()) else 0
    return Gallery(tuple(slides), seeds, left_out)


def _slide(
    groups: Sequence[Group], records: Mapping[tuple[str, int], RunRecord], seeds: Sequence[int], share: float
) -> Slide:
    rows = []
    steps = set()
    for group in groups:
        failed = group.failed
        known = {outcome.seed for outcome in group.outcomes}
        cells = []
        for seed in seeds:
            preview = _preview(records.get((group.name, seed)), share)
            cell = _cell(group.name, seed, preview, failed.get(seed, ""), seed in known)
            steps |= {cell.step} - {None}
            cells.append(cell)
        rows.append((printable(group.name), tuple(cells)))
    label = f"step {steps.pop():,}" if len(steps) == 1 else f"{share:.0%} of the updates of each"
    return Slide(label, "", True, tuple(rows))


def _preview(record: RunRecord | None, share: float) -> tuple[int, Path] | None:
    """The preview nearest to a share of what there is of a run."""
    if record is None or not record.previews:
        return None
    wanted = share * record.previews[-1][0]
    return min(record.previews, key=lambda preview: abs(preview[0] - wanted))


def _cell(variant: str, seed: int, preview: tuple[int, Path] | None, failure: str, known: bool) -> Cell:
    if preview is None:
        missing = "no run with this seed" if not known else printable(failure) or "no picture yet"
        return Cell(seed, None, None, "", missing, bool(failure))
    step, path = preview
    try:
        picture = encode(step, path)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return Cell(
            seed, None, None, "", f"samples/{printable(path.name)} is no picture that can be read", bool(failure)
        )
    alt = f"Samples of {printable(variant)}, seed {seed}, at step {step:,}" + (", a run that failed" if failure else "")
    return Cell(seed, step, picture, alt, "", bool(failure))

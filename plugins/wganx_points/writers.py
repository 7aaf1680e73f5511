"""Points as files, and the picture that people look at."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from wganx import Batch, Preview, SampleFormat

Array = NDArray[np.float64]
Colour = tuple[int, int, int]

SIDE = 720  # of the picture, pixels
OVERSAMPLING = 3  # Pillow draws without smoothing: draw larger, then reduce
LEFT, TOP, RIGHT, BOTTOM = 54, 40, 16, 36  # around the box, pixels
RADIUS = 3.8  # of a mark, pixels
ROOM = 1.15  # side of the box over the extent of the held-out points
INK, EDGE, FAINT, PAPER = (58, 62, 70), (150, 155, 163), (236, 238, 241), (255, 255, 255)
REAL, FAKE, PATH = (158, 164, 173), (222, 80, 36), (172, 196, 226)
MOST_PATHS = 120


def write_points(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """Writes all points to one table, ``stem.csv``, and to ``stem.npy``: a file for every point would serve no one."""
    points = _array(batch.real)
    table, array = folder / f"{stem}.csv", folder / f"{stem}.npy"
    header = ",".join(f"x{axis}" for axis in range(points.shape[1]))
    np.savetxt(table, points, delimiter=",", fmt="%.9g", header=header, comments="", encoding="utf-8")
    np.save(array, points.astype(np.float32))
    return [table, array]


def preview_points(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
    """Draws the made points over the held-out ones.

    Labels of the context colour the points they asked for; thin lines lead from source points to where they went.
    The axes span the held-out points, so that the pictures of a run can be compared; points beyond are counted in
    the caption. Above two dimensions the picture shows the first two principal axes of the held-out points, in one
    dimension the two cumulative distributions, whose enclosed area is W1.
    """
    shown = reference.real if len(reference.real) else samples  # none are at hand where the data is gone
    view = _view_of(_array(shown))
    fake = view(_array(samples))
    frame = _Frame.around(view(_array(shown)), square=not view.cumulative)
    frame.grid()
    if len(reference.real):
        frame.rings(view(_array(reference.real)), REAL)
    if reference.real.shape == samples.shape and bool((reference.real == samples).all()):
        frame.legend(None, view.caption)
        return Preview(frame.picture_CHW())
    notes = ["generated"]
    if "source" in reference.context and not view.cumulative:
        frame.paths(view(_array(reference.context["source"]))[:MOST_PATHS], fake[:MOST_PATHS], PATH)
        notes.append("lines from the source")
    if "label" in reference.context:
        notes.append("a colour for each class")
    if beyond := int((~frame.holds(fake)).sum()):
        notes.append(f"{beyond} more beyond the frame")
    frame.dots(fake, _colours(reference, format, len(fake)))
    frame.legend(", ".join(notes), view.caption)
    return Preview(frame.picture_CHW())


def _array(points: Tensor) -> Array:
    array: Array = points.detach().double().cpu().numpy()
    return array


@dataclass(frozen=True)
class _View:
    """How points become places in the plane."""

    caption: str
    centre: Array
    axes: Array  # (2, D), empty for the cumulative view

    @property
    def cumulative(self) -> bool:
        return self.axes.size == 0

    def __call__(self, points: Array) -> Array:
        if self.cumulative:
            shares = (np.arange(len(points)) + 0.5) / len(points)
            return np.stack([np.sort(points[:, 0]), shares], axis=1)
        return (points - self.centre) @ self.axes.T


def _view_of(real: Array) -> _View:
    dimension = real.shape[1]
    if dimension == 1:
        return _View("share of points below", np.zeros(1), np.empty((0, 1)))
    if dimension == 2:
        return _View("", np.zeros(2), np.eye(2))
    centre = real.mean(axis=0)
    _, spread, axes = np.linalg.svd(real - centre, full_matrices=False)
    shown = (spread[:2] ** 2).sum() / max((spread**2).sum(), np.finfo(float).tiny)
    return _View(f"principal axes 1 and 2 of {dimension}: {shown:.0%} of the variance", centre, axes[:2])


def _colours(reference: Batch, format: SampleFormat, count: int) -> list[Colour]:
    """One colour for all, or one a class, evenly around the circle of hues."""
    if "label" not in reference.context:
        return [FAKE] * count
    labels: list[int] = reference.context["label"].tolist()
    given = format.signal.get("classes")
    classes = given if isinstance(given, int) else max(labels) + 1
    palette = []
    for index in range(classes):
        red, green, blue = colorsys.hls_to_rgb(index / classes, 0.45, 0.75)
        palette.append((round(255 * red), round(255 * green), round(255 * blue)))
    return [palette[label] for label in labels]


class _Frame:
    """A box with ticks and what is drawn in it; positions ``(N, 2)`` in data units, sizes in pixels of the picture."""

    def __init__(self, low: Array, high: Array) -> None:
        self.low, self.high = low, high
        self.picture = Image.new("RGB", (SIDE * OVERSAMPLING,) * 2, PAPER)
        self.draw = ImageDraw.Draw(self.picture)
        self.font = ImageFont.load_default(15 * OVERSAMPLING)
        self.left, self.top, self.right, self.bottom = (
            OVERSAMPLING * edge for edge in (LEFT, TOP, SIDE - RIGHT, SIDE - BOTTOM)
        )

    @classmethod
    def around(cls, real: Array, *, square: bool) -> _Frame:
        """The frame that holds the held-out points, with one scale for both axes when `square`."""
        low, high = real.min(axis=0), real.max(axis=0)
        span = high - low
        if square:
            span = np.full(2, span.max())
        span = np.where(span > 0, span, 1.0)
        middle = (low + high) / 2
        return cls(middle - ROOM * span / 2, middle + ROOM * span / 2)

    def holds(self, points: Array) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = np.all((points >= self.low) & (points <= self.high), axis=1)
        return inside

    def grid(self) -> None:
        """Faint lines at round numbers, each with its value."""
        for axis in (0, 1):
            for value, text in _ticks(self.low[axis], self.high[axis]):
                place = np.tile(self.low, (1, 1))
                place[0, axis] = value
                x, y = self._pixels(place)[0]
                if axis == 0:
                    self.draw.line((x, self.top, x, self.bottom), fill=FAINT, width=OVERSAMPLING)
                    self._text(x, self.bottom + 8 * OVERSAMPLING, text, "mt", INK)
                else:
                    self.draw.line((self.left, y, self.right, y), fill=FAINT, width=OVERSAMPLING)
                    self._text(self.left - 8 * OVERSAMPLING, y, text, "rm", INK)

    def rings(self, points: Array, colour: Colour) -> None:
        for x, y in self._pixels(points):
            self._ring(x, y, colour)

    def dots(self, points: Array, colours: Sequence[Colour]) -> None:
        inside = self.holds(points)
        for (x, y), colour, shown in zip(self._pixels(points), colours, inside):
            if shown:
                self._dot(x, y, colour)

    def paths(self, starts: Array, ends: Array, colour: Colour) -> None:
        inside = self.holds(ends)
        for start, end in zip(self._pixels(starts)[inside], self._pixels(ends)[inside]):
            self.draw.line((*start, *end), fill=colour, width=OVERSAMPLING)

    def legend(self, made: str | None, caption: str) -> None:
        """The box's outline, and above it what the marks mean; nothing is made where held-out points stand alone."""
        self.draw.rectangle(
            (self.left, self.top, self.right, self.bottom), outline=EDGE, width=round(1.5 * OVERSAMPLING)
        )
        y = self.top / 2
        x = self.left + RADIUS * OVERSAMPLING
        self._ring(x, y, REAL)
        x = self._text(x + 10 * OVERSAMPLING, y, "held-out", "lm", INK) + 26 * OVERSAMPLING
        if made is not None:
            self._dot(x, y, FAKE)
            self._text(x + 10 * OVERSAMPLING, y, made, "lm", INK)
        self._text(self.right, y, caption, "rm", REAL)

    def picture_CHW(self) -> Tensor:
        """The picture in its own size, uint8 ``(3, SIDE, SIDE)``."""
        pixels_HWC = np.array(self.picture.reduce(OVERSAMPLING))
        return torch.from_numpy(pixels_HWC).permute(2, 0, 1)

    def _pixels(self, points: Array) -> Array:
        share = (points - self.low) / (self.high - self.low)
        across = self.left + share[:, 0] * (self.right - self.left)
        down = self.bottom - share[:, 1] * (self.bottom - self.top)
        return np.stack([across, down], axis=1)

    def _ring(self, x: float, y: float, colour: Colour) -> None:
        self.draw.circle((x, y), RADIUS * OVERSAMPLING, outline=colour, width=OVERSAMPLING)

    def _dot(self, x: float, y: float, colour: Colour) -> None:
        self.draw.circle((x, y), 0.6 * RADIUS * OVERSAMPLING, fill=colour)

    def _text(self, x: float, y: float, text: str, anchor: str, colour: Colour) -> float:
        """Writes and returns where the text ends."""
        self.draw.text((x, y), text, fill=colour, font=self.font, anchor=anchor)
        return self.draw.textbbox((x, y), text, font=self.font, anchor=anchor)[2]


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Round numbers between two, four to ten of them, with as many decimals as their distance needs."""
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    return [(index * step, f"{index * step:.{decimals}f}") for index in range(first, last + 1)]

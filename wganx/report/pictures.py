"""Preview pictures, embedded under a budget: fewer steps when they are too many, never smaller pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from wganx.plain import printable

BUDGET = 2_400_000
MOST_STEPS = 48
LOSSY_WORTH = 1.3
WIDEST_DISPLAY = 560
ENLARGEMENTS = (8, 7, 6, 5, 4, 3, 2)
SIDE_LIMIT = 16_383  # of WebP, in pixels

UNREADABLE_PICTURE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises for a file that is none."""

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """An embedded preview, of real samples where `step` is None.

    `width` and `height` are those to show it at: a whole multiple of its pixels.
    """

    step: int | None
    source: str
    width: int
    height: int
    pixelated: bool
    lossless: bool


@dataclass(frozen=True)
class Shown:
    """The pictures of a page by step, how many there are in all, the files that could not be read; the real samples."""

    pictures: tuple[Picture, ...]
    available: int
    unreadable: tuple[str, ...]
    real: Picture | None = None

    @property
    def size(self) -> int:
        """Bytes that all of them take on the page."""
        return _size([*self.pictures, *([] if self.real is None else [self.real])])


def embed(previews: Sequence[tuple[int, Path]], budget: int = BUDGET, *, real: Path | None = None) -> Shown:
    """Pictures of evenly spread steps, the first and the latest among them, of at most `budget` bytes together.

    A single latest picture over the budget is left out as well; the one of `real` samples comes after it, and before
    the others.
    """
    pictures: list[Picture] = []
    beside: list[Picture] = []
    unreadable: list[str] = []
    sought: list[tuple[int | None, Path]] = [*spread(previews, MOST_STEPS), *([] if real is None else [(None, real)])]
    for step, path in sought:
        try:
            (beside if step is None else pictures).append(encode(step, path))
        except UNREADABLE_PICTURE:
            unreadable.append(f"samples/{printable(path.name)} is left out: no picture that can be read.")
    if _size(pictures[-1:] + beside) > budget:
        beside = []
    count = len(pictures)
    chosen = pictures
    while chosen and _size(chosen + beside) > budget:
        count -= 1
        chosen = spread(pictures, count)
    return Shown(tuple(chosen), len(previews), tuple(unreadable), beside[0] if beside else None)


def encode(step: int | None, path: Path) -> Picture:
    """The picture as a data URI: lossless WebP, unless quality 90 is smaller by more than `LOSSY_WORTH`.

    Raises:
        OSError, ValueError, SyntaxError: the file is no readable picture, or larger than WebP can be.
    """
    with Image.open(path) as opened:
        if max(opened.size) > SIDE_LIMIT:
            raise ValueError(f"{opened.width} x {opened.height} pixels, more than {SIDE_LIMIT} on a side")
        image = opened.convert("RGBA" if "A" in opened.getbands() or "transparency" in opened.info else "RGB")
    small = _unenlarged(image)
    webp, keeps = as_webp(small)
    data = base64.b64encode(webp).decode("ascii")
    scale = max(1, WIDEST_DISPLAY // max(image.size))
    return Picture(
        step=step,
        source=f"data:image/webp;base64,{data}",
        width=image.width * scale,
        height=image.height * scale,
        pixelated=image.width * scale > small.width,
        lossless=keeps,
    )


def _unenlarged(image: Image.Image) -> Image.Image:
    """The picture with one pixel for every block of like ones, where a writer enlarged it: all of it, a quarter of
    the bytes."""
    pixels = np.asarray(image)
    for factor in ENLARGEMENTS:
        if image.width % factor or image.height % factor:
            continue
        small = pixels[::factor, ::factor]
        if all((pixels[y::factor, x::factor] == small).all() for y in range(factor) for x in range(factor)):
            return Image.fromarray(small)
    return image


def as_webp(image: Image.Image, quality: int = 90) -> tuple[bytes, bool]:
    """`image` as WebP, and whether that is lossless: it is, unless `quality` is smaller by more than `LOSSY_WORTH`."""
    lossless, lossy = io.BytesIO(), io.BytesIO()
    image.save(lossless, "WEBP", lossless=True, quality=60, method=4)
    image.save(lossy, "WEBP", quality=quality, method=4)
    keeps = lossless.tell() <= LOSSY_WORTH * lossy.tell()
    return (lossless if keeps else lossy).getvalue(), keeps


def _size(pictures: Sequence[Picture]) -> int:
    return sum(len(picture.source) for picture in pictures)


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of `items`, evenly spread, the first and the last among them; of one, the last."""
    if len(items) <= most:
        return list(items)
    if most < 2:
        return list(items[len(items) - most :])
    return [items[round(index * (len(items) - 1) / (most - 1))] for index in range(most)]

"""Preview pictures, embedded under a budget: fewer steps when they are too many, never smaller pictures."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from PIL import Image

from wganx.report.reading import printable

BUDGET = 3_000_000
MOST_STEPS = 48
LOSSY_WORTH = 1.3
WIDEST_DISPLAY = 560
SIDE_LIMIT = 16_383  # of WebP, in pixels

T = TypeVar("T")


@dataclass(frozen=True)
class Picture:
    """An embedded preview. `width` and `height` are those to show it at: a whole multiple of its pixels."""

    step: int
    source: str
    width: int
    height: int
    pixelated: bool
    lossless: bool


@dataclass(frozen=True)
class Shown:
    """The pictures of a page by step, how many there are in all, and the files that could not be read."""

    pictures: tuple[Picture, ...]
    available: int
    unreadable: tuple[str, ...]


def embed(previews: Sequence[tuple[int, Path]], budget: int = BUDGET) -> Shown:
    """Pictures of evenly spread steps, the first and the latest among them, of at most `budget` bytes together.

    A single latest picture over the budget is left out as well.
    """
    pictures: list[Picture] = []
    unreadable: list[str] = []
    for step, path in spread(previews, MOST_STEPS):
        try:
            pictures.append(encode(step, path))
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            unreadable.append(f"samples/{printable(path.name)} is left out: no picture that can be read.")
    count = len(pictures)
    chosen = pictures
    while chosen and sum(len(picture.source) for picture in chosen) > budget:
        count -= 1
        chosen = spread(pictures, count)
    return Shown(tuple(chosen), len(previews), tuple(unreadable))


def encode(step: int, path: Path) -> Picture:
    """The picture as a data URI: lossless WebP, unless quality 90 is smaller by more than `LOSSY_WORTH`.

    Raises:
        OSError, ValueError, SyntaxError: the file is no readable picture, or larger than WebP can be.
    """
    with Image.open(path) as opened:
        if max(opened.size) > SIDE_LIMIT:
            raise ValueError(f"{opened.width} x {opened.height} pixels, more than {SIDE_LIMIT} on a side")
        image = opened.convert("RGBA" if "A" in opened.getbands() or "transparency" in opened.info else "RGB")
    lossless, lossy = io.BytesIO(), io.BytesIO()
    image.save(lossless, "WEBP", lossless=True, quality=60, method=4)
    image.save(lossy, "WEBP", quality=90, method=4)
    keeps = lossless.tell() <= LOSSY_WORTH * lossy.tell()
    data = base64.b64encode((lossless if keeps else lossy).getvalue()).decode("ascii")
    scale = max(1, WIDEST_DISPLAY // max(image.size))
    return Picture(
        step=step,
        source=f"data:image/webp;base64,{data}",
        width=image.width * scale,
        height=image.height * scale,
        pixelated=scale > 1,
        lossless=keeps,
    )


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most `most` of `items`, evenly spread, the first and the last among them; of one, the last."""
    if len(items) <= most:
        return list(items)
    if most < 2:
        return list(items[len(items) - most :])
    return [items[round(index * (len(items) - 1) / (most - 1))] for index in range(most)]

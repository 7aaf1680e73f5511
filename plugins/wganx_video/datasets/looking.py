"""A look at some films before they are learnt from: their sizes, rates and lengths, and what form fits them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from wganx import DataError
from wganx_video.configs.datasets import FilmsConfig
from wganx_video.datasets.film_tree import FilmTree
from wganx_video.video.arrays import OpenArray
from wganx_video.video.header import Header
from wganx_video.video.reading import open_video

LOOKED_AT = 64
AS_THEY_ARE = 128
"""Frames of one size of at most so many pixels a side are taken as they are, unless a size is asked for."""
USUAL = 64
_ELONGATED = 3
_KNOWN_RANGE = ("uint8", "uint16", "bool")
"""Types of arrays of which it is plain what is black and what white."""


@dataclass(frozen=True)
class Look:
    """What some films are like.

    Attributes:
        channels, height, width: that clips should have.
        rate: frames a second that most have; None where none has any.
        value_range: the extremes of arrays that are no uint8; None where there are none.
        longest: frames of the longest.
        details: facts, a sentence each.
        remarks: what may not be meant, a sentence each.
    """

    channels: int
    height: int
    width: int
    rate: float | None
    value_range: tuple[float, float] | None
    longest: int
    details: Sequence[str]
    remarks: Sequence[str]


def look(tree: FilmTree, paths: Sequence[str], config: FilmsConfig, *, ranges: bool = True) -> Look:
    """Reads the headers of up to 64 evenly spaced films; what cannot be read is left to whoever reads it all.

    Args:
        tree: where they lie.
        paths: of all that are used.
        config: what is asked for.
        ranges: read arrays whole of which it is not plain what is black and what white.

    Raises:
        DataError: none of them can be read.
    """
    seen: list[Header] = []
    extremes: list[tuple[float, float]] = []
    why = ""
    for path in _spaced(paths, LOOKED_AT):
        try:
            with open_video(tree.open(path), path, layout=config.layout, value_range=(0.0, 1.0)) as film:
                seen.append(film.header)
                if ranges and isinstance(film, OpenArray) and film.header.codec not in _KNOWN_RANGE:
                    extremes.append(film.extremes())
        except Exception as error:  # it is named when it is counted
            why = why or str(error)
    if not seen:
        raise DataError(f"none of the {len(paths):,} films in {tree.root} can be read; the first: {why}")
    sizes = Counter((known.height, known.width) for known in seen)
    rates = Counter(round(float(known.rate), 3) for known in seen if known.rate is not None)
    channels = Counter(known.channels for known in seen).most_common(1)[0][0]
    height, width = _size(sizes, config)
    wanted = channels if config.channels == "auto" else config.channels
    usual = rates.most_common(1)[0][0] if rates else None
    return Look(
        channels=wanted,
        height=height,
        width=width,
        rate=usual if config.rate == "own" or usual is None else config.rate,
        value_range=_range(extremes),
        longest=max(known.frames for known in seen),
        details=[_found(seen, sizes, rates), _clips(seen, config, height, width)],
        remarks=_remarks(seen, rates, config, height, width),
    )


def _size(sizes: Counter[tuple[int, int]], config: FilmsConfig) -> tuple[int, int]:
    if isinstance(config.size, int):
        return config.size, config.size
    if config.size != "auto":
        return config.size
    heights, widths = zip(*sizes)
    if config.fit == "cut":  # the largest part that all have
        return min(heights), min(widths)
    (height, width), _ = sizes.most_common(1)[0]
    if len(sizes) == 1 and max(height, width) <= AS_THEY_ARE:
        return height, width
    if len({round(wide / high, 2) for high, wide in sizes}) > 1:
        return USUAL, USUAL
    scale = USUAL / min(height, width)
    return _even(height * scale), _even(width * scale)


def _even(size: float) -> int:
    return max(8, 4 * round(size / 4))


def _range(extremes: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    if not extremes:
        return None
    low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return (low, high) if low < high else (low, low + 1.0)


def _found(seen: Sequence[Header], sizes: Counter[tuple[int, int]], rates: Counter[float]) -> str:
    shortest, longest = (pick(known.frames for known in seen) for pick in (min, max))
    span = f"{shortest:,}" if shortest == longest else f"{shortest:,} to {longest:,}"
    small, large = (pick(sizes, key=lambda size: size[0] * size[1]) for pick in (min, max))
    px = _by(small) if small == large else f"{_by(small)} to {_by(large)}"
    at = " and ".join(f"{rate:g}" for rate, _ in rates.most_common(3)) + (" and others" if len(rates) > 3 else "")
    told = f", {at} a second" if rates else ""
    return f"{len(seen):,} film{'s' * (len(seen) != 1)} looked at: {span} frames of {px} px{told}"


def _clips(seen: Sequence[Header], config: FilmsConfig, height: int, width: int) -> str:
    each = "" if config.every == 1 else f", one of {config.every} each"
    own = all((known.height, known.width) == (height, width) for known in seen)
    how = {
        "crop": "the largest middle part of that shape, resized by antialiased bicubic",
        "pad": "all of it, resized by antialiased bicubic, with black beside",
        "stretch": "resized by antialiased bicubic, out of shape",
        "cut": "a part as it is, nothing resized",
    }[config.fit]
    return f"a clip is {config.frames} frames{each}, {_by((height, width))} px: {'as they are' if own else how}"


def _remarks(seen: Sequence[Header], rates: Counter[float], config: FilmsConfig, height: int, width: int) -> list[str]:
    told = []
    if config.size == "auto" and config.fit != "cut":
        large = max(seen, key=lambda known: known.height * known.width)
        if large.height > height:
            told.append(
                f"frames of up to {_by((large.height, large.width))} px are brought to {_by((height, width))}; set "
                f"dataset.size=[{large.height},{large.width}] for larger ones, or dataset.fit=cut for parts as they are"
            )
    if small := [known for known in seen if known.height < height or known.width < width]:
        told.append(
            f"{len(small):,} of {len(seen):,} films looked at are smaller than {_by((height, width))} px and are "
            "enlarged, which shows; take a smaller dataset.size, or leave them out"
        )
    if config.rate == "own" and len(rates) > 1 and max(rates) > 1.1 * min(rates):
        told.append(
            f"films have {min(rates):g} to {max(rates):g} frames a second, so that the same motion has several speeds; "
            f"set dataset.rate={min(rates):g} to bring them to one"
        )
    long = sum(max(known.height, known.width) > _ELONGATED * min(known.height, known.width) for known in seen)
    if long and config.fit == "crop" and height == width:
        told.append(
            f"{long:,} of {len(seen):,} films looked at are more than {_ELONGATED} times as long as wide, and only the "
            "square in their middle is used; set dataset.fit=pad to have all of it"
        )
    if any(known.interlaced for known in seen):
        told.append("some films are interlaced: each frame is two half frames of different times, which is learnt too")
    return told


def _spaced(paths: Sequence[str], most: int) -> list[str]:
    """At most so many of them, evenly spaced, with both ends."""
    if len(paths) <= most:
        return list(paths)
    return [paths[place * (len(paths) - 1) // (most - 1)] for place in range(most)]


def _by(size: tuple[int, int]) -> str:
    """Width by height, as people say it."""
    return f"{size[1]} x {size[0]}"

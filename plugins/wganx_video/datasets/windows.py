"""From films of any length, rate and size to clips of one form, which is how they are stored."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from wganx import DataError
from wganx_video.configs.datasets import Fit
from wganx_video.datasets.shaping import to_channels, to_size
from wganx_video.tasks.cuts import difference
from wganx_video.video.reading import Frames, open_video

_TAIL = 0.05
"""A rest of a film that is a smaller share of a clip is left out."""
_CUT = 0.25
_STILL = 4.0
"""Of 0 .. 255: what a square of pixels changes by more than is no noise of a camera or codec."""
_SQUARE = 4
_RATES_AGREE = 0.02
_MOST_LOOKED_THROUGH = 10_000


@dataclass(frozen=True)
class Form:
    """What all clips are brought to.

    Attributes:
        frames, channels, height, width: of a clip.
        every: takes each frame of a film, each second, ...
        hop: frames of a film from one clip to the next.
        first: take no more than the first clip of a film.
        share: which part of a film is used, from and to as shares of its length.
        rate: frames a second that films are brought to; None for what they have.
        fit: how frames are brought to their size.
        skip_still: leave out clips in which nothing moves.
        skip_cuts: leave out clips that pass from one scene into another.
        layout: order of the axes of arrays, where it is said.
        value_range: what becomes 0 and 255 in arrays that are no uint8, where it is known.
        parts: what is cut out begins at multiples of so many pixels, so that smaller twins begin at whole ones.
    """

    frames: int
    channels: int
    height: int
    width: int
    every: int = 1
    hop: int = 1
    first: bool = False
    share: tuple[float, float] = (0.0, 1.0)
    rate: float | None = None
    fit: Fit = "crop"
    skip_still: bool = False
    skip_cuts: bool = False
    layout: str | None = None
    value_range: tuple[float, float] | None = None
    parts: int = 1

    @property
    def span(self) -> int:
        """Frames of a film from the first of a clip to its last."""
        return (self.frames - 1) * self.every + 1

    @property
    def in_time(self) -> Form:
        """The form without what has no say in how many clips a film has, so that another size counts nothing anew."""
        return replace(self, channels=1, height=1, width=1, fit="crop", parts=1)


def count_windows(source: BinaryIO, path: str, form: Form) -> int:
    """How many clips a film has; it is gone through whole only to find cuts and what stands still.

    Raises:
        DataError: it cannot be read, is shorter than a clip, or slower than its frames are wanted.
    """
    with open_video(source, path, layout=form.layout, value_range=form.value_range) as film:
        return len(begins(film, form))


def read_window(film: Frames, window: int, form: Form, corner: tuple[int, int] | None = None) -> Tensor:
    """A clip of a film in that form: uint8 ``(T, C, H, W)``.

    Args:
        corner: top and left of the part that is cut out; `corner_of` by default.

    Raises:
        DataError: it cannot be read, is smaller than a part that is to be cut out, or has other channels than can be
            brought to the form's.
    """
    shown_F = shown(film, form)
    begin = int(begins(film, form)[window])
    clip_TCHW = _read(film, shown_F[begin : begin + form.span : form.every].tolist())
    plain_TCHW = to_channels(clip_TCHW, form.channels, film.name)
    if form.fit == "cut":
        top, left = corner or corner_of(film, window, form)
        return plain_TCHW[:, :, top : top + form.height, left : left + form.width].contiguous()
    return to_size(plain_TCHW, form.height, form.width, form.fit)


def corner_of(film: Frames, window: int, form: Form) -> tuple[int, int]:
    """Top and left of the part that is cut out of a clip: anywhere, and the same every time.

    Raises:
        DataError: the frames are smaller than the part.
    """
    known = film.header
    if known.height < form.height or known.width < form.width:
        raise DataError(
            f"{film.name} has {known.width} x {known.height} px, and parts of {form.width} x {form.height} are to be "
            "cut out; lower dataset.size, or leave it out"
        )
    digest = hashlib.sha256(f"{film.name}\0{window}".encode("utf-8", "surrogateescape")).digest()
    rooms = ((known.height - form.height) // form.parts, (known.width - form.width) // form.parts)
    top, left = (
        int.from_bytes(digest[at : at + 8], "big") % (room + 1) * form.parts for at, room in zip((0, 8), rooms)
    )
    return top, left


def shown(film: Frames, form: Form) -> NDArray[np.int64]:
    """The numbers of the frames that are used, at the wanted rate those that are shown nearest to each instant."""
    known = film.header
    every_F = np.arange(known.frames)
    if form.rate is None or known.rate is None or abs(form.rate / float(known.rate) - 1) < _RATES_AGREE:
        return every_F
    if form.rate > known.rate:
        raise DataError(
            f"{film.name} has {float(known.rate):.4g} frames a second, and {form.rate:g} are wanted; lower "
            "dataset.rate, or leave it out"
        )
    second_F = (film.times.ticks - film.times.ticks[0]) * float(film.times.base)
    instants = np.arange(math.floor(second_F[-1] * form.rate + 1e-6) + 1) / form.rate
    after = np.searchsorted(second_F, instants).clip(1, known.frames - 1)
    nearer = instants - second_F[after - 1] < second_F[after] - instants
    return np.where(nearer, after - 1, after)


def begins(film: Frames, form: Form) -> NDArray[np.int64]:
    """Where the clips of a film begin, in frames that are used.

    Raises:
        DataError: no clip fits into it.
    """
    shown_F = shown(film, form)
    first, end = (round(share * len(shown_F)) for share in form.share)
    last = end - form.span
    if last < first:
        raise DataError(
            f"{film.name} has {end - first:,} frame{'s' * (end - first != 1)}, and a clip takes {form.span:,}; lower "
            "dataset.frames or dataset.every, or leave it out"
        )
    hops = 0 if form.first else math.ceil(max(0.0, last - first - _TAIL * form.span) / form.hop)
    found = np.minimum(first + form.hop * np.arange(hops + 1), last)
    if not (form.skip_still or form.skip_cuts):
        return found
    cut_F, move_F = _changes(film, shown_F)
    wanted = []
    for begin in found:
        within = slice(begin + 1, begin + form.span)
        cut = form.skip_cuts and bool((cut_F[within] > _CUT).any())
        still = form.skip_still and bool((move_F[within] < _STILL).all())
        wanted.append(not (cut or still))
    if not any(wanted):
        raise DataError(f"{film.name} has no clip without a cut in which something moves; leave it out")
    return found[wanted]


Changes = tuple[NDArray[np.float32], NDArray[np.float32]]
_changes_of: dict[tuple[object, ...], Changes] = {}
"""Of the films that were looked through by this process."""


def _changes(film: Frames, shown_F: NDArray[np.int64]) -> Changes:
    """By how much each frame that is used differs from that before it: the whole, and the square that does most."""
    key = (film.name, film.header, len(shown_F))
    if (known := _changes_of.get(key)) is not None:
        return known
    cut_F, move_F = np.zeros((2, len(shown_F)), np.float32)
    before: Tensor | None = None
    for place, number in enumerate(shown_F.tolist()):
        frame_CHW = film.read(number, 1)[0]
        if before is not None:
            cut_F[place] = difference(before, frame_CHW)
            apart_1HW = (frame_CHW.float() - before.float()).abs().mean(0, keepdim=True)
            move_F[place] = F.avg_pool2d(apart_1HW, _SQUARE, ceil_mode=True, count_include_pad=False).max()
        before = frame_CHW
    if len(_changes_of) < _MOST_LOOKED_THROUGH:
        _changes_of[key] = cut_F, move_F
    return cut_F, move_F


def _read(film: Frames, numbers: Sequence[int]) -> Tensor:
    steps = {after - before for before, after in pairwise(numbers)}
    if len(steps) <= 1 and min(steps, default=1) > 0:
        return film.read(numbers[0], len(numbers), min(steps, default=1))
    return torch.cat([film.read(number, 1) for number in numbers])

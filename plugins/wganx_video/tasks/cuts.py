"""Where a film passes from one scene into another, and its frames scene by scene, each read once and forward."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import DataError, Source

_SHRUNK = 8
_READ_BYTES = 16 * 2**20
_MOST_READ = 32
_LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


def frames_of(source: Source) -> Iterator[Tensor]:
    """Every frame uint8 ``(C, H, W)``, a few of them in memory at a time.

    Raises:
        DataError: the file ends before its last frame.
    """
    start, count = 0, 1
    while start < source.length:
        piece_TCHW = source.read(start, count)
        if not len(piece_TCHW):
            raise DataError(f"the film ends at frame {start} of {source.length}; its file is damaged")
        yield from piece_TCHW
        start += len(piece_TCHW)
        count = min(max(_READ_BYTES // piece_TCHW[0].numel(), 1), _MOST_READ)


def difference(before_CHW: Tensor, frame_CHW: Tensor) -> float:
    """Mean absolute difference in 0..1 of two frames in grey, at an eighth of their size."""
    return float((_small_grey(before_CHW) - _small_grey(frame_CHW)).abs().mean())


def numbered_scenes(source: Source, cut: float | None) -> Iterator[tuple[int, Tensor]]:
    """Every frame with the number of its scene.

    Args:
        cut: a scene begins with a frame that differs by more from the one before it; None: the film is one scene.
    """
    scene, before = 0, None
    for frame_CHW in frames_of(source):
        if cut is not None:
            grey = _small_grey(frame_CHW)
            scene += before is not None and float((grey - before).abs().mean()) > cut
            before = grey
        yield scene, frame_CHW


def scenes(source: Source, cut: float | None) -> Iterator[Iterator[Tensor]]:
    """The scenes one after the other, each to be read to its end before the next."""
    for _, scene in groupby(numbered_scenes(source, cut), itemgetter(0)):
        yield (frame_CHW for _, frame_CHW in scene)


def _small_grey(frame_CHW: Tensor) -> Tensor:
    """Luma of RGB, the first of grey and alpha, the mean of other channels; averaged over squares of 8 pixels."""
    high, wide = (max(size // _SHRUNK, 1) for size in frame_CHW.shape[1:])
    small = F.adaptive_avg_pool2d(frame_CHW.float() / 255, (high, wide))
    if len(small) in (3, 4):
        return (small[:3] * torch.tensor(_LUMA).reshape(3, 1, 1)).sum(0)
    return small[: 1 if len(small) == 2 else None].mean(0)

"""Pictures of any size and number of channels through a translator, tile by tile where they are large."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import Make, SampleFormat, Sink, Source, UsageError, WganxError
from wganx.data import TILE_ALIGNED, Tile, TiledAxis

_PIXEL_BYTES = 4096
"""What the layers of a translator are taken to hold for a pixel: a thousand numbers."""
_CPU_BYTES = 2**30
_SMALLEST_TILE = 64
_MOST_ROWS = 64
_LUMA = (0.299, 0.587, 0.114)
"""Of ITU-R BT.601, by which Pillow makes grey of colours."""


def translate_file(source: Source, make: Make, sink: Sink, sample: SampleFormat, seen_at: int | None = None) -> None:
    """A picture in another domain, as high and wide as it is.

    A translator of colours is shown a grey picture in three equal channels, and colours what is made of it; one of grey
    pictures is shown how light colours are. Sides are padded to a multiple of 8 by reflection. A picture that memory
    has no room for is cut into tiles, which overlap and are faded into each other, without their own edges.

    Args:
        sample: what the translator is given and makes: pictures in [-1, 1].
        seen_at: the shorter side, in pixels, of the copy that the translator sees of a larger picture; None for the
            picture itself.

    Raises:
        UsageError: the translator was trained on pictures of neither 1 nor 3 channels.
        WganxError: it makes values that are no numbers.
    """
    channels = sample.shape[0]
    if channels not in (1, 3):
        raise UsageError(f"picture files have 1 or 3 channels, and this translator makes {channels}")
    if channels != source.format.shape[0]:
        sink.expect(replace(source.format, shape=(channels, *source.format.shape[1:])))
    shown_CHW = _in_channels(source.read(0, source.length).float(), channels) / 127.5 - 1
    translator = PictureNetwork(make, sample)
    if seen_at is None or min(shown_CHW.shape[1:]) <= seen_at:
        made_CHW = translator(shown_CHW)
    else:
        made_CHW = changed_as_a_copy(translator, shown_CHW, seen_at)
    sink.write((made_CHW + 1) * 127.5)


def changed_as_a_copy(translator: Callable[[Tensor], Tensor], shown_CHW: Tensor, shorter: int) -> Tensor:
    """A picture ``(C, H, W)`` with the change that a smaller copy of it undergoes; its details stay its own."""
    size = shown_CHW.shape[1:]
    smaller = [max(round(side * shorter / min(size)), 1) for side in size]
    copy_CHW = F.interpolate(shown_CHW[None], smaller, mode="bilinear", antialias=True)[0]
    change_NCHW = (translator(copy_CHW) - copy_CHW)[None]
    return (shown_CHW + F.interpolate(change_NCHW, size, mode="bicubic")[0]).clamp(-1, 1)


class PictureNetwork:
    """A translator as a function of one picture of any size, ``(C, H, W)`` in [-1, 1].

    For a translator that takes one size alone, the training's, tiles have that size.
    """

    def __init__(self, make: Make, sample: SampleFormat, pixels: int = _CPU_BYTES // _PIXEL_BYTES) -> None:
        """
        Args:
            pixels: that go through the translator at once, at most.
        """
        self._make, self._pixels = make, pixels
        self._fixed: tuple[int | None, ...] = sample.shape[1:]
        if self._takes_others(sample):
            self._fixed = (None, None)

    def __call__(self, shown_CHW: Tensor) -> Tensor:
        while True:
            try:
                return self._tiled(shown_CHW)
            except torch.OutOfMemoryError:
                if None not in self._fixed or self._pixels <= _SMALLEST_TILE**2:
                    raise
                self._pixels //= 4

    def _takes_others(self, sample: SampleFormat) -> bool:
        """Whether the translator takes pictures of another size than the training's: asked by an attempt."""
        channels, *sides = sample.shape
        if None in sides:
            return True
        height, width = (side + TILE_ALIGNED for side in sides if side is not None)
        try:
            made = self._made(torch.zeros(1, channels or 1, height, width))
        except (torch.OutOfMemoryError, WganxError):
            raise
        except Exception:  # whatever a network says of a size that it does not take
            return False
        return made.shape[2:] == (height, width)

    def _tiled(self, shown_CHW: Tensor) -> Tensor:
        rows, columns = self._axes(*shown_CHW.shape[1:])
        padded = shown_CHW[:, rows.pixels][:, :, columns.pixels]
        whole = torch.zeros_like(padded)
        at_once = min(max(self._pixels // (rows.side * columns.side), 1), _MOST_ROWS)
        places = list(product(rows.spans, columns.spans))
        for together in (places[start : start + at_once] for start in range(0, len(places), at_once)):
            made_NCHW = self._made(torch.stack(list(_cut(padded, together, rows.side, columns.side))))
            for (row, column), made_CHW in zip(together, made_NCHW):
                there = whole[:, row.start : row.start + rows.side, column.start : column.start + columns.side]
                there += made_CHW * row.weight_L[:, None] * column.weight_L
        return whole[:, : rows.size, : columns.size]

    def _made(self, cut_NCHW: Tensor) -> Tensor:
        made = self._make({"source": cut_NCHW}, draw=0).float().cpu()
        if not made.isfinite().all():
            raise WganxError(
                "the generator makes values that are no numbers, of which no picture can be made; take an earlier "
                "checkpoint, --checkpoint STEP or best"
            )
        return made.clamp(-1, 1)

    def _axes(self, height: int, width: int) -> tuple[TiledAxis, TiledAxis]:
        whole = height * width <= self._pixels
        free = max(height, width) + TILE_ALIGNED if whole else math.isqrt(self._pixels)
        rows, columns = (
            TiledAxis.of(size, side=free // TILE_ALIGNED * TILE_ALIGNED)
            if fixed is None
            else TiledAxis.of(size, side=fixed, aligned=1)
            for size, fixed in zip((height, width), self._fixed)
        )
        return rows, columns


def _cut(padded: Tensor, places: Sequence[tuple[Tile, Tile]], height: int, width: int) -> Iterator[Tensor]:
    for row, column in places:
        yield padded[:, row.start : row.start + height, column.start : column.start + width]


def _in_channels(pixels_CHW: Tensor, channels: int) -> Tensor:
    if pixels_CHW.shape[0] == channels:
        return pixels_CHW
    if channels == 1:
        return (pixels_CHW * torch.tensor(_LUMA)[:, None, None]).sum(0, keepdim=True)
    return pixels_CHW.expand(channels, -1, -1)

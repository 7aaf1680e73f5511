"""Frames of any size and number of channels through a generator that was trained on others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import torch
from torch import Tensor

from wganx import Make, SampleFormat, UsageError, WganxError
from wganx.data import TILE_ALIGNED, Tile, TiledAxis

_PIXEL_BYTES = 4096
"""What the layers of a generator are taken to hold for a pixel of their input: a thousand numbers."""
_CPU_BYTES = 2**30
_GPU_SHARE = 0.5
_SMALLEST_TILE = 64
_MOST_ROWS = 64


class FrameNetwork:
    """Windows of a film through a generator, tile by tile where they are large.

    Frames are padded to a multiple of 8 by reflection, and cut into tiles where memory asks for it or `tile` does. For
    a generator that takes one size alone, the training's, tiles have that size. The same noise is drawn for every tile,
    so that they are of one film.

    As many channels as in the training go through as they are. A network of grey films is given each channel of others
    by itself. One of RGB films is given grey three times, and the mean of what comes out is taken; of RGB with alpha
    the colours go first, and then alpha as grey does.

    Args:
        name: what the generator's input is called.
        trained: its format: frames, channels, height, width.
        film: format of the film.
        scale: how many times larger frames come out.
        tile: side of the tiles, in pixels of the film; as large as memory allows where it is None.
        beside: what else the generator is given, each ``(1, ...)``, to find out which sizes it takes.

    Raises:
        UsageError: channels of another number, or a tile for a network that takes one size alone.
        WganxError: the generator makes values that are no numbers.
    """

    def __init__(
        self,
        make: Make,
        name: str,
        trained: SampleFormat,
        *,
        film: SampleFormat,
        scale: int = 1,
        tile: int | None = None,
        beside: Mapping[str, Tensor] | None = None,
    ) -> None:
        channels = film.shape[1] or 1
        self._frames, own, *size = trained.shape
        self._make, self._name, self._scale = make, name, scale
        self._own = own or channels
        self._groups = _groups(channels, self._own)
        self._tile = tile
        self._pixels = _CPU_BYTES // _PIXEL_BYTES
        self._asked = False
        self._fixed = (size[0], size[1])
        if self._takes_others(beside or {}):
            self._fixed = (None, None)
        if tile is not None and None not in self._fixed:
            its = f"{size[1]} x {size[0]}"
            raise UsageError(f"this generator takes {its} pixels alone, and its tiles have that size; leave tile out")

    def __call__(self, window_TCHW: Tensor, *, draw: int = 0, beside: Mapping[str, Tensor] | None = None) -> Tensor:
        """What is made of a window of frames in 0..255: ``(T, C, scale * H, scale * W)``, float16 in 0..1, on the CPU.

        Args:
            draw: which noise.
            beside: what else the generator is given, each ``(1, ...)``, the same for all tiles.
        """
        made = [self._halving(window_TCHW[:, group], draw, beside or {}) for group in self._groups]
        return made[0] if len(made) == 1 else torch.cat(made, 1)

    def _takes_others(self, beside: Mapping[str, Tensor]) -> bool:
        """Whether the generator takes frames of another size than the training's: asked by an attempt."""
        height, width = (size and size + TILE_ALIGNED for size in self._fixed)
        if height is None or width is None:
            return True
        try:
            made = self._made(torch.zeros(1, self._frames or 1, self._own, height, width), 0, beside)
        except (torch.OutOfMemoryError, WganxError):
            raise
        except Exception:  # whatever a network says of a size that it does not take
            return False
        return tuple(made.shape[3:]) == (height * self._scale, width * self._scale)

    def _halving(self, group_TCHW: Tensor, draw: int, beside: Mapping[str, Tensor]) -> Tensor:
        """A group of channels; in smaller tiles from now on where there is no memory for such large ones."""
        while True:
            try:
                return self._tiled(group_TCHW, draw, beside)
            except torch.OutOfMemoryError:
                if self._tile is not None or None not in self._fixed or self._pixels <= _SMALLEST_TILE**2:
                    raise
                self._pixels //= 4

    def _tiled(self, group_TCHW: Tensor, draw: int, beside: Mapping[str, Tensor]) -> Tensor:
        rows, columns = self._axes(*group_TCHW.shape[2:])
        padded = group_TCHW[..., rows.pixels, :][..., columns.pixels]
        scale = self._scale
        whole: Tensor | None = None
        at_once = min(max(self._pixels // (rows.side * columns.side), 1), _MOST_ROWS)
        for places in _batches(list(product(rows.spans, columns.spans)), at_once):
            cut_NTCHW = torch.stack(
                [
                    padded[..., row.start : row.start + rows.side, column.start : column.start + columns.side]
                    for row, column in places
                ]
            )
            for (row, column), made_TCHW in zip(places, self._made(cut_NTCHW, draw, beside)):
                if whole is None:
                    high, wide = (scale * len(axis.pixels) for axis in (rows, columns))
                    whole = made_TCHW.new_zeros(*made_TCHW.shape[:2], high, wide, dtype=torch.float16)
                down, across = row.start * scale, column.start * scale
                there = whole[..., down : down + rows.side * scale, across : across + columns.side * scale]
                if len(rows.spans) == len(columns.spans) == 1:
                    there.copy_(made_TCHW)
                else:
                    there += made_TCHW * row.weight_L[:, None] * column.weight_L
        assert whole is not None  # a frame has a tile at least
        return whole[..., : rows.size * scale, : columns.size * scale]

    def _made(self, cut_NTCHW: Tensor, draw: int, beside: Mapping[str, Tensor]) -> Tensor:
        count, channels = len(cut_NTCHW), cut_NTCHW.shape[2]
        given = cut_NTCHW.float() / 255
        if channels != self._own:
            given = given.expand(-1, -1, self._own, -1, -1)
        context = {self._name: given, **{name: rows.expand(count, *rows.shape[1:]) for name, rows in beside.items()}}
        made = self._make(context, draw=draw)
        self._learn_memory(made)
        if not made.isfinite().all():
            raise WganxError(
                "the generator makes values that are no numbers, of which no film can be made; take an earlier "
                "checkpoint, --checkpoint STEP or best"
            )
        made = made.float().clamp(0, 1).cpu()
        return made if channels == self._own else made.mean(2, keepdim=True)

    def _learn_memory(self, made: Tensor) -> None:
        """What is made lies where the generator does."""
        if made.is_cuda and not self._asked:
            self._pixels = max(self._pixels, int(torch.cuda.mem_get_info(made.device)[0] * _GPU_SHARE) // _PIXEL_BYTES)
        self._asked = True

    def _axes(self, height: int, width: int) -> tuple[TiledAxis, TiledAxis]:
        whole = height * width <= self._pixels and self._tile is None
        free = max(height, width) if whole else self._tile or math.isqrt(self._pixels)
        rows, columns = (
            TiledAxis.of(size, side=free // TILE_ALIGNED * TILE_ALIGNED + whole * TILE_ALIGNED, scale=self._scale)
            if fixed is None
            else TiledAxis.of(size, side=fixed, aligned=1, scale=self._scale)
            for size, fixed in zip((height, width), self._fixed)
        )
        return rows, columns


def _groups(channels: int, own: int) -> list[slice]:
    """Which channels of a film go through a network together."""
    if channels == own:
        return [slice(0, channels)]
    if own == 1 or (own == 3 and channels < 3):
        return [slice(channel, channel + 1) for channel in range(channels)]
    if own == 3 and channels == 4:
        return [slice(0, 3), slice(3, 4)]
    raise UsageError(
        f"this generator was trained on films of {own} channels, and this one has {channels}; "
        "bring it to as many, or train on films like it"
    )


def _batches(places: Sequence[tuple[Tile, Tile]], count: int) -> Iterator[Sequence[tuple[Tile, Tile]]]:
    for start in range(0, len(places), count):
        yield places[start : start + count]

"""Tiles that cover a picture or a frame, overlap, and are faded into each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

TILE_OVERLAP = 64
"""Pixels that neighbours share at least, but no more than a quarter of their side. The outer quarters of these, where a
network sees the edge of its tile, are left out; over the half between, one tile fades into the other."""
TILE_ALIGNED = 8
"""Where the size of frames is free, tiles lie and frames are padded at multiples of so many pixels, so that networks
which fold squares of pixels into channels, or halve the size, see the same squares in every tile."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile along one axis of the frame.

    Attributes:
        start: its first pixel.
        weight_L: what it counts, for each pixel that comes out; the weights of all tiles at a pixel are 1 together.
    """

    start: int
    weight_L: Tensor


@dataclass(frozen=True, slots=True)
class TiledAxis:
    """Height or width of a picture or of a frame, cut into tiles.

    Attributes:
        size: pixels of the frame.
        side: pixels of a tile.
        pixels: which pixel of the frame stands where, padding by reflection included.
        spans: the tiles.
    """

    size: int
    side: int
    pixels: Tensor
    spans: tuple[Tile, ...]

    @classmethod
    def of(cls, size: int, *, side: int, aligned: int = TILE_ALIGNED, scale: int = 1) -> TiledAxis:
        """As few tiles as keep the overlap, evenly spread.

        Args:
            side: of a tile, a multiple of `aligned`; a frame that is smaller is one tile, padded no more than it must.
            aligned: 1 where tiles have one size alone, to which smaller frames are padded.
            scale: pixels that come out for each that goes in.
        """
        padded = math.ceil(size / aligned) * aligned
        if aligned == 1:
            padded = max(padded, side)
        side = min(side, padded)
        return cls(size, side, reflected(size, padded), tuple(_spans(padded, side, aligned, scale)))


def reflected(length: int, wanted: int) -> Tensor:
    """Which of `length` places stand at `wanted` ones: all of them, and then back and forth."""
    return torch.tensor([reflect(place, length) for place in range(wanted)])


def reflect(place: int, length: int) -> int:
    """Which of `length` places stands at any one: outside of them it goes back and forth."""
    period = max(2 * (length - 1), 1)
    place %= period
    return place if place < length else period - place


def _spans(size: int, side: int, aligned: int, scale: int) -> list[Tile]:
    overlap = min(TILE_OVERLAP, max(side // 4 // aligned, 1) * aligned)
    count = 1 + math.ceil((size - side) / max(side - overlap, 1))
    starts = [number * (size - side) // max(count - 1, 1) // aligned * aligned for number in range(count)]
    weights_KL = torch.zeros(count, size * scale)
    for number, start in enumerate(starts):
        weight_L = torch.ones(side * scale)
        if number:
            weight_L *= _ramp(starts[number - 1] + side - start, side, scale)
        if number < count - 1:
            weight_L *= _ramp(start + side - starts[number + 1], side, scale).flip(0)
        weights_KL[number, start * scale : (start + side) * scale] = weight_L
    weights_KL /= weights_KL.sum(0)
    return [Tile(start, weights_KL[number, start * scale :][: side * scale]) for number, start in enumerate(starts)]


def _ramp(shared: int, side: int, scale: int) -> Tensor:
    """From 0 to 1 over the middle half of the `shared` pixels at the beginning of a tile."""
    pixel_L = (torch.arange(side * scale) + 0.5) / scale
    return ((pixel_L - shared / 4) / max(shared / 2, 1e-6)).clamp(0, 1)

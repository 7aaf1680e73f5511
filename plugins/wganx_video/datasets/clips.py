"""Clips as they are stored, and those that are made when asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx import SampleFormat, Split
from wganx.data import DecodedItems

_STREAM: Mapping[Split, int] = {"train": 0, "heldout": 1}


def stored_clip(frames: int, channels: int, height: int, width: int, rate_hz: float | None = None) -> SampleFormat:
    """The format of clips as they are stored: bytes in 0 .. 255."""
    return SampleFormat(
        axes=("frame", "channel", "height", "width"),
        shape=(frames, channels, height, width),
        value_range=(0.0, 255.0),
        rate_hz=rate_hz,
    )


class DrawnClips(DecodedItems):
    """Clips that are drawn when asked for: `seed`, the split and its number fix each of them.

    A subclass draws one from a stream of random numbers of its own, in `draw`.
    """

    unit = "clips"

    def __init__(
        self, format: SampleFormat, count: int, split: Split, seed: int, *, recipe: tuple[object, ...], root: Path
    ) -> None:
        self._stream, self._count = (seed, _STREAM[split]), count
        super().__init__({"sample": format}, root=root, recipe=(*recipe, *self._stream))

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """A clip ``(T, C, H, W)``."""

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        return f"clip {index}"

    def stamps(self) -> Iterable[str]:
        """Nothing but what they are drawn by decides about the clips."""
        return ()

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        return {"sample": torch.from_numpy(self.draw(np.random.default_rng((*self._stream, index))))}

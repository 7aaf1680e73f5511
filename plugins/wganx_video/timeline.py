"""Where in a clip the frames stand that were given, and those that were made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx import Batch, SampleFormat


@dataclass(frozen=True)
class Timeline:
    """A clip of given and made frames.

    Attributes:
        given: the given frames ``(N, K, C, h, w)``; None where nothing was.
        given_at: their places.
        made_at: places of the frames of a sample, in their order.
        small: what was given are the same frames, smaller, and no others.
    """

    given: Tensor | None
    given_at: tuple[int, ...]
    made_at: tuple[int, ...]
    small: bool = False

    @property
    def places(self) -> list[int]:
        """All places, rising: those of made frames alone where what was given is no other frame."""
        return sorted({*self.made_at, *(() if self.small else self.given_at)})

    def whole(self, made_NTCHW: Tensor) -> Tensor:
        """Given and made frames in their order, ``(N, len(places), C, H, W)``."""
        if self.given is None or self.small:
            return made_NTCHW
        given = self.given.to(made_NTCHW)
        at = [*self.given_at, *self.made_at]
        order = sorted(range(len(at)), key=at.__getitem__)
        return torch.cat([given, made_NTCHW], 1)[:, order]

    def is_made(self) -> list[bool]:
        """Of every place, whether its frame is made."""
        return [place in self.made_at for place in self.places]


def timeline_of(batch: Batch, format: SampleFormat, frames: int) -> Timeline:
    """The clip that samples of `format` and the context of `batch` make together.

    The games say in the format's signal where frames stand (``given``, ``made``). Where that says nothing, or not of as
    many frames as there are, what was made stands alone.

    Args:
        frames: of a sample.
    """
    given = next((batch.context[name] for name in ("past", "frames", "low") if name in batch.context), None)
    given_at, made_at = (_places(format.signal.get(name)) for name in ("given", "made"))
    if given is None or len(made_at) != frames or len(given_at) != given.shape[1]:
        return Timeline(None, (), tuple(range(frames)))
    return Timeline(given, given_at, made_at, small="low" in batch.context)


def _places(told: object) -> tuple[int, ...]:
    return tuple(int(place) for place in told) if isinstance(told, Sequence) and not isinstance(told, str) else ()

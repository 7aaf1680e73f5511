"""Samples as they are."""

from __future__ import annotations

from torch import Tensor

from wganx_audio.representations.description import Representation


class Waveform(Representation):
    """A sound itself, ``(C, L)`` in [-1, 1]."""

    def encode(self, wave_NCL: Tensor) -> Tensor:
        return wave_NCL

    def decode(self, samples: Tensor, *, seed: int = 0, phase_of: Tensor | None = None) -> Tensor:
        return samples.clamp(-1, 1)

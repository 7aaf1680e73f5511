"""Phases for magnitudes that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from wganx_audio.representations.spectrogram import Stft

MOMENTUM = 0.99


def griffin_lim(
    magnitude_BFT: Tensor,
    stft: Stft,
    length: int,
    *,
    iterations: int,
    seed: int = 0,
    begin: Tensor | None = None,
) -> Tensor:
    """Sounds ``(B, length)`` whose spectrograms have these magnitudes as nearly as can be found.

    Griffin and Lim 1984, "Signal estimation from modified short-time Fourier transform", with the momentum of
    Perraudin, Balazs and Søndergaard 2013, "A fast Griffin-Lim algorithm". As torchaudio's it begins with phases in a
    quarter of the circle, which ends nearer than with phases all around; but with those of `seed`, the same whatever
    was drawn before, or with those of `begin`.

    Args:
        magnitude_BFT: ``(B, window / 2 + 1, frames)``.
        begin: a spectrum of the same shape whose phases are begun with.
    """
    if begin is None:
        rng = torch.Generator().manual_seed(seed)
        # One course of phases for all, so that a sound does not depend on what it is turned back beside.
        begin = torch.rand(magnitude_BFT.shape[1:], dtype=torch.cfloat, generator=rng).to(magnitude_BFT.device)
        phases = _phases(begin).expand_as(magnitude_BFT)
    else:
        phases = _phases(begin)
    weight, before = MOMENTUM / (1 + MOMENTUM), torch.zeros((), device=magnitude_BFT.device)
    for _ in range(iterations):
        found = stft.forward(stft.inverse(magnitude_BFT * phases, length))
        phases = _phases(found - weight * before)
        before = found
    return stft.inverse(magnitude_BFT * phases, length)


def _phases(spectrum: Tensor) -> Tensor:
    return spectrum / spectrum.abs().clamp_min(1e-16)

"""How far the spectra of two sets of tones are apart."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx import Batch, MetricContext


def spectrum_distance(candidate: Batch, reference: Batch, context: MetricContext) -> Mapping[str, float]:
    """Half the L1 distance of the mean power spectra, each of sum 1: 0 for equal spectra, 1 for disjoint ones."""
    gap = (_spectrum(candidate.real) - _spectrum(reference.real)).abs().sum() / 2
    return {"spectrum_distance": float(gap)}


def _spectrum(sound_N1T: Tensor) -> Tensor:
    power_F = torch.fft.rfft(sound_N1T.float()).abs().square().mean(dim=(0, 1))
    share_F: Tensor = power_F / power_F.sum().clamp_min(torch.finfo(power_F.dtype).tiny)
    return share_F

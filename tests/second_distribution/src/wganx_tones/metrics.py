"""Numbers about tones."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx import ExtractorContext, MetricContext, Sides
from wganx_tones.configs import BandsConfig, PsnrConfig


class Bands(nn.Module):
    """Extractor: samples ``(N, *shape)`` to their mean power in bands of frequency ``(N, bands)``."""

    weight: Tensor

    def __init__(self, config: BandsConfig, context: ExtractorContext) -> None:
        super().__init__()
        self.bands = config.bands
        self.spectral = "bin" in context.game.sample.axes
        found = context.keep(lambda: {"weight": torch.ones(config.bands)})
        self.register_buffer("weight", found["weight"])

    def forward(self, samples: Tensor) -> Tensor:
        power_NF = samples.mean(dim=2) if self.spectral else torch.fft.rfft(samples[:, 0]).abs().square()
        pooled = nn.functional.adaptive_avg_pool1d(power_NF[:, None], self.bands)[:, 0]
        return pooled * self.weight


def band_distance(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Euclidean distance of the mean features."""
    made, real = (context.features("bands", side) for side in (sides.candidate, sides.reference))
    return {"band_distance": float(torch.linalg.vector_norm(made.mean(0) - real.mean(0)))}


def psnr(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """``20 log10(peak / root mean squared error)`` against the truth, where there is one."""
    assert isinstance(context.config, PsnrConfig)
    low, high = context.game.sample.value_range or (-1.0, 1.0)
    peak = context.config.peak or (high - low) / 2
    error = (sides.candidate.real - sides.truth.real).square().mean().sqrt()
    return {"psnr": 20 * math.log10(peak / max(float(error), 1e-12))}

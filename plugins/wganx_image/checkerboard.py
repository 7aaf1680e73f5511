"""What can go wrong with generated pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx import Vitals

_LEAST_PIXELS = 8  # smaller pictures have no spectrum worth the name
_EXCESS = 4.0  # times the power of real pictures


def checkerboard(vitals: Vitals) -> str | None:
    """Fakes with far more power than real pictures at periods of two pixels: the trace of transposed convolutions.

    The power at the highest frequency of either axis, as a share of all power but the mean's, is compared between
    fakes and real pictures of the same batch. Odena, Dumoulin, Olah, "Deconvolution and Checkerboard Artifacts", 2016.
    """
    if min(vitals.real.shape[-2:]) < _LEAST_PIXELS:
        return None
    real, fake = _nyquist_share(vitals.real), _nyquist_share(vitals.fake)
    # A floor under the real share: pictures without any fine detail must not make noise look like a pattern.
    if fake > _EXCESS * max(real, 0.01):
        return f"fakes hold {fake:.1%} of their power in a two-pixel pattern, real pictures {real:.1%}: a checkerboard"
    return None


def _nyquist_share(x_NCHW: Tensor) -> float:
    height, width = (size - size % 2 for size in x_NCHW.shape[-2:])
    power = torch.fft.fft2(x_NCHW[..., :height, :width].float()).abs().square().mean((0, 1))
    power[0, 0] = 0.0
    highest = power[height // 2].sum() + power[:, width // 2].sum() - power[height // 2, width // 2]
    share: float = (highest / power.sum().clamp_min(1e-20)).item()
    return share

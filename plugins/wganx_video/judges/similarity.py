"""The structural similarity of frames, in its two conventions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_K1, _K2 = 0.01, 0.03
_SIZE, _DEVIATION = 11, 1.5
_LEGACY_SIZE, _LEGACY_RANGE = 7, 2.0


def ssim(made: Tensor, true: Tensor) -> Tensor | None:
    r"""SSIM of Wang et al. 2004 of frames ``(..., C, H, W)`` in [0, 1]: ``(...)``, 1 for the same frame.

    .. math:: \frac{(2 m_x m_y + C_1)(2 c_{xy} + C_2)}{(m_x^2 + m_y^2 + C_1)(v_x + v_y + C_2)}

    with :math:`C_1 = 0.01^2, C_2 = 0.03^2` and moments under a Gaussian window of 11 px and deviation 1.5 px, wherever
    all of it lies within the frame; the mean over places and channels. None for frames below 11 px.
    """
    if min(made.shape[-2:]) < _SIZE:
        return None
    offsets = torch.arange(_SIZE, device=made.device, dtype=made.dtype) - _SIZE // 2
    weights = torch.exp(-(offsets**2) / (2 * _DEVIATION**2))
    return _similarity(made, true, weights / weights.sum(), data_range=1.0, sample=False)


def ssim_legacy(made: Tensor, true: Tensor) -> Tensor | None:
    """SSIM as OpenSTL's tables have it, of frames ``(..., C, H, W)`` in [0, 1]: ``(...)``.

    That is scikit-image up to 0.19 without ``data_range``: a uniform window of 7 px, sample covariances, and a range of
    2, since floats are taken to reach from -1 to 1. It gives higher numbers than `ssim`. None below 7 px.
    """
    if min(made.shape[-2:]) < _LEGACY_SIZE:
        return None
    weights = torch.full((_LEGACY_SIZE,), 1 / _LEGACY_SIZE, device=made.device, dtype=made.dtype)
    return _similarity(made, true, weights, data_range=_LEGACY_RANGE, sample=True)


def _similarity(x: Tensor, y: Tensor, weights: Tensor, *, data_range: float, sample: bool) -> Tensor:
    """Args:
    weights: of the window along either axis, which sum to 1.
    sample: covariances over n - 1.
    """
    places = x.shape[:-3]
    # Every picture is a channel of its own group: twenty times as fast on a CPU as one channel of many pictures.
    x, y = (each.reshape(1, -1, *each.shape[-2:]) for each in (x, y))
    down = weights.view(1, 1, -1, 1).expand(x.shape[1], 1, -1, 1)
    right = weights.view(1, 1, 1, -1).expand(x.shape[1], 1, 1, -1)

    def mean(of: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(of, down, groups=len(down)), right, groups=len(right))

    mean_x, mean_y = mean(x), mean(y)
    many = len(weights) ** 2
    unbiased = many / (many - 1) if sample else 1.0
    vary_x, vary_y, together = (
        unbiased * (mean(a * b) - m * n)
        for a, b, m, n in ((x, x, mean_x, mean_x), (y, y, mean_y, mean_y), (x, y, mean_x, mean_y))
    )
    one, two = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    alike = ((2 * mean_x * mean_y + one) * (2 * together + two)) / (
        (mean_x * mean_x + mean_y * mean_y + one) * (vary_x + vary_y + two)
    )
    return alike[0].double().flatten(1).mean(1).view(*places, -1).mean(-1)

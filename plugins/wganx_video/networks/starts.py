"""What is known of frames without any learning: the trivial solutions, which networks start from.

All take and give clips ``(N, T, C, H, W)`` in [0, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F


def last_frame(past_NTCHW: Tensor, count: int) -> Tensor:
    """The last frame, `count` times."""
    return past_NTCHW[:, -1:].expand(-1, count, -1, -1, -1)


def mean_of_past(past_NTCHW: Tensor, count: int) -> Tensor:
    """The mean of all frames, `count` times."""
    return past_NTCHW.mean(1, keepdim=True).expand(-1, count, -1, -1, -1)


def blank(past_NTCHW: Tensor, count: int) -> Tensor:
    """Zeros, `count` frames of them."""
    return torch.zeros_like(past_NTCHW[:, :1]).expand(-1, count, -1, -1, -1)


def blend_weights(given: Sequence[int], made: Sequence[int]) -> Tensor:
    """``(M, K)``: how much of each given frame is in each made one; linear between the nearest on both sides."""
    weights_MK = torch.zeros(len(made), len(given))
    for row, place in enumerate(made):
        after = next(index for index, other in enumerate(given) if other > place)
        share = (place - given[after - 1]) / (given[after] - given[after - 1])
        weights_MK[row, after - 1], weights_MK[row, after] = 1 - share, share
    return weights_MK


def blend(frames_NKCHW: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of frames; `weights` are ``(M, K)``, or ``(N, M, K)`` of every row its own."""
    weights = weights.to(frames_NKCHW.dtype)
    flat_NKV = frames_NKCHW.flatten(2)
    return torch.unflatten(torch.matmul(weights, flat_NKV), 2, frames_NKCHW.shape[2:])


def time_weights(time_N: Tensor) -> Tensor:
    """``(N, 1, 2)``: of the first frame of two ``1 - t``, of the second ``t``."""
    return torch.stack([1 - time_N, time_N], dim=1)[:, None]


Kernel = Literal["bicubic-0.75", "bicubic-0.5", "bilinear", "nearest"]
"""Ways to enlarge. Bicubic ones by their parameter a: -0.75 as in OpenCV, -0.5 as in Pillow and Matlab (Keys 1981)."""


def enlarge(low_NTCHW: Tensor, scale: int, kernel: Kernel = "bicubic-0.75") -> Tensor:
    """Frames `scale` times as high and wide, cut off at 0 and 1."""
    rows, clip = low_NTCHW.flatten(0, 1), low_NTCHW.shape[:2]
    size = (rows.shape[2] * scale, rows.shape[3] * scale)
    if kernel == "nearest":
        large = F.interpolate(rows, size, mode="nearest")
    else:
        mode = kernel.partition("-")[0]
        # Torch has a = -0.5 where it looks at more of the picture in shrinking it, and -0.75 where it does not.
        with in_single(rows):
            large = F.interpolate(rows.float(), size, mode=mode, antialias=kernel == "bicubic-0.5")
    return torch.unflatten(large.clamp(0, 1), 0, clip)


def shrink(large_NTCHW: Tensor, scale: int) -> Tensor:
    """Frames ``1 / scale`` times as high and wide, by antialiased bicubic interpolation, a = -0.5; not cut off."""
    rows, clip = large_NTCHW.flatten(0, 1), large_NTCHW.shape[:2]
    size = (rows.shape[2] // scale, rows.shape[3] // scale)
    with in_single(rows):
        return torch.unflatten(F.interpolate(rows.float(), size, mode="bicubic", antialias=True), 0, clip)


def in_single(x: Tensor) -> torch.autocast:
    """Kernels of interpolation are computed in single precision, whatever the training's is: not all know bfloat16."""
    return torch.autocast(x.device.type, enabled=False)

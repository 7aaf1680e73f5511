"""I3D, the network of Carreira and Zisserman 2017, for weights that lie in a file without their network.

Inception-v1 with its convolutions and poolings inflated over time. Every convolution pads as TensorFlow does, so that a
side is divided by its stride and rounded up, with the odd pixel at the end; names are those of ``rgb_imagenet.pt``.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CLASSES = 400
"""Of Kinetics, whose scores before the softmax are the features of FVD."""

_MIXED = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}
"""Channels that come in, and those of the six convolutions of each block."""
_POOLED_BEFORE = {"Mixed_3b": ((1, 3, 3), (1, 2, 2)), "Mixed_4b": ((3, 3, 3), (2, 2, 2)), "Mixed_5b": ((2, 2, 2),) * 2}
_EPS = 1e-3
_LAST = (2, 7, 7)


class InflatedInception(nn.Module):
    """Films ``(N, 3, T, H, W)`` in -1 to 1, 224 x 224 px and 9 frames at least, to ``(N, 400)``."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, 7, stride=2)
        self.Conv3d_2b_1x1 = _Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = _Unit(64, 192, 3)
        for name, (channels, widths) in _MIXED.items():
            self.add_module(name, _Mixed(channels, widths))
        self.logits = nn.ModuleDict({"conv3d": nn.Conv3d(1024, CLASSES, 1)})

    def forward(self, films: Tensor) -> Tensor:
        x = _pooled(self.Conv3d_1a_7x7(films), (1, 3, 3), (1, 2, 2))
        x = self.Conv3d_2c_3x3(self.Conv3d_2b_1x1(x))
        for name in _MIXED:
            if name in _POOLED_BEFORE:
                x = _pooled(x, *_POOLED_BEFORE[name])
            x = self.get_submodule(name)(x)
        scores: Tensor = self.logits["conv3d"](F.avg_pool3d(x, _LAST, stride=1))
        return scores.mean((2, 3, 4))


class _Unit(nn.Module):
    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv3d = nn.Conv3d(channels, width, kernel, stride, bias=False)
        self.bn = nn.BatchNorm3d(width, eps=_EPS)
        self._kernel, self._stride = (kernel,) * 3, (stride,) * 3

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv3d(_padded(x, self._kernel, self._stride))))


class _Mixed(nn.Module):
    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        one, before_three, three, before_other, other, pooled = widths
        self.b0 = _Unit(channels, one, 1)
        self.b1a, self.b1b = _Unit(channels, before_three, 1), _Unit(before_three, three, 3)
        self.b2a, self.b2b = _Unit(channels, before_other, 1), _Unit(before_other, other, 3)
        self.b3b = _Unit(channels, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        pooled = _pooled(x, (3, 3, 3), (1, 1, 1))
        return torch.cat([self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(pooled)], 1)


def _pooled(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    # What is pooled was rectified: zeros beside it are never the largest, unless all are zero.
    return F.max_pool3d(_padded(x, kernel, stride), tuple(kernel), tuple(stride))


def _padded(x: Tensor, kernel: Sequence[int], stride: Sequence[int]) -> Tensor:
    """With zeros, so that each side of what comes out is that of `x` by `stride`, rounded up."""
    sides: list[int] = []
    for length, wide, step in reversed(list(zip(x.shape[2:], kernel, stride))):
        missing = max((-(-length // step) - 1) * step + wide - length, 0)
        sides += [missing // 2, missing - missing // 2]
    return F.pad(x, sides)

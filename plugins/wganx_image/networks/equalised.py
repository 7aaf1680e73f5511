"""Layers that learn at one pace whatever their size: He's constant is multiplied in at run time.

Karras et al. 2018, "Progressive Growing of GANs": weights are N(0, 1) and the layer computes ``c (W x + b)`` with
``c = sqrt(2 / fan-in)``, so that an optimizer whose steps do not depend on a gradient's size, such as Adam, changes all
layers by the same share.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional


class EqualisedConv2d(nn.Conv2d):
    """``c (W * x + b)``, padded so that the size stays: ``(N, c_in, H, W) -> (N, c_out, H, W)``."""

    def __init__(self, c_in: int, c_out: int, kernel: int) -> None:
        super().__init__(c_in, c_out, kernel, padding=kernel // 2)
        self.constant = _start(self, c_in * kernel**2)

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.weight * self.constant, cast(Tensor, self.bias) * self.constant
        return functional.conv2d(x, weight, bias, padding=self.kernel_size[0] // 2)


class EqualisedLinear(nn.Linear):
    """``c (W x + b)``: ``(N, features_in) -> (N, features_out)``."""

    def __init__(self, features_in: int, features_out: int) -> None:
        super().__init__(features_in, features_out)
        self.constant = _start(self, features_in)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.constant, self.bias * self.constant)


def _start(layer: nn.Conv2d | nn.Linear, fan_in: int) -> float:
    nn.init.normal_(layer.weight)
    nn.init.zeros_(cast(Tensor, layer.bias))
    return math.sqrt(2 / fan_in)


def pixel_norm(x: Tensor) -> Tensor:
    """Every pixel's channels (or every row's features) divided by their root mean square: ``(N, C, ...)``."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def pack_deviation(x_PKCHW: Tensor) -> Tensor:
    """How much the samples of a pack differ, ``(P,)``: their deviation, averaged over channels and pixels.

    The unbiased one, of K samples of a pack each.
    """
    deviation: Tensor = (x_PKCHW.var(1) + 1e-8).sqrt().flatten(1).mean(1)
    return deviation

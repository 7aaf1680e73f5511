"""The network of the extractor `own`, for samples of any rank."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from wganx.batch import SampleFormat
from wganx.evaluation.extractors.pretext import CHANNEL, is_point

FEATURES = 64
LEAST = 0.1
"""The least deviation that a feature is divided by, as a share of what is typical."""
WIDTHS = (32, 64, 96, 128)
_SMALLEST = 4
"""Size of an axis below which it is halved no more."""
_SEEN = {1: 512, 2: 32, 3: 16}
"""Size to which the first layer brings an axis, by how many there are: what a layer costs is their product."""
_CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_NORMS: dict[int, Any] = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_POOLS: dict[int, Any] = {1: nn.MaxPool1d, 2: nn.MaxPool2d, 3: nn.MaxPool3d}
_MEANS: dict[int, Any] = {1: nn.AdaptiveAvgPool1d, 2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}


class OwnNetwork(nn.Module):
    """Convolutions over every axis but the channel's, or layers for points; ``(N, ...) -> (N, 64)``.

    Features are standardised by the moments of the training items, so that no feature counts by its scale alone.
    """

    mean: Tensor
    deviation: Tensor
    accuracy: Tensor

    def __init__(self, format: SampleFormat, classes: int) -> None:
        super().__init__()
        self.channel = None if CHANNEL not in format.axes else format.axes.index(CHANNEL) + 1
        sizes = [size for axis, size in zip(format.axes, format.shape) if axis != CHANNEL]
        channels = 1 if self.channel is None else format.shape[self.channel - 1] or 1
        self.is_point = is_point(format)
        self.body = _layers(format.size) if self.is_point else _convolutions(channels, sizes)
        self.head = nn.Linear(FEATURES, classes)
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.register_buffer("accuracy", torch.zeros(()))

    def plain(self, x: Tensor) -> Tensor:
        """Features ``(N, 64)`` before they are standardised."""
        if not self.is_point:
            x = x.unsqueeze(1) if self.channel is None else x.movedim(self.channel, 1)
        found: Tensor = self.body(x)
        return found

    def forward(self, x: Tensor) -> Tensor:
        """Standardised features ``(N, 64)``."""
        return (self.plain(x) - self.mean) / self.deviation

    def logits(self, x: Tensor) -> Tensor:
        """What it sees, ``(N, classes)``."""
        found: Tensor = self.head(self.plain(x).relu())
        return found

    @torch.no_grad()
    def standardise(self, x: Tensor) -> None:
        """Take the moments of these samples' features."""
        features = torch.cat([self.plain(part) for part in torch.split(x, 256)])
        deviation = features.std(dim=0)
        self.mean.copy_(features.mean(dim=0))
        typical = deviation.square().mean().sqrt()
        # One that hardly moves on real samples says hardly anything, and must not become the loudest of all.
        self.deviation.copy_(deviation.clamp(min=max(float(LEAST * typical), 1e-6)))


def _layers(coordinates: int) -> nn.Sequential:
    hidden = [nn.Linear(coordinates, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU()]
    return nn.Sequential(*hidden, nn.Linear(128, FEATURES))


def _convolutions(channels: int, shape: Sequence[int | None]) -> nn.Sequential:
    """A first layer that brings long axes to about `_SEEN` and still sees every value, then a halving a width."""
    rank = len(shape)
    if rank not in _CONVOLUTIONS:
        raise ValueError(f"samples of {rank} axes beside the channel are more than it can be made for")
    convolution, norm, pool = _CONVOLUTIONS[rank], _NORMS[rank], _POOLS[rank]
    seen = _SEEN[rank]
    sizes = [size or seen for size in shape]
    strides = [max(1, size // seen) for size in sizes]
    sizes = [-(-size // stride) for size, stride in zip(sizes, strides)]
    kernel = [2 * stride + 1 for stride in strides]
    stages: list[nn.Module] = [
        convolution(channels, WIDTHS[0], kernel, stride=strides, padding=strides), norm(WIDTHS[0]), nn.ReLU()
    ]  # fmt: skip
    for c_in, c_out in pairwise(WIDTHS):
        window = [2 if size // 2 >= _SMALLEST else 1 for size in sizes]
        sizes = [size // step for size, step in zip(sizes, window)]
        stages += [pool(window), convolution(c_in, c_out, 3, padding=1), norm(c_out), nn.ReLU()]
    # Where a thing stands tells classes apart as well: means over quarters, not over the whole.
    ends = [_MEANS[rank](2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(WIDTHS[-1] * 2**rank, FEATURES)]
    return nn.Sequential(*stages, *ends)

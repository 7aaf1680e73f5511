"""The norms of both pairs: over the batch in generators, within one sample in critics."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn

from wganx.nn import ConditionalNorm
from wganx_image.networks.labels import Labels


def batch_norm(channels: int, labels: Labels) -> nn.Module:
    """Batch norm, with a scale and shift for every class where there are labels."""
    if not labels:
        return nn.BatchNorm2d(channels)
    return ConditionalNorm(nn.BatchNorm2d(channels, affine=False), channels, labels.classes, len(labels))


def normalised(norm: nn.Module, x: Tensor, label: Tensor | None) -> Tensor:
    """`x` through a norm that is told the class numbers of every row, where there are any."""
    return cast(Tensor, norm(x) if label is None else norm(x, label))


def sample_norm(channels: int, name: str) -> nn.Module:
    """A norm that never spans the batch: a penalty on single samples has no meaning under one that does."""
    match name:
        case "layer":
            return nn.GroupNorm(1, channels)
        case "instance":
            return nn.InstanceNorm2d(channels, affine=True)
        case _:
            return nn.Identity()

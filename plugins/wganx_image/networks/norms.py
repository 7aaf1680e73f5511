"""The norms of both pairs: over the batch in generators, within one sample in critics."""

from __future__ import annotations

from torch import nn

from wganx.nn import ConditionalNorm


def batch_norm(channels: int, classes: int) -> nn.Module:
    """Batch norm, with a scale and shift for every class where there are classes."""
    if not classes:
        return nn.BatchNorm2d(channels)
    return ConditionalNorm(nn.BatchNorm2d(channels, affine=False), channels, classes)


def sample_norm(channels: int, name: str) -> nn.Module:
    """A norm that never spans the batch: a penalty on single samples has no meaning under one that does."""
    match name:
        case "layer":
            return nn.GroupNorm(1, channels)
        case "instance":
            return nn.InstanceNorm2d(channels, affine=True)
        case _:
            return nn.Identity()

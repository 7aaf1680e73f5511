"""What a distance is given: two sets of samples, perhaps weighted, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

Weights = Sequence[Tensor]
"""``(a, b)``: one weight a sample, non-negative, each side summing to 1."""

SUM_TOLERANCE = 1e-5
"""How far from 1 weights may sum: what a softmax in float32 leaves. They are divided by their sum."""


def as_points(x: Tensor, y: Tensor, dtype: torch.dtype | None = None) -> tuple[Tensor, Tensor]:
    """Both sets as ``(n, d)`` and ``(m, d)`` without a graph, of one dtype: `dtype`, or theirs, float32 at least.

    Raises:
        ValueError: a set is empty, complex, or not finite; the samples differ in size, or the devices do.
    """
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("samples need a first axis that counts them; got a tensor without axes")
    if x.numel() == 0 or y.numel() == 0:
        if len(x) and len(y):
            raise ValueError(f"samples without values: shapes {tuple(x.shape)} and {tuple(y.shape)}")
        raise ValueError(f"a distance needs samples on both sides, got {len(x)} and {len(y)}")
    if x.is_complex() or y.is_complex():
        raise ValueError("samples must be real numbers; stack real and imaginary part with torch.view_as_real")
    if x.device != y.device:
        raise ValueError(f"samples lie on two devices, {x.device} and {y.device}; move one of them")
    dtype = dtype or torch.promote_types(torch.promote_types(x.dtype, y.dtype), torch.float32)
    x, y = (samples.detach().reshape(len(samples), -1).to(dtype) for samples in (x, y))
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"samples differ in size: {x.shape[1]} and {y.shape[1]} values each")
    for which, samples in (("first", x), ("second", y)):
        if bad := int((~torch.isfinite(samples)).sum()):
            raise ValueError(
                f"the {which} samples hold NaN or infinity in {bad} of {samples.numel()} values; leave those out"
            )
    return x, y


def as_weights(weights: Weights | None, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor] | None:
    """The weights of ``x (n, d)`` and ``y (m, d)`` as float64 on their device, summing to 1; None stays None.

    Raises:
        ValueError: not one finite, non-negative weight a sample, or a side does not sum to 1.
    """
    if weights is None:
        return None
    if len(weights) != 2:
        raise ValueError(f"weights are a pair (a, b), one tensor a side; got {len(weights)}")
    a, b = (_checked(side, len(points), points.device) for side, points in zip(weights, (x, y)))
    return a, b


def uniform(points: Tensor) -> Tensor:
    """Equal weights for ``points (n, d)``: ``(n,)`` in float64 on their device."""
    return torch.full((len(points),), 1 / len(points), dtype=torch.float64, device=points.device)


def _checked(side: Tensor, count: int, device: torch.device) -> Tensor:
    weights = torch.as_tensor(side).detach().to(device, torch.float64)
    if weights.shape != (count,):
        raise ValueError(f"{count} samples need weights of shape ({count},), got {tuple(weights.shape)}")
    if not bool(torch.isfinite(weights).all()) or bool((weights < 0).any()):
        raise ValueError("weights must be finite and at least 0")
    total = float(weights.sum())
    if abs(total - 1) > SUM_TOLERANCE:
        raise ValueError(f"weights must sum to 1, got {total:.6g}; divide them by their sum")
    return weights / total

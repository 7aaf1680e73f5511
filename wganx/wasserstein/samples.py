"""What a distance is given: two sets of samples, perhaps weighted, checked before anything is computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx.devices import plain

Samples = Tensor | NDArray[Any] | Sequence[Any]
"""A set of samples ``(n, ...)``: a tensor, an array, or a list of numbers, of rows, or of tensors."""

Weights = Sequence[Samples]
"""``(a, b)``: one weight a sample, non-negative, each side summing to 1."""

SUM_TOLERANCE = 1e-5
"""How far from 1 weights may sum: what a softmax in float32 leaves. They are divided by their sum."""

EXACT_IN_FLOAT32, EXACT_IN_FLOAT64 = 2**24, 2**53
"""The largest integers up to which every one is a number of that type."""


def as_tensor(values: Samples, what: str = "samples", *, graph: bool = False) -> Tensor:
    """`values` as a tensor; numbers keep all their digits (a list of floats becomes float64).

    Without a graph, or with `graph` with theirs where `asks_gradient` says so. From Apple's GPU, which has no float64,
    they come to the CPU.

    Raises:
        ValueError: they are not real numbers in one array, or integers beyond `EXACT_IN_FLOAT64`, which would be
            rounded.
    """
    tensor = plain(values if isinstance(values, Tensor) else _from_array(values, what))
    if not (graph and torch.is_grad_enabled()):
        tensor = tensor.detach()
    if tensor.is_complex():
        raise ValueError(f"{what} must be real numbers; stack real and imaginary part with torch.view_as_real")
    if tensor.dtype == torch.uint64 and bool((tensor.view(torch.int64) < 0).any()):
        raise _too_large(what)
    if tensor.dtype in (torch.uint16, torch.uint32, torch.uint64):
        tensor = tensor.to(torch.int64)  # torch computes little with these
    if _largest_integer(tensor) > EXACT_IN_FLOAT64:
        raise _too_large(what)
    return tensor


def as_points(
    x: Samples, y: Samples, dtype: torch.dtype | None = None, *, graph: bool = False
) -> tuple[Tensor, Tensor]:
    """Both sets as ``(n, d)`` and ``(m, d)`` of one dtype, with or without their graph as in `as_tensor`.

    That is `dtype`, or theirs, float32 at least; float64 for integers that float32 would round.

    Raises:
        ValueError: a set is empty, not of real numbers, or not finite; the samples differ in size, or the devices do.
    """
    x, y = as_tensor(x, graph=graph), as_tensor(y, graph=graph)
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("samples need a first axis that counts them; got a tensor without axes")
    if x.numel() == 0 or y.numel() == 0:
        if len(x) and len(y):
            raise ValueError(f"samples without values: shapes {tuple(x.shape)} and {tuple(y.shape)}")
        raise ValueError(f"a distance needs samples on both sides, got {len(x)} and {len(y)}")
    if x.device != y.device:
        raise ValueError(f"samples lie on two devices, {x.device} and {y.device}; move one of them")
    dtype = dtype or torch.promote_types(floating(x), floating(y))
    x, y = (samples.reshape(len(samples), -1).to(dtype) for samples in (x, y))
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"samples differ in size: {x.shape[1]} and {y.shape[1]} values each")
    for which, samples in (("first", x), ("second", y)):
        if math.isfinite(float(samples.detach().sum())):
            continue  # a sum is finite only where all its terms are
        if bad := int((~torch.isfinite(samples)).sum()):
            raise ValueError(
                f"the {which} samples hold NaN or infinity in {bad} of {samples.numel()} values; leave those out"
            )
    return x, y


def asks_gradient(*given: Samples | Weights | None) -> bool:
    """Whether a gradient is asked of any of what is given: it requires one, and gradients are not switched off."""
    return torch.is_grad_enabled() and any(map(_requires_gradient, given))


def refuse_gradient(
    function: str, *given: Samples | Weights | None, instead: str = "exact_w1, sliced_w1 or sinkhorn_divergence"
) -> None:
    """Refuse what asks for a gradient that `function` has not, rather than leave it out in silence.

    Raises:
        ValueError: as `asks_gradient`; the message names what there is `instead`.
    """
    if asks_gradient(*given):
        raise ValueError(
            f"{function} has no gradient, which what it was given requires: pass x.detach(), or take {instead} for one"
        )


def _requires_gradient(given: Any) -> bool:
    if isinstance(given, Tensor):
        return given.requires_grad
    return isinstance(given, (list, tuple)) and any(
        _requires_gradient(part) for part in given if isinstance(part, (Tensor, list, tuple))
    )


def floating(samples: Tensor) -> torch.dtype:
    """The floating-point type that holds `samples` without rounding, float32 at least."""
    if _largest_integer(samples) > EXACT_IN_FLOAT32:
        return torch.float64
    return torch.promote_types(samples.dtype, torch.float32)


def unit_of(*lengths: float) -> float:
    """The power of two above the largest of `lengths`, 1 where all are 0: dividing by it loses no digit."""
    largest = max(lengths)
    return math.ldexp(1.0, min(max(math.frexp(largest)[1], -1020), 1020)) if largest > 0 else 1.0


def scaled(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """Both sets divided by one power of two that brings their values near 1, and that number.

    Squares and higher powers of what comes back neither overflow nor vanish, and no digit is lost: scaling the samples
    scales every distance, down to the last bit where the factor is a power of two.
    """
    unit = unit_of(*(float(side.detach().abs().max()) for side in (x, y)))
    if x.dtype == torch.float32:  # the inverse has to be a number of that type, too
        unit = min(max(unit, 2.0**-120), 2.0**120)
    return x * (1 / unit), y * (1 / unit), unit


def as_weights(weights: Weights | None, x: Tensor, y: Tensor, *, graph: bool = False) -> tuple[Tensor, Tensor] | None:
    """The weights of ``x (n, d)`` and ``y (m, d)`` as float64 on their device, summing to 1; None stays None.

    With `graph` with theirs, as in `as_tensor`: the gradient is that of weights divided by their sum, so it sums to 0
    when it is weighted by them.

    Raises:
        ValueError: not one finite, non-negative weight a sample, or a side does not sum to 1.
    """
    if weights is None:
        return None
    if len(weights) != 2:
        raise ValueError(f"weights are a pair (a, b), one tensor a side; got {len(weights)}")
    a, b = (_checked(side, len(points), points.device, graph) for side, points in zip(weights, (x, y)))
    return a, b


def uniform(points: Tensor) -> Tensor:
    """Equal weights for ``points (n, d)``: ``(n,)`` in float64 on their device."""
    return torch.full((len(points),), 1 / len(points), dtype=torch.float64, device=points.device)


def _checked(side: Samples, count: int, device: torch.device, graph: bool) -> Tensor:
    weights = as_tensor(side, "weights", graph=graph).to(device, torch.float64)
    if weights.shape != (count,):
        raise ValueError(f"{count} samples need weights of shape ({count},), got {tuple(weights.shape)}")
    if not bool(torch.isfinite(weights).all()) or bool((weights < 0).any()):
        raise ValueError("weights must be finite and at least 0")
    total = weights.sum()
    if abs(float(total.detach()) - 1) > SUM_TOLERANCE:
        raise ValueError(f"weights must sum to 1, got {float(total.detach()):.6g}; divide them by their sum")
    return weights / total


def _from_array(values: NDArray[Any] | Sequence[Any], what: str) -> Tensor:
    try:
        if isinstance(values, (list, tuple)) and values and all(isinstance(value, Tensor) for value in values):
            return torch.stack([*values])
        array = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{what} must be numbers in one array, all of one shape: {error}") from error
    if array.dtype.kind not in "fiubc":
        raise ValueError(f"{what} must be numbers, got an array of {array.dtype}")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    # A copy in the machine's own order of bytes: torch takes no other, and no view that runs backwards.
    return torch.from_numpy(np.array(array, dtype=array.dtype.newbyteorder("="), order="C"))


def _largest_integer(samples: Tensor) -> int:
    """The largest magnitude among integers of a type that float32 may round; 0 for other types."""
    if samples.dtype not in (torch.int32, torch.int64) or samples.numel() == 0 or samples.is_meta:
        return 0
    low, high = samples.aminmax()
    return max(abs(int(low)), abs(int(high)))


def _too_large(what: str) -> ValueError:
    return ValueError(
        f"{what} hold integers beyond 2^53, which floating-point numbers would round; subtract one number from all, "
        "which changes no distance"
    )

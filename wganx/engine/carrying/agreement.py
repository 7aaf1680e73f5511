"""Whether two computations of one gradient agree up to rounding."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.fx import GraphModule

from wganx.engine.steps.updates import LossGradient

# How far, relative to its length, a gradient may lie from another one: so far, or this many times as far as it moves
# when the samples are off by rounding, and never further than the third number.
_TOLERANCE, _TIMES_ROUNDING, _LIMIT = 1e-4, 8.0, 0.1
_SCALARS = 1e-2
# What sums of thousands of products are off by, in units of their last digit, and the most that is tried.
_ROUNDINGS, _LARGEST = 64, 1e-2


def perturbed(samples: Tensor, epsilon: float) -> Tensor:
    """The samples, off by what long sums are off by in a number format of that `epsilon`, always the same way."""
    off = min(_ROUNDINGS * epsilon, _LARGEST)
    rng = torch.Generator(samples.device).manual_seed(0)
    noise = torch.rand(samples.shape, generator=rng, device=samples.device, dtype=samples.dtype)
    return samples * (1 + off * (2 * noise - 1))


def machine_epsilon(module: GraphModule, device: torch.device) -> float:
    """Relative distance of neighbouring numbers, in the coarsest format that a traced graph computes in."""
    kinds = {node.meta["val"].dtype for node in module.graph.nodes if isinstance(node.meta.get("val"), Tensor)}
    coarsest = max(torch.finfo(kind).eps for kind in kinds if kind.is_floating_point)
    switches = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    if device.type == "cuda" and any(switch.fp32_precision == "tf32" for switch in switches):
        return max(coarsest, 2**-11)
    return coarsest


def difference(found: LossGradient, eager: LossGradient, rounded: LossGradient) -> str | None:
    """How `found` is not what `eager` is, beyond rounding; None where it agrees.

    `rounded` is what `eager` becomes when its samples are off by rounding, which tells how well it is determined.
    """
    compiled, right, near = (_flat(each.gradients) for each in (found, eager, rounded))
    error, allowed = _relative(compiled, right), max(_TOLERANCE, _TIMES_ROUNDING * _relative(near, right))
    if not error <= min(allowed, _LIMIT):
        return f"its gradient is off by a relative {error:.1e}, where {min(allowed, _LIMIT):.1e} may be rounding"
    # Differences of means may be as small as their rounding errors, so what is logged is looked at less closely.
    compiled, right, near = (_flat([each.loss, *each.readings.values()]) for each in (found, eager, rounded))
    error, allowed = _relative(compiled, right), max(_SCALARS, _TIMES_ROUNDING * _relative(near, right))
    if not error <= allowed:
        return f"its loss and readings are off by a relative {error:.1e}, where {allowed:.1e} may be rounding"
    return None


def _flat(tensors: Iterable[Tensor]) -> Tensor:
    return torch.cat([tensor.flatten().double() for tensor in tensors])


def _relative(value: Tensor, right: Tensor) -> float:
    error, length = (torch.linalg.vector_norm(each).item() for each in (value - right, right))
    return error / length if length else math.inf if error else 0.0

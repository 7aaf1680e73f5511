"""Sliced distances: transport on lines, averaged over directions or maximised. Quick at any size and dimension."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wganx.wasserstein.quantiles import line_cost
from wganx.wasserstein.samples import Samples, Weights, as_points, as_weights, scaled, uniform
from wganx.wasserstein.transport import Distance


@dataclass(frozen=True, eq=False)
class MaxSlicedDistance(Distance):
    """What `max_sliced_w1` and `max_sliced_w2` found; `direction` is the unit vector ``(d,)`` that attains `value`."""

    direction: Tensor = field(default_factory=lambda: torch.empty(0), repr=False, compare=False)


def sliced_w1(
    x: Samples, y: Samples, *, projections: int = 256, seed: int = 0, weights: Weights | None = None, batch: int = 64
) -> Distance:
    """Sliced W1: the mean of W1 between projections on directions θ uniform on the sphere.

    ``SW1 = E_θ W1(θ·x, θ·y)`` (Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", 2015). A metric,
    at most W1, and for ``y = x + t`` equal to ``‖t‖ Γ(d/2) / (√π Γ((d+1)/2))``: it shrinks like ``1/√d``, so compare
    values of one dimension only. Its bias from the number of samples does not grow with the dimension.

    Runs where the samples are, in their dtype, float32 at least, and float64 for integers that float32 would
    round. ``O(L (n + m) (d + log(n + m)))`` time for L
    projections, memory for `batch` of them at a time. The same seed draws the same directions on every device.

    Args:
        x: samples ``(n, ...)``, a tensor, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size, on the same device; `m` may differ from `n`.
        projections: directions drawn; the result's `error` is the standard error over them.
        seed: of the directions.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        batch: directions taken at once.

    Raises:
        ValueError: samples, weights or counts are unfit.
    """
    return _sliced(x, y, 1.0, projections, seed, weights, batch)


def sliced_w2(
    x: Samples, y: Samples, *, projections: int = 256, seed: int = 0, weights: Weights | None = None, batch: int = 64
) -> Distance:
    """Sliced W2: ``(E_θ W2(θ·x, θ·y)²)^½``. As `sliced_w1`; at most ``W2/√d``, with equality for ``y = x + t``."""
    return _sliced(x, y, 2.0, projections, seed, weights, batch)


def max_sliced_w1(
    x: Samples, y: Samples, *, steps: int = 100, starts: int = 8, seed: int = 0, weights: Weights | None = None
) -> MaxSlicedDistance:
    """Max-sliced W1: the largest W1 between projections, ``max_θ W1(θ·x, θ·y)``. A lower bound of W1.

    Projected subgradient ascent on the sphere from several starts, the first of them the difference of the means; the
    best direction seen counts. The problem is not concave: the value found is W1 along one direction, so never above
    W1, and may lie below the true maximum. For ``y = x + t`` it is ``‖t‖`` (Deshpande et al., "Max-Sliced Wasserstein
    Distance and its use for GANs", 2019). ``O(steps · starts · (n + m) (d + log(n + m)))`` time.

    The direction is chosen on the samples it is measured on, so with few samples in many dimensions two draws of one
    distribution have a value well above 0.

    Args:
        x: samples ``(n, ...)``, a tensor, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size, on the same device.
        steps: of the ascent.
        starts: directions followed at once; all but the first are random.
        seed: of the random starts.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.

    Raises:
        ValueError: samples, weights or counts are unfit.
    """
    return _max_sliced(x, y, 1.0, steps, starts, seed, weights)


def max_sliced_w2(
    x: Samples, y: Samples, *, steps: int = 100, starts: int = 8, seed: int = 0, weights: Weights | None = None
) -> MaxSlicedDistance:
    """Max-sliced W2: ``max_θ W2(θ·x, θ·y)``. As `max_sliced_w1`; a lower bound of W2."""
    return _max_sliced(x, y, 2.0, steps, starts, seed, weights)


@torch.no_grad()
def _sliced(
    x: Samples, y: Samples, p: float, projections: int, seed: int, weights: Weights | None, batch: int
) -> Distance:
    started = time.perf_counter()
    for name, count, least in (("projections", projections, 2), ("batch", batch, 1)):
        if count < least:
            raise ValueError(f"{name} must be at least {least}, got {count}")
    x, y, unit = _centred(*as_points(x, y))
    masses = as_weights(weights, x, y)
    directions = torch.split(_directions(projections, x, torch.Generator().manual_seed(seed)), batch)
    costs = torch.cat([line_cost(some @ x.T, some @ y.T, p, masses).double() for some in directions])
    value = float(costs.mean()) ** (1 / p)
    error = float(costs.std()) / math.sqrt(projections)
    if value > 0:
        error /= p * value ** (p - 1)  # what an error of the mean cost makes of its root
    return Distance(unit * value, (len(x), len(y)), x.shape[1], time.perf_counter() - started, unit * error)


def _max_sliced(
    x: Samples, y: Samples, p: float, steps: int, starts: int, seed: int, weights: Weights | None
) -> MaxSlicedDistance:
    started = time.perf_counter()
    for name, count in (("steps", steps), ("starts", starts)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    x, y, unit = _centred(*as_points(x, y))
    masses = as_weights(weights, x, y)
    a, b = masses or (uniform(x), uniform(y))
    directions = _directions(starts, x, torch.Generator().manual_seed(seed))
    shift = a.to(x.dtype) @ x - b.to(y.dtype) @ y
    if bool(shift.norm() > 0):
        directions[0] = shift / shift.norm()
    best, winner = -1.0, directions[0]
    for step in range(steps + 1):
        directions.requires_grad_(True)
        costs = line_cost(directions @ x.T, directions @ y.T, p, masses)
        (slope,) = torch.autograd.grad(costs.sum(), directions)
        costs, directions = costs.detach(), directions.detach()
        leader = int(costs.argmax())
        if float(costs[leader]) > best:
            best, winner = float(costs[leader]), directions[leader]
        along = slope - (slope * directions).sum(1, keepdim=True) * directions
        pace = 1 / (1 + 0.3 * step)
        # Lengths relative to the whole gradient: the move shrinks by itself as the direction comes into line.
        directions = directions + pace * along / slope.norm(dim=1, keepdim=True).clamp_min(1e-30)
        directions = directions / directions.norm(dim=1, keepdim=True)
    value = best ** (1 / p)
    return MaxSlicedDistance(
        unit * value, (len(x), len(y)), x.shape[1], time.perf_counter() - started, direction=winner
    )


def _centred(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """Both sets around the middle of all samples, in a unit in which no square leaves the range; and that unit.

    A projection sums up the axes: far from the origin it would round away what the samples still tell apart.
    """
    x, y, unit = scaled(x, y)
    middle = (torch.minimum(x.amin(0), y.amin(0)) + torch.maximum(x.amax(0), y.amax(0))) / 2
    x, y, spread = scaled(x - middle, y - middle)
    return x, y, unit * spread


def _directions(count: int, like: Tensor, rng: torch.Generator) -> Tensor:
    """Unit vectors ``(count, d)``, uniform on the sphere, drawn on the CPU and moved to the samples."""
    drawn = torch.randn(count, like.shape[1], generator=rng, dtype=torch.float64)
    unit: Tensor = drawn / drawn.norm(dim=1, keepdim=True)
    return unit.to(like)

"""Sliced distances: transport on lines, averaged over directions or maximised. Quick at any size and dimension."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import HIGH_POWER, check_exponent, root, with_value
from wganx.wasserstein.quantiles import line_cost, line_lengths
from wganx.wasserstein.samples import Samples, Weights, as_points, as_tensor, as_weights, scaled, uniform
from wganx.wasserstein.transport import Distance


@dataclass(frozen=True, eq=False)
class MaxSlicedDistance(Distance):
    """What `max_sliced_w1` and `max_sliced_w2` found; `direction` is the unit vector ``(d,)`` that attains `value`."""

    direction: Tensor = field(default_factory=lambda: torch.empty(0), repr=False, compare=False)


def sliced_w1(
    x: Samples,
    y: Samples,
    *,
    projections: int = 256,
    seed: int = 0,
    weights: Weights | None = None,
    batch: int = 64,
    directions: Samples | None = None,
) -> Distance:
    """Sliced W1: the mean of W1 between projections on directions θ uniform on the sphere.

    ``SW1 = E_θ W1(θ·x, θ·y)`` (Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", 2015). A metric,
    at most W1, and for ``y = x + t`` equal to ``‖t‖ Γ(d/2) / (√π Γ((d+1)/2))``: it shrinks like ``1/√d``, so compare
    values of one dimension only. Its bias from the number of samples does not grow with the dimension.

    Runs where the samples are, in their dtype, float32 at least, and float64 for integers that float32 would
    round. ``O(L (n + m) (d + log(n + m)))`` time for L
    projections, memory for `batch` of them at a time, and for all where samples, weights or directions require a
    gradient, which the result's `tensor` then has. The same seed draws the same directions on every device.

    Args:
        x: samples ``(n, ...)``, a tensor, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size, on the same device; `m` may differ from `n`.
        projections: directions drawn; the result's `error` is the standard error over them.
        seed: of the directions.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        batch: directions taken at once.
        directions: ``(L, d)`` to take in place of those drawn, of any length but 0; `error` is None then.

    Raises:
        ValueError: samples, weights, directions or counts are unfit.
    """
    return _sliced(x, y, 1.0, projections, seed, weights, batch, directions)


def sliced_w2(
    x: Samples,
    y: Samples,
    *,
    projections: int = 256,
    seed: int = 0,
    weights: Weights | None = None,
    batch: int = 64,
    directions: Samples | None = None,
) -> Distance:
    """Sliced W2: ``(E_θ W2(θ·x, θ·y)²)^½``. As `sliced_w1`; at most ``W2/√d``, with equality for ``y = x + t``."""
    return _sliced(x, y, 2.0, projections, seed, weights, batch, directions)


def sliced_wp(
    x: Samples,
    y: Samples,
    p: float = 2.0,
    *,
    projections: int = 256,
    seed: int = 0,
    weights: Weights | None = None,
    batch: int = 64,
    directions: Samples | None = None,
) -> Distance:
    """Sliced Wp for any `p` of at least 1: ``(E_θ Wp(θ·x, θ·y)^p)^(1/p)``. As `sliced_w1`; a metric, at most Wp."""
    check_exponent(p)
    return _sliced(x, y, p, projections, seed, weights, batch, directions)


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


def _sliced(
    x: Samples,
    y: Samples,
    p: float,
    projections: int,
    seed: int,
    weights: Weights | None,
    batch: int,
    directions: Samples | None,
) -> Distance:
    started = time.perf_counter()
    for name, count, least in (("projections", projections, 2), ("batch", batch, 1)):
        if count < least:
            raise ValueError(f"{name} must be at least {least}, got {count}")
    x, y, unit = _centred(*as_points(x, y, graph=True))
    masses = as_weights(weights, x, y, graph=True)
    along = _drawn(projections, x, seed) if directions is None else _unit(directions, x)
    high = p > HIGH_POWER  # whose powers are taken of shares of the longest way only
    line = line_lengths if high else line_cost
    costs = torch.cat([line(some @ x.T, some @ y.T, p, masses).double() for some in torch.split(along, batch)])
    if high:
        longest = float(costs.detach().max()) or 1.0
        costs, unit = (costs / longest).pow(p), unit * longest
    value = float(costs.detach().mean()) ** (1 / p)
    error = None
    if directions is None:
        error = float(costs.detach().std()) / math.sqrt(projections)
        if value > 0:
            error /= p * value ** (p - 1)  # what an error of the mean cost makes of its root
        error *= unit
    tensor = with_value(unit * root(costs.mean(), p), unit * value) if costs.requires_grad else None
    return Distance(unit * value, (len(x), len(y)), x.shape[1], time.perf_counter() - started, error, tensor=tensor)


def _max_sliced(
    x: Samples, y: Samples, p: float, steps: int, starts: int, seed: int, weights: Weights | None
) -> MaxSlicedDistance:
    started = time.perf_counter()
    for name, count in (("steps", steps), ("starts", starts)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    x, y, unit = _centred(*as_points(x, y, graph=True))
    masses = as_weights(weights, x, y, graph=True)
    plain = None if masses is None else (masses[0].detach(), masses[1].detach())
    best, winner = _ascend(x.detach(), y.detach(), p, steps, starts, seed, plain)
    value = unit * best ** (1 / p)
    found = line_cost((winner @ x.T)[None], (winner @ y.T)[None], p, masses)[0].double()
    tensor = with_value(unit * root(found, p), value) if found.requires_grad else None
    return MaxSlicedDistance(
        value, (len(x), len(y)), x.shape[1], time.perf_counter() - started, direction=winner, tensor=tensor
    )


@torch.enable_grad()
def _ascend(
    x: Tensor, y: Tensor, p: float, steps: int, starts: int, seed: int, masses: tuple[Tensor, Tensor] | None
) -> tuple[float, Tensor]:
    """The largest cost that was met, and its direction."""
    a, b = masses or (uniform(x), uniform(y))
    directions = _drawn(starts, x, seed)
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
    return best, winner


def _centred(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """Both sets around the middle of all samples, in a unit in which no square leaves the range; and that unit.

    A projection sums up the axes: far from the origin it would round away what the samples still tell apart.
    """
    x, y, unit = scaled(x, y)
    one, other = x.detach(), y.detach()  # moving both changes no distance, and no gradient
    middle = (torch.minimum(one.amin(0), other.amin(0)) + torch.maximum(one.amax(0), other.amax(0))) / 2
    x, y, spread = scaled(x - middle, y - middle)
    return x, y, unit * spread


def _drawn(count: int, like: Tensor, seed: int) -> Tensor:
    """Unit vectors ``(count, d)``, uniform on the sphere, drawn on the CPU and moved to the samples."""
    rng = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, like.shape[1], generator=rng, dtype=torch.float64)
    unit: Tensor = drawn / drawn.norm(dim=1, keepdim=True)
    return unit.to(like)


def _unit(directions: Samples, like: Tensor) -> Tensor:
    """Directions of one's own as unit vectors, with their graph."""
    given = as_tensor(directions, "directions", graph=True)
    if given.ndim != 2 or len(given) == 0 or given.shape[1] != like.shape[1]:
        raise ValueError(
            f"directions are rows of {like.shape[1]} numbers, as many as a sample has; got {tuple(given.shape)}"
        )
    given = given.to(like)
    largest = given.detach().abs().amax(1, keepdim=True)
    if not bool(torch.isfinite(largest).all()) or bool((largest == 0).any()):
        raise ValueError("directions must be finite, and none of length 0")
    given = given / largest
    unit: Tensor = given / torch.linalg.vector_norm(given, dim=1, keepdim=True)
    return unit

"""The Sinkhorn divergence: entropic transport without its bias, on any device, in memory linear in the samples."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import HIGH_POWER, check_exponent, distances
from wganx.wasserstein.samples import Samples, Weights, as_points, as_weights, scaled, uniform, unit_of
from wganx.wasserstein.transport import Distance

MEDIAN_SAMPLES = 500
"""Samples a side whose median distance sets the default epsilon."""

ANNEALING = 0.5
"""Factor between temperatures on the way from the largest cost down to epsilon."""

CHECK_EVERY = 10
"""Updates between two looks at the marginals: a look waits for the device."""


@dataclass(frozen=True, eq=False)
class SinkhornDistance(Distance):
    """What `sinkhorn_divergence` found.

    Attributes:
        epsilon: the temperature it was taken at, in units of distance to the power p.
        iterations: updates at that temperature.
        converged: whether all marginals came within the tolerance, what rounding may have misplaced included.
    """

    epsilon: float = 0.0
    iterations: int = 0
    converged: bool = True


@dataclass(frozen=True)
class _Side:
    """One set of samples ``(n, d)`` with the logarithms of its weights."""

    points: Tensor
    weights: Tensor
    log_weights: Tensor


@dataclass(frozen=True)
class _Problem:
    """Entropic transport between two sides: costs are made a block of rows at a time, never kept whole when large.

    `typical` is a cost of middling size.
    """

    first: _Side
    second: _Side
    p: float
    typical: float
    batch: int
    kept: Tensor | None

    @staticmethod
    def make(first: _Side, second: _Side, p: float, typical: float, batch: int) -> _Problem:
        small = len(first.points) <= batch and len(second.points) <= batch
        problem = _Problem(first, second, p, typical, batch, None)
        return replace(problem, kept=problem._costs(first.points)) if small else problem

    def flipped(self) -> _Problem:
        return replace(self, first=self.second, second=self.first, kept=None if self.kept is None else self.kept.T)

    def softmin(self, potential: Tensor, epsilon: float) -> Tensor:
        """``f_i = -ε log Σ_j b_j exp((g_j - c_ij) / ε)`` for ``g (m,)``: ``(n,)``."""
        if self.kept is not None:
            return -epsilon * self._log_means(self.kept, potential, epsilon)
        parts = [
            self._log_means(self._costs(rows), potential, epsilon)
            for rows in torch.split(self.first.points, self.batch)
        ]
        return -epsilon * torch.cat(parts)

    def _log_means(self, costs: Tensor, potential: Tensor, epsilon: float) -> Tensor:
        exponent = self.second.log_weights + potential / epsilon
        found = torch.logsumexp(torch.sub(exponent, costs, alpha=1 / epsilon), dim=1)
        if epsilon < self.typical:
            return found
        # The mean is near 1 here and its logarithm near 0, of which a sum of exponentials would keep few digits.
        exponent = (potential - costs) / epsilon
        above = torch.expm1(exponent.clamp(max=1)) @ self.second.weights
        return torch.where((exponent.amax(1) < 1) & (above > -0.5), torch.log1p(above), found)

    def _costs(self, rows: Tensor) -> Tensor:
        return distances(rows, self.second.points).pow_(self.p)


@torch.no_grad()
def sinkhorn_divergence(
    x: Samples,
    y: Samples,
    *,
    epsilon: float | None = None,
    p: float = 1.0,
    weights: Weights | None = None,
    batch: int = 1024,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
) -> SinkhornDistance:
    """The debiased Sinkhorn divergence with cost ``c = ‖x - y‖₂^p``, to the power ``1/p``.

    ``S = OT(P, Q) - ½ OT(P, P) - ½ OT(Q, Q)`` with ``OT(P, Q) = min_π Σ π_ij c_ij + ε KL(π | a ⊗ b)``. It is zero for
    P = Q, never negative for p in [1, 2], and tends to ``Wp^p`` as ε falls to 0, to an energy distance as ε grows
    (Feydy et al., "Interpolating between Optimal Transport and MMD using Sinkhorn Divergences", 2019).

    Log-domain updates, with ε lowered from the largest cost by halves; the two self terms by averaged symmetric
    updates. Runs where the samples are, in their dtype, float32 at least; an ε below a hundredth of the median cost
    wants float64. An update takes ``O(n m d)`` time and memory for ``batch`` rows of costs, ``O(batch (n + m))``, so
    the whole cost matrix is never held when it is larger than that.

    Args:
        x: samples ``(n, ...)``, a tensor, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size, on the same device.
        epsilon: temperature, in units of the cost; 0.05 times the median cost between the sets if None.
        p: at least 1; beyond 2 nothing keeps S from being negative, which is then given as 0.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        batch: rows of costs held at once.
        tolerance: how much mass, of 1, a plan may put in the wrong place when it counts as converged.
        max_iterations: updates at the last temperature; beyond them the result says ``converged=False`` and a
            RuntimeWarning is issued.

    Raises:
        ValueError: samples, weights or settings are unfit.
    """
    started = time.perf_counter()
    check_exponent(p)
    if epsilon is not None and not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon must be finite and more than 0, got {epsilon:g}")
    if not tolerance > 0:
        raise ValueError(f"tolerance must be more than 0, got {tolerance:g}")
    for name, count in (("batch", batch), ("max_iterations", max_iterations)):
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}")
    x, y = as_points(x, y)
    masses = as_weights(weights, x, y) or (uniform(x), uniform(y))
    size, dim = (len(x), len(y)), x.shape[1]
    x, y, unit, largest = _in_units(x, y, p)
    if largest == 0:  # all samples are one point
        return SinkhornDistance(0.0, size, dim, time.perf_counter() - started, epsilon=epsilon or 0.0)
    typical = _median_cost(x, y, p) or largest
    one = _cost_of(unit, p)  # a cost of 1 in the units of the samples
    own_epsilon = epsilon / one if epsilon else 0.05 * typical
    epsilon = epsilon or own_epsilon * one
    limits = torch.finfo(x.dtype)
    if not limits.tiny / limits.eps < own_epsilon < limits.max * limits.eps or not 0 < epsilon < math.inf:
        raise ValueError(f"epsilon={epsilon:g} is too far from the costs for {x.dtype}: take another, or a lower p")
    first, second = (_Side(s, mass.to(s.dtype), mass.log().to(s.dtype)) for s, mass in zip((x, y), masses))

    def problem(one: _Side, other: _Side) -> _Problem:
        return _Problem.make(one, other, p, typical, batch)

    self_terms = [_symmetric(problem(s, s), own_epsilon, largest, tolerance, max_iterations) for s in (first, second)]
    cross = _alternating(problem(first, second), own_epsilon, largest, tolerance, max_iterations)
    value = cross.value - sum(term.value for term in self_terms) / 2
    terms = (cross, *self_terms)
    converged = all(term.error <= tolerance for term in terms)
    iterations = max(term.iterations for term in terms)
    if not converged:
        warnings.warn(
            f"Sinkhorn stopped after {iterations} updates with {max(term.error for term in terms):.1e} of the mass "
            f"misplaced, more than {tolerance:g}: raise max_iterations or epsilon, or pass float64 samples",
            RuntimeWarning,
            stacklevel=3,  # past the decorator
        )
    return SinkhornDistance(
        unit * max(value, 0.0) ** (1 / p), size, dim, time.perf_counter() - started,
        epsilon=epsilon, iterations=iterations, converged=converged,
    )  # fmt: skip


def _in_units(x: Tensor, y: Tensor, p: float) -> tuple[Tensor, Tensor, float, float]:
    """Both sets in a unit in which no cost is above 1, that unit, and a bound of the costs."""
    x, y, unit = scaled(x, y)
    low, high = torch.minimum(x.amin(0), y.amin(0)), torch.maximum(x.amax(0), y.amax(0))
    diameter = float((high - low).double().norm())
    own = diameter if p > HIGH_POWER and diameter > 0 else unit_of(diameter)
    return x / own, y / own, unit * own, math.pow(diameter / own, p)


def _cost_of(length: float, p: float) -> float:
    try:
        cost = math.pow(length, p)
    except OverflowError:
        cost = math.inf
    if not 0 < cost < math.inf:
        what, mend = ("overflows", "down") if cost else ("vanishes", "up")
        raise ValueError(f"a distance to the power p={p:g} {what}: scale the samples {mend}")
    return cost


@dataclass(frozen=True)
class _Solved:
    value: float
    error: float
    iterations: int


def _alternating(problem: _Problem, epsilon: float, largest: float, tolerance: float, limit: int) -> _Solved:
    """``OT(P, Q)``: first both potentials half way at once, which is quick where P is close to Q; then each in turn."""
    back = problem.flipped()
    f, g = torch.zeros_like(problem.first.weights), torch.zeros_like(problem.second.weights)
    for temperature in [*_temperatures(epsilon, largest), *[epsilon] * CHECK_EVERY]:
        f, g = (f + problem.softmin(g, temperature)) / 2, (g + back.softmin(f, temperature)) / 2
    f = problem.softmin(g, epsilon)
    for iteration in range(1, limit + 1):
        g = back.softmin(f, epsilon)
        # With g fresh the second marginal holds exactly; the change of f tells how far off the first is.
        f, before = problem.softmin(g, epsilon), f
        if iteration % CHECK_EVERY == 0 or iteration == limit:
            error = _misplaced(problem.first.weights, before - f, epsilon)
            if error <= tolerance:
                break
    error = max(error, _rounding(problem.first, f, epsilon))
    return _Solved(_mean(problem.first, f) + _mean(problem.second, g), error, iteration)


def _symmetric(problem: _Problem, epsilon: float, largest: float, tolerance: float, limit: int) -> _Solved:
    """``OT(P, P)``: both potentials are one, and moving it half way to its update converges in a few tens of steps."""
    f = torch.zeros_like(problem.first.weights)
    for temperature in _temperatures(epsilon, largest):
        f = (f + problem.softmin(f, temperature)) / 2
    for iteration in range(1, limit + 1):
        f, before = (f + problem.softmin(f, epsilon)) / 2, f
        if iteration % CHECK_EVERY == 0 or iteration == limit:
            error = _misplaced(problem.first.weights, 2 * (before - f), epsilon)
            if error <= tolerance:
                break
    error = max(error, _rounding(problem.first, f, epsilon))
    return _Solved(_mean(problem.first, f) + _mean(problem.first, problem.softmin(f, epsilon)), error, iteration)


def _temperatures(epsilon: float, largest: float) -> list[float]:
    """From the largest cost down to epsilon, without it."""
    steps = max(0, math.ceil(math.log(largest / epsilon, 1 / ANNEALING)))
    return [largest * ANNEALING**step for step in range(steps)]


def _misplaced(weights: Tensor, change: Tensor, epsilon: float) -> float:
    """``Σ a_i |exp(Δf_i / ε) - 1|``: the mass by which a marginal of the plan is off."""
    return float((weights * torch.expm1(change / epsilon).abs()).sum())


def _rounding(side: _Side, potential: Tensor, epsilon: float) -> float:
    """What rounding of the potentials may misplace: updates that stand still for want of digits have not converged."""
    return torch.finfo(potential.dtype).eps * float((side.weights * potential.abs()).sum()) / epsilon


def _mean(side: _Side, potential: Tensor) -> float:
    return float(side.weights.double() @ potential.double())


def _median_cost(x: Tensor, y: Tensor, p: float) -> float:
    """The median cost above zero between fixed subsets of both sets; 0 if there is none."""
    rng = torch.Generator().manual_seed(0)
    x, y = (s[torch.randperm(len(s), generator=rng)[:MEDIAN_SAMPLES].to(s.device)] for s in (x, y))
    costs = distances(x, y).pow(p)
    costs = costs[costs > 0]
    return float(costs.median()) if len(costs) else 0.0

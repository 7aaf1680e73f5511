"""The Sinkhorn divergence: entropic transport without its bias, on any device, in memory linear in the samples."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import check_exponent, distances
from wganx.wasserstein.samples import Weights, as_points, as_weights, uniform
from wganx.wasserstein.transport import Distance

MEDIAN_SAMPLES = 500
"""Samples a side whose median distance sets the default epsilon."""

ANNEALING = 0.5
"""Factor between temperatures on the way from the largest cost down to epsilon."""

CHECK_EVERY = 10
"""Updates between two looks at the marginals: a look waits for the device."""


@dataclass(frozen=True)
class SinkhornDistance(Distance):
    """What `sinkhorn_divergence` found.

    Attributes:
        epsilon: the temperature it was taken at, in units of distance to the power p.
        iterations: updates at that temperature.
        converged: whether all marginals came within the tolerance.
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
    """Entropic transport between two sides: costs are made a block of rows at a time, never kept whole when large."""

    first: _Side
    second: _Side
    p: float
    batch: int
    kept: Tensor | None

    @staticmethod
    def make(first: _Side, second: _Side, p: float, batch: int) -> _Problem:
        small = len(first.points) <= batch and len(second.points) <= batch
        problem = _Problem(first, second, p, batch, None)
        return replace(problem, kept=problem._costs(first.points)) if small else problem

    def flipped(self) -> _Problem:
        return _Problem(self.second, self.first, self.p, self.batch, None if self.kept is None else self.kept.T)

    def softmin(self, potential: Tensor, epsilon: float) -> Tensor:
        """``f_i = -ε log Σ_j b_j exp((g_j - c_ij) / ε)`` for ``g (m,)``: ``(n,)``."""
        exponent = self.second.log_weights + potential / epsilon
        if self.kept is not None:
            return -epsilon * torch.logsumexp(torch.sub(exponent, self.kept, alpha=1 / epsilon), dim=1)
        parts = [
            torch.logsumexp(torch.sub(exponent, self._costs(rows), alpha=1 / epsilon), dim=1)
            for rows in torch.split(self.first.points, self.batch)
        ]
        return -epsilon * torch.cat(parts)

    def _costs(self, rows: Tensor) -> Tensor:
        return distances(rows, self.second.points).pow_(self.p)


@torch.no_grad()
def sinkhorn_divergence(
    x: Tensor,
    y: Tensor,
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
        x: samples ``(n, ...)``; axes after the first are flattened.
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
    first, second = (_Side(s, mass.to(s.dtype), mass.log().to(s.dtype)) for s, mass in zip((x, y), masses))
    low, high = torch.minimum(x.amin(0), y.amin(0)), torch.maximum(x.amax(0), y.amax(0))
    largest = float((high - low).double().norm()) ** p
    if not math.isfinite(largest) or largest > torch.finfo(x.dtype).max:
        raise ValueError(f"a distance to the power p={p:g} overflows {x.dtype}: scale the samples down")
    size, dim = (len(x), len(y)), x.shape[1]
    if largest == 0:  # all samples are one point
        return SinkhornDistance(0.0, size, dim, time.perf_counter() - started, epsilon=epsilon or 0.0)
    epsilon = epsilon or 0.05 * (_median_cost(x, y, p) or largest)

    self_terms = [_symmetric(_Problem.make(s, s, p, batch), epsilon, largest, tolerance, max_iterations)
                  for s in (first, second)]  # fmt: skip
    cross = _alternating(_Problem.make(first, second, p, batch), epsilon, largest, tolerance, max_iterations)
    value = cross.value - sum(term.value for term in self_terms) / 2
    terms = (cross, *self_terms)
    converged = all(term.error <= tolerance for term in terms)
    if not converged:
        warnings.warn(
            f"Sinkhorn stopped after {max_iterations} updates with {max(term.error for term in terms):.1e} of the mass "
            f"misplaced, more than {tolerance:g}: raise max_iterations or epsilon, or pass float64 samples",
            RuntimeWarning,
            stacklevel=3,  # past the decorator
        )
    return SinkhornDistance(
        max(value, 0.0) ** (1 / p), size, dim, time.perf_counter() - started,
        epsilon=epsilon, iterations=max(term.iterations for term in terms), converged=converged,
    )  # fmt: skip


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
    return _Solved(_mean(problem.first, f) + _mean(problem.first, problem.softmin(f, epsilon)), error, iteration)


def _temperatures(epsilon: float, largest: float) -> list[float]:
    """From the largest cost down to epsilon, without it."""
    steps = max(0, math.ceil(math.log(largest / epsilon, 1 / ANNEALING)))
    return [largest * ANNEALING**step for step in range(steps)]


def _misplaced(weights: Tensor, change: Tensor, epsilon: float) -> float:
    """``Σ a_i |exp(Δf_i / ε) - 1|``: the mass by which a marginal of the plan is off."""
    return float((weights * torch.expm1(change / epsilon).abs()).sum())


def _mean(side: _Side, potential: Tensor) -> float:
    return float(side.weights.double() @ potential.double())


def _median_cost(x: Tensor, y: Tensor, p: float) -> float:
    """The median cost above zero between fixed subsets of both sets; 0 if there is none."""
    rng = torch.Generator().manual_seed(0)
    x, y = (s[torch.randperm(len(s), generator=rng)[:MEDIAN_SAMPLES].to(s.device)] for s in (x, y))
    costs = distances(x, y).pow(p)
    costs = costs[costs > 0]
    return float(costs.median()) if len(costs) else 0.0

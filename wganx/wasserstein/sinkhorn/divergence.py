"""The Sinkhorn divergence of two sets of samples, with its potentials, its plan and its gradient."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import COST_LIMIT, HIGH_POWER, check_exponent
from wganx.wasserstein.samples import Samples, Weights, as_points, as_weights, scaled, uniform, unit_of
from wganx.wasserstein.sinkhorn.gradient import carrying, pulls
from wganx.wasserstein.sinkhorn.problem import Problem, Side, costs
from wganx.wasserstein.sinkhorn.solver import Solved, solve
from wganx.wasserstein.transport import Distance

MEDIAN_SAMPLES = 500
"""Samples a side whose median distance sets the default epsilon."""


@dataclass(frozen=True, eq=False)
class SinkhornDistance(Distance):
    """What `sinkhorn_divergence` found.

    Attributes:
        epsilon: the temperature it was taken at, in units of distance to the power p.
        iterations: updates at that temperature.
        converged: whether all marginals came within the tolerance, what rounding may have misplaced included.
        potentials: ``f (n,)`` and ``g (m,)`` of OT(P, Q), in units of distance to the power p, where the samples are;
            one number may be added to f and taken from g.
        self_potentials: those of OT(P, P) and OT(Q, Q). ``f - self_potentials[0]`` is the gradient of S in the weights
            of x, up to a constant, and likewise for y.
    """

    epsilon: float = 0.0
    iterations: int = 0
    converged: bool = True
    potentials: tuple[Tensor, Tensor] = field(repr=False, kw_only=True)
    self_potentials: tuple[Tensor, Tensor] = field(repr=False, kw_only=True)
    _terms: _Terms = field(repr=False, kw_only=True)

    def plan(self) -> Tensor:
        """The plan of OT(P, Q) ``(n, m)`` in float64, ``π_ij = a_i b_j exp((f_i + g_j - c_ij) / ε)``, where the samples
        are and without a graph; its columns sum to the weights, its rows to within the tolerance.

        Raises:
            ValueError: it exceeds `COST_LIMIT`.
        """
        n, m = self.n
        if n * m * 8 > COST_LIMIT:
            raise ValueError(
                f"the plan between n={n} and m={m} samples takes {n * m * 8 / 2**30:.1f} GiB, more than "
                f"{COST_LIMIT / 2**30:.1f} GiB: take fewer samples, or potentials in place of the plan"
            )
        return self._terms.plan()


def sinkhorn_divergence(
    x: Samples,
    y: Samples,
    *,
    epsilon: float | None = None,
    p: float = 1.0,
    weights: Weights | None = None,
    batch: int = 2048,
    tolerance: float = 1e-4,
    max_iterations: int = 1000,
) -> SinkhornDistance:
    """The debiased Sinkhorn divergence with cost ``c = ‖x - y‖₂^p``, to the power ``1/p``.

    ``S = OT(P, Q) - ½ OT(P, P) - ½ OT(Q, Q)`` with ``OT(P, Q) = min_π Σ π_ij c_ij + ε KL(π | a ⊗ b)``. It is zero for
    P = Q, never negative for p in [1, 2], and tends to ``Wp^p`` as ε falls to 0, to an energy distance as ε grows
    (Feydy et al., "Interpolating between Optimal Transport and MMD using Sinkhorn Divergences", 2019).

    Updates of the potentials, extrapolated from the last few; large sets begin with the potentials of a quarter of
    them, 1,024 at most, between which ε is lowered from the largest cost by halves. Runs where the samples are, in
    their dtype, float32 at least; an ε below a hundredth of the median cost wants float64. An update takes
    ``O(n m d)`` time. Up to `batch` samples a side, the plan is kept; beyond, tiles of it are made and forgotten, so
    that memory is ``O(n + m)``, and on a GPU ``O(batch (n + m))``.

    Where samples or weights require a gradient, `tensor` carries it: that of the least cost by the envelope theorem,
    with the plan held fixed, as exact as the plan is near its optimum, so lower `tolerance` where digits count. The
    default ε is a constant to it. It is 0 where S is 0. A second derivative is
    refused (ValueError).

    Args:
        x: samples ``(n, ...)``, a tensor, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size, on the same device.
        epsilon: temperature, in units of the cost; 0.05 times the median cost between the sets if None.
        p: at least 1; beyond 2 nothing keeps S from being negative, which is then given as 0.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        batch: rows of a plan held at once.
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
    given = [_with_graph(each) for each in (x, y, *(weights or ()))]
    with torch.no_grad():
        points = as_points(given[0], given[1])
        masses = as_weights(given[2:] if weights is not None else None, *points)
        masses = masses or (uniform(points[0]), uniform(points[1]))
        terms = _Terms.of(points, masses, epsilon, p, batch, tolerance, max_iterations)
    if terms.error > tolerance:
        warnings.warn(
            f"Sinkhorn stopped after {terms.iterations} updates with {terms.error:.1e} of the mass misplaced, more "
            f"than {tolerance:g}: raise max_iterations or epsilon, or pass float64 samples",
            RuntimeWarning,
            stacklevel=2,
        )
    tensor = None
    if torch.is_grad_enabled() and any(map(_carries, given)):
        tensor = terms.tensor(given, points[0].dtype)
    f, g = (terms.cost * each for each in terms.cross.potentials)
    return SinkhornDistance(
        terms.value, (len(f), len(g)), points[0].shape[1], time.perf_counter() - started, tensor=tensor,
        epsilon=terms.cost * terms.epsilon if epsilon is None else epsilon,
        iterations=terms.iterations, converged=terms.error <= tolerance, potentials=(f, g),
        self_potentials=(terms.cost * terms.own[0].potentials[0], terms.cost * terms.own[1].potentials[0]),
        _terms=terms,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Terms:
    """The three terms of a divergence, in a unit of length in which no cost is above 1.

    Attributes:
        unit: that unit, in units of the samples, and `cost` a cost of 1 in them.
        typical: a cost of middling size.
        own: OT(P, P) and OT(Q, Q).
    """

    first: Side
    second: Side
    p: float
    epsilon: float
    unit: float
    cost: float
    typical: float
    batch: int
    cross: Solved
    own: tuple[Solved, Solved]

    @staticmethod
    def of(
        points: tuple[Tensor, Tensor], masses: tuple[Tensor, Tensor], epsilon: float | None, p: float, batch: int,
        tolerance: float, limit: int,
    ) -> _Terms:  # fmt: skip
        x, y, unit, largest = _in_units(*points, p)
        typical = _median_cost(x, y, p) or largest
        cost = _cost_of(unit, p) if largest > 0 else 1.0
        own_epsilon = epsilon / cost if epsilon else 0.05 * typical
        limits = torch.finfo(x.dtype)
        within = limits.tiny / limits.eps < own_epsilon < limits.max * limits.eps
        if largest > 0 and not (within and 0 < own_epsilon * cost < math.inf):
            raise ValueError(
                f"epsilon={epsilon or own_epsilon * cost:g} is too far from the costs for {x.dtype}: take another, or "
                "a lower p"
            )
        middle = (x.double().mean(0) + y.double().mean(0)) / 2
        first, second = (Side(each.double() - middle, mass.to(each.dtype)) for each, mass in zip((x, y), masses))

        def solved(one: Side, other: Side) -> Solved:
            if largest == 0:  # all samples are one point
                return Solved(0.0, (torch.zeros_like(one.weights), torch.zeros_like(other.weights)), 0.0, 0)
            return solve(Problem(one, other, p, typical, batch), own_epsilon, largest, tolerance, limit)

        own = solved(first, first), solved(second, second)
        cross = solved(first, second)
        return _Terms(first, second, p, own_epsilon, unit, cost, typical, batch, cross, own)

    @property
    def power(self) -> float:
        """S, never below 0."""
        return max(0.0, self.cross.value - sum(term.value for term in self.own) / 2)

    @property
    def value(self) -> float:
        return self.unit * math.pow(self.power, 1 / self.p)

    @property
    def error(self) -> float:
        return max(term.error for term in (self.cross, *self.own))

    @property
    def iterations(self) -> int:
        return max(term.iterations for term in (self.cross, *self.own))

    @torch.no_grad()
    def plan(self) -> Tensor:
        f, g = (each.double() for each in self.cross.potentials)
        exponents = f[:, None] + g - costs(self.first.points, self.second.points, self.p)
        masses = self.first.weights.double()[:, None] * self.second.weights.double()
        return exponents.div_(self.epsilon or 1.0).exp_().mul_(masses)

    def tensor(self, given: Sequence[Samples], dtype: torch.dtype) -> Tensor:
        """The value with a graph, for samples and perhaps weights as they were given."""
        slope = math.pow(self.power, 1 / self.p - 1) / self.p if self.power > 0 else 0.0
        of: list[Tensor] = []
        gradients: list[Tensor] = []
        with torch.no_grad():
            pulled = self._pulls() if any(map(_carries, given[:2])) and slope else None
            for side, each in enumerate(given):
                if not _carries(each):
                    continue
                if side < 2:
                    found = torch.zeros_like(self._sides[side].points) if pulled is None else pulled[side]
                else:
                    found = self.unit * self._weighed(side - 2, each)
                of.append(each)
                gradients.append((slope * found).reshape(each.shape).to(each))
            value = torch.tensor(self.value, dtype=dtype, device=self.first.points.device)
        return carrying(value, gradients, of)

    @property
    def _sides(self) -> tuple[Side, Side]:
        return self.first, self.second

    def _pulls(self) -> tuple[Tensor, Tensor]:
        """The gradient of S in the samples."""
        cross = pulls(self._problem(*self._sides), self.cross.potentials, self.epsilon)
        own = [pulls(self._problem(s, s), term.potentials, self.epsilon)[0] for s, term in zip(self._sides, self.own)]
        return cross[0] - own[0], cross[1] - own[1]

    def _weighed(self, side: int, given: Tensor) -> Tensor:
        """The gradient of S in the weights of a side, which are divided by their sum."""
        weights = given.to(self.first.points)
        found = self.cross.potentials[side].double() - self.own[side].potentials[0].double()
        return (found - weights @ found / weights.sum()) / weights.sum()

    def _problem(self, one: Side, other: Side) -> Problem:
        return Problem(one, other, self.p, self.typical, self.batch)


def _with_graph(samples: Samples) -> Samples:
    """A list of tensors as one tensor, so that their graph is kept."""
    if isinstance(samples, (list, tuple)) and any(map(_carries, samples)):
        return torch.stack(list(samples))
    return samples


def _carries(given: object) -> TypeGuard[Tensor]:
    return isinstance(given, Tensor) and given.requires_grad


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


def _median_cost(x: Tensor, y: Tensor, p: float) -> float:
    """The median cost above zero between fixed subsets of both sets; 0 if there is none."""
    rng = torch.Generator().manual_seed(0)
    x, y = (s[torch.randperm(len(s), generator=rng)[:MEDIAN_SAMPLES].to(s.device)] for s in (x, y))
    found = costs(x.double(), y.double(), p)
    found = found[found > 0]
    return float(found.median()) if len(found) else 0.0

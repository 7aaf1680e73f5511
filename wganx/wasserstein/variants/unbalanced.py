"""Unbalanced transport: mass may appear and vanish, at a price."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import Metric, all_distances, check_exponent, check_metric, ground_cost
from wganx.wasserstein.samples import Samples, Weights, as_points, as_tensor, as_weights, refuse_gradient, uniform
from wganx.wasserstein.simplex import solve
from wganx.wasserstein.transport import Distance
from wganx.wasserstein.variants.partial import WITH_GRADIENT

SPECK = 1e-12
"""A marginal below this share of its mass says no more than that hardly anything is left of it."""


@dataclass(frozen=True, eq=False)
class UnbalancedDistance(Distance):
    """What `unbalanced_transport` found.

    Attributes:
        plan: ``(n, m)``, float64 on the CPU; entry ``ij`` is the mass that goes from ``x_i`` to ``y_j``.
        mass: what moves in all.
        cost: what is minimised, of which `value` is the root: transport and both penalties.
        gap: by how much `cost` is at most too large, as potentials prove.
    """

    plan: Tensor = field(default_factory=lambda: torch.empty(0, 0), repr=False)
    mass: float = 0.0
    cost: float = 0.0
    gap: float = 0.0


def unbalanced_transport(
    x: Samples,
    y: Samples,
    *,
    penalty: float,
    p: float = 1.0,
    masses: Weights | None = None,
    metric: Metric = "euclidean",
    iterations: int = 1000,
    tolerance: float = 1e-2,
) -> UnbalancedDistance:
    r"""Transport between samples of unequal mass:
    :math:`\min_\pi \sum_{ij} \pi_{ij} d(x_i, y_j)^p + \rho\,KL(\pi 1 | a) + \rho\,KL(\pi^T 1 | b)`, to the power 1/p.

    Over plans :math:`\pi \ge 0`, with :math:`KL(r | a) = \sum_i r_i \log(r_i / a_i) - r_i + a_i` and the penalty
    :math:`\rho`, in units of distance to the power p: what it costs to make or lose mass. It tends to
    :math:`W_p^p` as :math:`\rho` grows, where both sides weigh 1, and to :math:`\rho\,\|\sqrt a - \sqrt b\|^2` where
    samples coincide or are very far apart (Liero, Mielke and Savare, "Optimal entropy-transport problems", 2018).

    Two steps of POT: majorization and minimization finds the marginals (Chapel et al., "Unbalanced optimal transport
    through non-negative penalized linear regression", 2021), and the network simplex the plan between those. The first
    alone is far off where the penalty is large. Potentials say how much is left: `gap`. Time ``iterations × n m`` and
    that of two `exact_wp`, memory some ``80 n m`` bytes, on the CPU in float64. Its gradient is not offered.

    Args:
        x: samples ``(n, ...)``, a tensor on any device, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size.
        penalty: above 0 and finite.
        p: at least 1.
        masses: ``(a (n,), b (m,))``, non-negative, of any sum above 0; ``1 / n`` and ``1 / m`` each if None.
        metric: as in `exact_wp`.
        iterations: of the first step.
        tolerance: the share of the cost above which a RuntimeWarning tells the gap.

    Raises:
        ValueError: samples, masses or settings are unfit, something requires a gradient, or the cost matrix exceeds
            `COST_LIMIT`.
        WganxError: as in `exact_wp`.
    """
    import ot

    started = time.perf_counter()
    check_exponent(p)
    check_metric(metric)
    if not 0 < penalty < math.inf:
        raise ValueError(f"penalty must be finite and more than 0, got {penalty:g}")
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, got {iterations}")
    refuse_gradient("unbalanced_transport", x, y, masses, instead=WITH_GRADIENT)
    x, y = as_points(as_tensor(x).cpu(), as_tensor(y).cpu(), torch.float64)
    a, b = _masses(masses, x, y)
    between, unit = all_distances(x, y, metric)
    between = between * unit
    costs = ground_cost(between, p)
    top = float(costs.max()) or 1.0
    from_, to = (a > 0).nonzero()[:, 0], (b > 0).nonzero()[:, 0]
    problem = _Problem(costs[from_[:, None], to] / top, penalty / top, a[from_], b[to])
    first = torch.from_numpy(
        ot.unbalanced.mm_unbalanced(
            problem.a.numpy(), problem.b.numpy(), problem.costs.numpy(), problem.penalty, numItermax=iterations
        )
    )
    cost, inner, bound = _best(problem, first, between[from_[:, None], to], p, top)
    plan = torch.zeros_like(costs)
    plan[from_[:, None], to] = inner
    gap = max(cost - bound, 0.0)
    if gap > tolerance * cost:
        warnings.warn(
            f"unbalanced transport may be {gap / cost:.1e} of itself too large after {iterations} iterations: raise "
            "iterations",
            RuntimeWarning,
            stacklevel=2,
        )
    return UnbalancedDistance(
        (top * cost) ** (1 / p), (len(x), len(y)), x.shape[1], time.perf_counter() - started,
        plan=plan, mass=float(plan.sum()), cost=top * cost, gap=top * gap,
    )  # fmt: skip


@dataclass(frozen=True)
class _Problem:
    """Costs of at most 1, the penalty in their unit, and masses above 0."""

    costs: Tensor
    penalty: float
    a: Tensor
    b: Tensor

    def primal(self, plan: Tensor) -> float:
        return float((plan * self.costs).sum()) + self.penalty * (
            _excess(plan.sum(1), self.a) + _excess(plan.sum(0), self.b)
        )

    def rescaled(self, plan: Tensor) -> Tensor:
        """The best multiple of a plan: in its mass the cost is a Kullback-Leibler divergence once more."""
        rows, columns = plan.sum(1), plan.sum(0)
        slope = float((plan * self.costs).sum()) + self.penalty * float(
            torch.xlogy(rows, rows / self.a).sum() + torch.xlogy(columns, columns / self.b).sum()
        )
        return plan * math.exp(-slope / (2 * self.penalty * float(plan.sum())))

    def dual(self, v: Tensor) -> float:
        """What the potential v proves: the best of its partners, each moved by the constant that proves most."""
        best = -math.inf
        for _ in range(2):
            u = (self.costs - v).amin(1)
            best = max(best, self._proved(u, v))
            v = (self.costs - u[:, None]).amin(0)
            best = max(best, self._proved(u, v))
        return best

    def _proved(self, u: Tensor, v: Tensor) -> float:
        one, other = (
            float(torch.logsumexp(mass.log() - side / self.penalty, 0)) for mass, side in ((self.a, u), (self.b, v))
        )
        # With the constant that makes both sums equal.
        return self.penalty * (float(self.a.sum()) + float(self.b.sum()) - 2 * math.exp((one + other) / 2))


def _best(problem: _Problem, first: Tensor, between: Tensor, p: float, top: float) -> tuple[float, Tensor, float]:
    """The cheapest of the first plan and the optimal ones between its marginals and between the masses themselves.

    Its cost, the plan, and the most that potentials prove.
    """
    plans, bounds = [torch.zeros_like(first), first], [problem.dual(torch.zeros_like(problem.b))]
    kept = (first.sum(0) / problem.b).clamp(min=SPECK)
    bounds.append(problem.dual(-problem.penalty * kept.log()))
    for sides in ((first.sum(1), first.sum(0)), (problem.a, problem.b)):
        rows, columns = (side.where(side > SPECK * side.max(), 0.0) for side in sides)
        if not float(rows.sum()) > 0:
            continue
        found = solve(between, p, rows / rows.sum(), columns / columns.sum())
        plans.append(problem.rescaled(found.plan))
        bounds.append(problem.dual(found.potential * (found.unit**p / top)))
    costs = [problem.primal(plan) for plan in plans]
    least = min(costs)
    return least, plans[costs.index(least)], max(bounds)


def _excess(found: Tensor, wanted: Tensor) -> float:
    """The Kullback-Leibler divergence of two vectors of any mass."""
    return float((torch.xlogy(found, found / wanted) - found + wanted).sum())


def _masses(masses: Weights | None, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    if masses is None:
        return uniform(x), uniform(y)
    if len(masses) != 2:
        raise ValueError(f"masses are a pair (a, b), one tensor a side; got {len(masses)}")
    sides = [as_tensor(side, "masses").cpu().double() for side in masses]
    totals = [float(side.sum()) for side in sides]
    if not all(0 < total < math.inf for total in totals):
        raise ValueError(f"masses must have a finite sum above 0, got {totals[0]:g} and {totals[1]:g}")
    checked = as_weights([side / total for side, total in zip(sides, totals)], x, y)
    assert checked is not None
    return checked[0] * totals[0], checked[1] * totals[1]

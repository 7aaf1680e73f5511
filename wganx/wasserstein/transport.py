"""Optimal transport between samples, solved exactly: the distance, the plan, the potentials."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, fields

import numpy as np
import torch
from torch import Tensor

from wganx.errors import WganxError
from wganx.tables import Table, figure
from wganx.wasserstein.ground_cost import Metric, all_distances, check_exponent, check_metric, ground_cost
from wganx.wasserstein.numbers import Number
from wganx.wasserstein.quantiles import line_distance
from wganx.wasserstein.samples import Samples, Weights, as_points, as_tensor, as_weights, uniform
from wganx.wasserstein.simplex import solve

TIGHT = 1e-12
"""A reduced cost below this share of what it is made of, or of the largest cost in use, counts as zero."""

MOVED = 1e-6
"""A plan is another one when it moves more than this share of the mass of an average sample elsewhere."""


@dataclass(frozen=True, eq=False)
class Distance(Number):
    """A distance between two sets of samples, with what it was computed from; a `Number`: ``3 * d``, ``f"{d:.2f}"``.

    Attributes:
        value: the distance, in the units of the samples.
        n: samples on either side.
        dim: values a sample.
        seconds: what it took.
        error: standard error of `value` where it is a Monte Carlo mean (an `Estimate` states three of them); None
            where nothing was drawn.
        tensor: `value` with its graph, where samples or weights require a gradient.
    """

    value: float
    n: tuple[int, int]
    dim: int
    seconds: float
    error: float | None = None
    tensor: Tensor | None = field(default=None, repr=False, kw_only=True)

    def _repr_html_(self) -> str:
        return _facts(self).html()


def _facts(found: Distance) -> Table:
    """Every number of a distance that says something."""
    rows = [("samples", f"{found.n[0]} and {found.n[1]} of {found.dim} numbers")]
    for each in fields(found):
        value = getattr(found, each.name)
        if each.name in ("value", "n", "dim") or not each.repr or isinstance(value, Tensor):
            continue
        if value in (None, "") or value != value:
            continue
        rows.append((each.name, figure(value) if isinstance(value, float) else str(value)))
    return Table(f"{type(found).__name__} {figure(found.value)}", (), rows)


@dataclass(frozen=True, eq=False)
class Transport:
    """An optimal plan between two sets of samples, and the potentials that prove it optimal.

    All tensors are float64 on the CPU.

    Attributes:
        value: ``Wp``.
        cost: ``Wp^p``, the cost of the plan.
        plan: ``(n, m)``; entry ``ij`` is the mass that goes from ``x_i`` to ``y_j``. Sums to `weights` along each axis.
        potentials: ``u (n,)`` and ``v (m,)`` with ``u_i + v_j <= c_ij`` and ``Σ a_i u_i + Σ b_j v_j = cost``.
        ground_cost: ``c (n, m)``, distances to the power `p`.
        p: the exponent.
        weights: ``a (n,)`` and ``b (m,)``.
    """

    value: float
    cost: float
    plan: Tensor
    potentials: tuple[Tensor, Tensor]
    ground_cost: Tensor
    p: float
    weights: tuple[Tensor, Tensor]

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        n, m = self.plan.shape
        return f"Transport(value={self.value!r}, cost={self.cost!r}, p={self.p!r}, n=({n}, {m}))"

    def _repr_html_(self) -> str:
        n, m = self.plan.shape
        facts = {"cost": figure(self.cost), "p": figure(self.p), "samples": f"{n} and {m}"}
        return Table(f"W{self.p:g} = {figure(self.value)}", (), list(facts.items())).html()

    @property
    def gap(self) -> float:
        """Cost of the plan minus value of the potentials: zero, up to rounding, proves both optimal."""
        return self.cost - sum(float(mass @ side) for mass, side in zip(self.weights, self.potentials))

    @property
    def infeasibility(self) -> float:
        """By how much the potentials break ``u_i + v_j <= c_ij`` at worst; zero where they do not."""
        return max(0.0, -float(self._reduced_cost().min()))

    def other_plan(self) -> Tensor | None:
        """A different plan ``(n, m)`` of the same cost, or None: optimal plans need not be unique.

        A plan is optimal exactly where it lives on the pairs with ``u_i + v_j = c_ij`` (complementary slackness). Among
        those plans a linear program looks for the one with most mass on pairs that `plan` leaves empty; since `plan` is
        a vertex of the optimal plans, there is no such mass only where `plan` is the single one. "Same cost" is up to
        `TIGHT`, "different" more than `MOVED`. The program has a variable a tight pair: quick unless ties abound.
        """
        from scipy.optimize import linprog
        from scipy.sparse import coo_array

        used = (self.plan > 0).numpy()
        u, v = self.potentials
        # A far point that the plan does not reach must not make every pair look tight.
        size = (u.abs()[:, None] + v.abs()).clamp(min=float(self.ground_cost[self.plan > 0].max()))
        tight = (self._reduced_cost() <= TIGHT * size).numpy()
        rows, columns = np.nonzero(used | tight)
        fresh = ~used[rows, columns]
        if not fresh.any():
            return None
        n, m = self.plan.shape
        pairs = np.arange(len(rows))
        sums = coo_array(
            (np.ones(2 * len(rows)), (np.concatenate([rows, n + columns]), np.concatenate([pairs, pairs]))),
            shape=(n + m, len(rows)),
        ).tocsr()
        scale = max(n, m)  # the solver's tolerances are absolute: let an average sample weigh 1
        masses = np.concatenate([self.plan.sum(1).numpy(), self.plan.sum(0).numpy()]) * scale
        # One row says what the others add up to; leaving it out keeps rounding from making the program infeasible.
        found = linprog(
            -fresh.astype(float), A_eq=sums[:-1], b_eq=masses[:-1], method="highs-ds",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )  # fmt: skip
        if found.x is None:
            raise WganxError(f"the program for another plan was not solved: {found.message}")
        if found.x[fresh].sum() <= MOVED:
            return None
        other = torch.zeros_like(self.plan)
        other[torch.from_numpy(rows), torch.from_numpy(columns)] = torch.from_numpy(found.x).abs() / scale
        return other

    def _reduced_cost(self) -> Tensor:
        u, v = self.potentials
        return self.ground_cost - u[:, None] - v


def exact_w1(x: Samples, y: Samples, *, weights: Weights | None = None, metric: Metric = "euclidean") -> Distance:
    """W1 between two sets of samples: ``min_π Σ_ij π_ij d(x_i, y_j)`` over couplings π of their weights.

    `exact_wp` with ``p = 1``, where arguments, errors and cost are. This is the distance of the samples, not of what
    they were drawn from: above a few dimensions it overestimates that by far, so compare it with the distance between
    two real sets of the same size.
    """
    return exact_wp(x, y, 1.0, weights=weights, metric=metric)


def exact_wp(
    x: Samples, y: Samples, p: float = 2.0, *, weights: Weights | None = None, metric: Metric = "euclidean"
) -> Distance:
    """Wp between two sets of samples: ``(min_π Σ_ij π_ij d(x_i, y_j)^p)^(1/p)`` over couplings π of their weights.

    On the line by sorting, at any size: ``O((n + m) log(n + m))``. Elsewhere by the network simplex on the CPU in
    float64 (POT's `emd`; Bonneel et al., "Displacement Interpolation Using Lagrangian Mass Transport", 2011): time
    between ``n²`` and ``n³``, memory some ``56 n m`` bytes. Its plan is proved optimal by its potentials, at any scale
    of the samples and any `p`: scaling the samples scales the answer.

    Args:
        x: samples ``(n, ...)``, a tensor on any device, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size.
        p: at least 1.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        metric: ``"euclidean"``, ``"cityblock"``, ``"chebyshev"``, or a function ``(x (n, d), y (m, d)) -> (n, m)``.

    Raises:
        ValueError: samples, weights, `p` or the metric are unfit, or the cost matrix exceeds `COST_LIMIT`.
        WganxError: the solver gave up, or its value is not proved to a share of 1e-6 of itself.
    """
    started = time.perf_counter()
    check_exponent(p)
    check_metric(metric)
    x, y, masses = _prepare(x, y, weights)
    if x.shape[1] == 1 and isinstance(metric, str):
        value = line_distance(x[:, 0], y[:, 0], p, masses)
    else:
        between, unit = all_distances(x, y, metric)
        value = unit * solve(between, p, *(masses or (uniform(x), uniform(y)))).value
    return Distance(value, (len(x), len(y)), x.shape[1], time.perf_counter() - started)


def optimal_transport(
    x: Samples, y: Samples, *, p: float = 1.0, weights: Weights | None = None, metric: Metric = "euclidean"
) -> Transport:
    """An optimal plan and optimal potentials between two sets of samples, by the network simplex.

    Arguments, errors and cost as in `exact_wp`, the line included: a plan has ``n m`` entries everywhere. Costs and
    potentials are in units of the samples to the power `p`, so the samples are also refused (ValueError) where those
    overflow or vanish.
    """
    check_exponent(p)
    x, y, masses = _prepare(x, y, weights)
    between, unit = all_distances(x, y, metric)
    between = between * unit
    costs = ground_cost(between, p)
    a, b = masses or (uniform(x), uniform(y))
    found = solve(between, p, a, b)
    v = found.potential * found.unit**p
    # The solver knows no potential where there is no mass and rounds the others. Two c-transforms make them feasible
    # everywhere and lower the value of none.
    u = (costs - v).amin(1)
    v = (costs - u[:, None]).amin(0)
    return Transport(found.value, float((found.plan * costs).sum()), found.plan, (u, v), costs, p, (a, b))


def _prepare(x: Samples, y: Samples, weights: Weights | None) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor] | None]:
    x, y = as_points(as_tensor(x).cpu(), as_tensor(y).cpu(), torch.float64)
    return x, y, as_weights(weights, x, y)

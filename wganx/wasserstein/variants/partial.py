"""Partial transport: a share of the mass moves, the rest stays where it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import Metric, all_distances, check_exponent, check_metric
from wganx.wasserstein.samples import Samples, Weights, as_points, as_tensor, as_weights, refuse_gradient, uniform
from wganx.wasserstein.simplex import solve
from wganx.wasserstein.transport import Distance

WITH_GRADIENT = "exact_w1, sinkhorn_divergence or energy_distance"


@dataclass(frozen=True, eq=False)
class PartialDistance(Distance):
    """What `partial_transport` found.

    Attributes:
        plan: ``(n, m)``, float64 on the CPU; entry ``ij`` is the mass that goes from ``x_i`` to ``y_j``.
        mass: what moves in all, of 1.
    """

    plan: Tensor = field(default_factory=lambda: torch.empty(0, 0), repr=False)
    mass: float = 1.0


def partial_transport(
    x: Samples,
    y: Samples,
    *,
    mass: float,
    p: float = 1.0,
    weights: Weights | None = None,
    metric: Metric = "euclidean",
) -> PartialDistance:
    """The cheapest way to move a share `mass` of the samples: ``(min_π Σ_ij π_ij d(x_i, y_j)^p)^(1/p)``.

    Over plans π of at least 0 whose rows sum to at most a, whose columns sum to at most b, and that sum to `mass`. What
    is farthest from the other side stays out: outliers, or parts that the other side has not. With ``mass=1`` it is
    `exact_wp`. It is no metric: 0 where the two share that much mass.

    One point is added to each side that takes up what does not move, at no cost (Chapel, Alaya and Gasso, "Partial
    optimal transport with applications on positive-unlabeled learning", 2020), and the larger problem is solved and
    proved as in `exact_wp`, at the same cost. Its gradient is not offered.

    Args:
        x: samples ``(n, ...)``, a tensor on any device, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size.
        mass: above 0, at most 1.
        p: at least 1.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        metric: as in `exact_wp`.

    Raises:
        ValueError: samples, weights or settings are unfit, something requires a gradient, or the cost matrix exceeds
            `COST_LIMIT`.
        WganxError: as in `exact_wp`.
    """
    started = time.perf_counter()
    check_exponent(p)
    check_metric(metric)
    if not 0 < mass <= 1:
        raise ValueError(f"mass must be above 0 and at most 1, got {mass:g}")
    refuse_gradient("partial_transport", x, y, weights, instead=WITH_GRADIENT)
    x, y = as_points(as_tensor(x).cpu(), as_tensor(y).cpu(), torch.float64)
    a, b = as_weights(weights, x, y) or (uniform(x), uniform(y))
    between, unit = all_distances(x, y, metric)
    larger = between.new_zeros(len(x) + 1, len(y) + 1)
    larger[:-1, :-1] = between
    # Mass from the one to the other would be mass that has to move and does not.
    larger[-1, -1] = 2 * float(between.max()) or 1.0
    rest, whole = between.new_full((1,), 1 - mass), 2 - mass
    found = solve(larger, p, torch.cat([a, rest]) / whole, torch.cat([b, rest]) / whole)
    plan = found.plan[:-1, :-1] * whole
    return PartialDistance(
        unit * found.value * whole ** (1 / p), (len(x), len(y)), x.shape[1], time.perf_counter() - started,
        plan=plan, mass=float(plan.sum()),
    )  # fmt: skip

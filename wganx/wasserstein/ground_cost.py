"""The ground cost: what it takes to move one unit of mass from a sample to another."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Metric = str | Callable[[Tensor, Tensor], Tensor]
"""A name in `NORMS`, or a function ``(x (n, d), y (m, d)) -> (n, m)`` of distances."""

NORMS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": math.inf}
"""The metrics by name, each with its exponent. On the line all three are ``|x - y|``."""

COST_LIMIT = 2 * 2**30
"""The largest cost matrix, in bytes, that exact transport takes on; plan and solver take some four times that."""


def distances(x: Tensor, y: Tensor, metric: Metric = "euclidean") -> Tensor:
    """Distances between all points of ``x (n, d)`` and ``y (m, d)``: ``(n, m)``. ``O(nmd)`` time.

    Raises:
        ValueError: the metric is unknown, or it did not return finite, non-negative distances of that shape.
    """
    if isinstance(metric, str):
        if metric not in NORMS:
            raise ValueError(f"unknown metric {metric!r}: one of {', '.join(NORMS)}, or a function (x, y) -> (n, m)")
        # The matrix-product route of cdist loses half the digits where two points nearly coincide.
        return torch.cdist(x, y, p=NORMS[metric], compute_mode="donot_use_mm_for_euclid_dist")
    found = torch.as_tensor(metric(x, y)).detach().to(x)
    if found.shape != (len(x), len(y)):
        raise ValueError(f"the metric must return shape ({len(x)}, {len(y)}), got {tuple(found.shape)}")
    if not bool(torch.isfinite(found).all()) or bool((found < 0).any()):
        raise ValueError("the metric must return finite distances of at least 0")
    return found


def ground_cost(x: Tensor, y: Tensor, p: float, metric: Metric = "euclidean") -> Tensor:
    """The whole matrix ``c_ij = d(x_i, y_j)^p``, ``(n, m)``, refused where it would not fit.

    Raises:
        ValueError: the matrix exceeds `COST_LIMIT`, or a cost overflows, or as in `distances`.
    """
    n, m = len(x), len(y)
    if n * m * 8 > COST_LIMIT:
        raise ValueError(
            f"exact transport between n={n} and m={m} samples needs a cost matrix of {n * m * 8 / 2**30:.1f} GiB, "
            f"more than {COST_LIMIT / 2**30:.1f} GiB: take fewer samples, sliced_w1 or sinkhorn_divergence"
        )
    cost = distances(x, y, metric)
    cost = cost if p == 1 else cost.pow(p)
    if not bool(torch.isfinite(cost).all()):
        raise ValueError(f"a distance to the power p={p:g} overflows: scale the samples down")
    return cost


def check_exponent(p: float) -> None:
    """Refuse an exponent for which Wp is no distance."""
    if not 1 <= p < math.inf:
        raise ValueError(f"p must be finite and at least 1, got {p:g}")

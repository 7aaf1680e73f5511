"""The ground cost: what it takes to move one unit of mass from a sample to another."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from wganx.wasserstein.samples import as_tensor, scaled, unit_of

Metric = str | Callable[[Tensor, Tensor], Tensor]
"""A name in `NORMS`, or a function ``(x (n, d), y (m, d)) -> (n, m)`` of distances."""

NORMS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": math.inf}
"""The metrics by name, each with its exponent. On the line all three are ``|x - y|``."""

COST_LIMIT = 2 * 2**30
"""The largest cost matrix, in bytes, that exact transport takes on; plan and solver take some six times that."""

HIGH_POWER = 4.0
"""Above this exponent lengths are divided by the largest of them, below by a power of two, which loses no digit."""


def distances(x: Tensor, y: Tensor, metric: Metric = "euclidean") -> Tensor:
    """Distances between all points of ``x (n, d)`` and ``y (m, d)``: ``(n, m)``. ``O(nmd)`` time.

    Raises:
        ValueError: the metric is unknown, or it did not return finite, non-negative distances of that shape.
    """
    if isinstance(metric, str):
        check_metric(metric)
        # The matrix-product route of cdist loses half the digits where two points nearly coincide.
        return torch.cdist(x, y, p=NORMS[metric], compute_mode="donot_use_mm_for_euclid_dist")
    found = as_tensor(metric(x, y), "the metric's distances").to(x)
    if found.shape != (len(x), len(y)):
        raise ValueError(f"the metric must return shape ({len(x)}, {len(y)}), got {tuple(found.shape)}")
    if not bool(torch.isfinite(found).all()) or bool((found < 0).any()):
        raise ValueError("the metric must return finite distances of at least 0")
    return found


def all_distances(x: Tensor, y: Tensor, metric: Metric = "euclidean") -> tuple[Tensor, float]:
    """The whole matrix of distances ``(n, m)``, and the unit it is in; refused where it would not fit.

    A metric by name scales with the samples, so the unit keeps its squares within range; a function is asked as it is.

    Raises:
        ValueError: the matrix exceeds `COST_LIMIT`, or as in `distances`.
    """
    n, m = len(x), len(y)
    if n * m * 8 > COST_LIMIT:
        raise ValueError(
            f"exact transport between n={n} and m={m} samples needs a cost matrix of {n * m * 8 / 2**30:.1f} GiB, "
            f"more than {COST_LIMIT / 2**30:.1f} GiB: take fewer samples, sliced_w1 or sinkhorn_divergence"
        )
    unit = 1.0
    if isinstance(metric, str):
        x, y, unit = scaled(x, y)
    return distances(x, y, metric), unit


def ground_cost(between: Tensor, p: float) -> Tensor:
    """``c_ij = d_ij^p`` for distances ``(n, m)``.

    Raises:
        ValueError: a cost is too large or too small for a number.
    """
    cost = between if p == 1 else between.pow(p)
    if not bool(torch.isfinite(cost).all()):
        raise ValueError(f"a distance to the power p={p:g} overflows: scale the samples down")
    if float(between.max()) > 0 and float(cost.max()) < torch.finfo(cost.dtype).tiny:
        raise ValueError(f"every distance to the power p={p:g} vanishes: scale the samples up")
    return cost


def mean_power(lengths: Tensor, masses: Tensor, p: float) -> float:
    """``(Σ_k m_k l_k^p)^(1/p)`` for lengths of at least 0 and masses that add up to 1; no power leaves the range."""
    lengths, masses = lengths[masses > 0], masses[masses > 0]
    largest = float(lengths.max())
    if p == 1 or largest == 0:
        return float((masses * lengths).sum())
    unit = largest if p > HIGH_POWER else unit_of(largest)
    mean = float((masses * (lengths / unit).pow(p)).sum())
    return unit * math.pow(mean, 1 / p)


def check_exponent(p: float) -> None:
    """Refuse an exponent for which Wp is no distance."""
    if not 1 <= p < math.inf:
        raise ValueError(f"p must be finite and at least 1, got {p:g}")


def check_metric(metric: Metric) -> None:
    """Refuse a name that no metric has."""
    if isinstance(metric, str) and metric not in NORMS:
        raise ValueError(f"unknown metric {metric!r}: one of {', '.join(NORMS)}, or a function (x, y) -> (n, m)")

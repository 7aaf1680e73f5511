"""The ground cost: what it takes to move one unit of mass from a sample to another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.samples import as_tensor, asks_gradient, scaled, unit_of

Metric = str | Callable[[Tensor, Tensor], Tensor]
"""A name in `METRICS`, or a function ``(x (n, d), y (m, d)) -> (n, m)`` of distances."""

NORMS = {"euclidean": 2.0, "cityblock": 1.0, "chebyshev": math.inf}
"""The metrics by name that are norms of the difference, each with its exponent. On the line all are ``|x - y|``."""

METRICS = (*NORMS, "sqeuclidean", "cosine")
"""All names: beside the norms ``‖x - y‖²`` and ``1 - cos(x, y)``, costs that break the triangle inequality."""

COST_LIMIT = 2 * 2**30
"""The largest cost matrix, in bytes, that exact transport takes on; plan and solver take some six times that."""

HIGH_POWER = 4.0
"""Above this exponent lengths are divided by the largest of them, below by a power of two, which loses no digit."""


def distances(x: Tensor, y: Tensor, metric: Metric = "euclidean") -> Tensor:
    """Distances between all points of ``x (n, d)`` and ``y (m, d)``: ``(n, m)``. ``O(nmd)`` time.

    With the graph of both, where they have one.

    Raises:
        ValueError: the metric is unknown, or it did not return finite, non-negative distances of that shape; a
            sample without direction for the cosine; a gradient that a function as metric does not pass on.
    """
    if isinstance(metric, str):
        check_metric(metric)
        if metric == "cosine":
            x, y = (_directions(side, which) for side, which in ((x, "first"), (y, "second")))
        # The matrix-product route of cdist loses half the digits where two points nearly coincide.
        found = torch.cdist(x, y, p=NORMS.get(metric, 2.0), compute_mode="donot_use_mm_for_euclid_dist")
        return found if metric in NORMS else _of_euclidean(found, metric)
    found = as_tensor(metric(x, y), "the metric's distances", graph=True).to(x)
    if found.shape != (len(x), len(y)):
        raise ValueError(f"the metric must return shape ({len(x)}, {len(y)}), got {tuple(found.shape)}")
    if not bool(torch.isfinite(found).all()) or bool((found < 0).any()):
        raise ValueError("the metric must return finite distances of at least 0")
    if asks_gradient(x, y) and not found.requires_grad:
        raise ValueError(
            "the metric's distances carry no gradient, which the samples require: compute them in functions of torch "
            "that have one, or pass x.detach()"
        )
    return found


def distances_along(x: Tensor, y: Tensor, metric: str) -> Tensor:
    """Distances between the k-th points of ``x (k, d)`` and ``y (k, d)``: ``(k,)``, with every derivative."""
    if metric == "cosine":
        x, y = _directions(x, "first"), _directions(y, "second")
    lengths: Tensor = torch.linalg.vector_norm(x - y, NORMS.get(metric, 2.0), dim=1)
    return lengths if metric in NORMS else _of_euclidean(lengths, metric)


def _of_euclidean(lengths: Tensor, metric: str) -> Tensor:
    # Half the square between unit vectors is 1 - cos, without the digits that the difference would lose.
    return lengths.square() if metric == "sqeuclidean" else lengths.square() / 2


def _directions(side: Tensor, which: str) -> Tensor:
    largest = side.detach().abs().amax(1, keepdim=True)
    if count := int((largest == 0).sum()):
        raise ValueError(f"the cosine needs directions: {count} of the {which} samples are all 0; leave those out")
    side = side / largest  # no square of a long or short sample leaves the range
    unit: Tensor = side / torch.linalg.vector_norm(side, dim=1, keepdim=True)
    return unit


def all_distances(x: Tensor, y: Tensor, metric: Metric = "euclidean") -> tuple[Tensor, float]:
    """The whole matrix of distances ``(n, m)``, and the unit it is in; refused where it would not fit.

    A metric by name scales with the samples, so the unit keeps its squares within range; a function is asked as it is.

    Raises:
        ValueError: the matrix exceeds `COST_LIMIT`, or as in `distances`.
    """
    check_size(len(x), len(y))
    if not isinstance(metric, str):
        return distances(x, y, metric), 1.0
    x, y, unit = _in_unit(x, y, metric)
    return distances(x, y, metric), unit


@dataclass(frozen=True)
class Ground:
    """How far it is from each sample of one side to each of the other.

    Attributes:
        between: all distances ``(n, m)``, without a graph.
        unit: what they are in.
        graph: whether they have a gradient.
        used: for a plan ``(n, m)`` the masses that are moved and how far, ``(k,)`` each, the latter with the graph.
    """

    between: Tensor
    unit: float
    graph: bool
    used: Callable[[Tensor], tuple[Tensor, Tensor]]

    def in_own_units(self) -> Ground:
        """The same with the unit 1."""

        def used(plan: Tensor) -> tuple[Tensor, Tensor]:
            masses, lengths = self.used(plan)
            return masses, lengths * self.unit

        return Ground(self.between * self.unit, 1.0, self.graph, used)


def between_samples(x: Tensor, y: Tensor, metric: Metric) -> Ground:
    """The ways between samples ``x (n, d)`` and ``y (m, d)``; errors as in `all_distances`."""
    if not isinstance(metric, str):
        return of_costs(all_distances(x, y, metric)[0])
    between, unit = all_distances(x.detach(), y.detach(), metric)

    def used(plan: Tensor) -> tuple[Tensor, Tensor]:
        # Computed again for the few pairs in use. Those that coincide have no direction to move apart in: gradient 0.
        rows, columns = ((plan > 0) & (between > 0)).nonzero(as_tuple=True)
        one, other, _ = _in_unit(x, y, metric)
        return plan[rows, columns], distances_along(one[rows], other[columns], metric)

    return Ground(between, unit, x.requires_grad or y.requires_grad, used)


def of_costs(costs: Tensor) -> Ground:
    """The ways of a matrix ``(n, m)`` that is given."""

    def used(plan: Tensor) -> tuple[Tensor, Tensor]:
        pairs = plan.nonzero(as_tuple=True)
        return plan[pairs], costs[pairs]

    return Ground(costs.detach(), 1.0, costs.requires_grad, used)


def _in_unit(x: Tensor, y: Tensor, metric: str) -> tuple[Tensor, Tensor, float]:
    """Both sides so scaled that no square leaves the range, and the distance that is then 1.

    Raises:
        ValueError: the square of the scale is too large or too small for a number.
    """
    if metric == "cosine":  # which knows no scale, and takes each sample for itself
        return x, y, 1.0
    x, y, unit = scaled(x, y)
    if metric == "sqeuclidean":
        if not 2.0**-511 <= unit <= 2.0**511:
            raise ValueError(f"squared distances of samples of size {unit:.0e} leave the range of numbers: scale them")
        unit *= unit
    return x, y, unit


def check_size(n: int, m: int) -> None:
    """Refuse a cost matrix ``(n, m)`` that would not fit."""
    if n * m * 8 > COST_LIMIT:
        raise ValueError(
            f"exact transport between n={n} and m={m} samples needs a cost matrix of {n * m * 8 / 2**30:.1f} GiB, "
            f"more than {COST_LIMIT / 2**30:.1f} GiB: take fewer samples, sliced_w1 or sinkhorn_divergence"
        )


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
    """``(Σ_k m_k l_k^p)^(1/p)`` for lengths of at least 0 and masses that add up to 1; no power leaves the range.

    Both on the CPU and without a graph.
    """
    some = (masses > 0).numpy()
    if not some.all():  # by numpy, which chooses three times as fast
        lengths, masses = (torch.from_numpy(given.numpy()[some]) for given in (lengths, masses))
    largest = 0.0 if p == 1 else float(lengths.max())
    if largest == 0:
        return float((masses * lengths).sum())
    unit = largest if p > HIGH_POWER else unit_of(largest)
    mean = float((masses * (lengths / unit).pow(p)).sum())
    return unit * math.pow(mean, 1 / p)


def root(mean: Tensor, p: float) -> Tensor:
    """``mean^(1/p)`` of a number of at least 0; where that is 0 the derivative is 0, too, and not infinite."""
    if p == 1:
        return mean
    positive = mean > 0
    return mean.where(positive, 1.0).pow(1 / p).where(positive, 0.0)


def with_value(tensor: Tensor, value: float) -> Tensor:
    """`tensor`, which was rounded otherwise on its way, as exactly `value`, with its graph."""
    return tensor + (value - tensor.detach())


def check_exponent(p: float) -> None:
    """Refuse an exponent for which Wp is no distance."""
    if not 1 <= p < math.inf:
        raise ValueError(f"p must be finite and at least 1, got {p:g}")


def check_metric(metric: Metric) -> None:
    """Refuse a name that no metric has."""
    if isinstance(metric, str) and metric not in METRICS:
        raise ValueError(f"unknown metric {metric!r}: one of {', '.join(METRICS)}, or a function (x, y) -> (n, m)")

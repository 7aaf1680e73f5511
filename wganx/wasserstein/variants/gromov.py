"""Gromov-Wasserstein: between sets of samples that do not lie in one space."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import COST_LIMIT, Metric, all_distances, check_metric, distances
from wganx.wasserstein.numbers import Number
from wganx.wasserstein.samples import Samples, Weights, as_points, as_tensor, as_weights, refuse_gradient, uniform
from wganx.wasserstein.transport import exact_wp
from wganx.wasserstein.variants.partial import WITH_GRADIENT

LEVELS = 64
"""Quantiles by which the distances from one sample are compared with those from another."""


@dataclass(frozen=True, eq=False)
class GromovDistance(Number):
    """What `gromov_wasserstein` found; a `Number`.

    Attributes:
        value: of the plan, an upper bound of the distance.
        lower: a lower bound of the distance.
        plan: ``(n, m)``, float64 on the CPU; entry ``ij`` is the mass that goes from ``x_i`` to ``y_j``.
        n: samples on either side.
        dims: values a sample on either side.
        seconds: what it took.
    """

    value: float
    lower: float
    n: tuple[int, int]
    dims: tuple[int, int]
    seconds: float
    plan: Tensor = field(default_factory=lambda: torch.empty(0, 0), repr=False)


def gromov_wasserstein(
    x: Samples, y: Samples, *, weights: Weights | None = None, metric: Metric = "euclidean"
) -> GromovDistance:
    """Gromov-Wasserstein distance: how far the distances within x and within y can be made to agree.

    ``GW = (min_π Σ_ijkl (d(x_i, x_k) - d(y_j, y_l))² π_ij π_kl)^½`` over couplings π of the weights. x and y may have
    different dimensions, as only distances within each count; rotations, shifts and reflections make no difference. 0
    exactly between isometric sets (Memoli, "Gromov-Wasserstein distances and the metric approach to object matching",
    2011, whose distance is half of this one).

    The problem is not convex. POT's conditional gradient finds a plan that no small step improves, begun from the
    independent coupling and from the plan that pairs samples whose distances to their own set are distributed alike;
    the better one counts. `lower` says how much better any plan could be: W2 between all distances within x and all
    within y. A round takes ``n² m + n m²``, memory is that of three matrices, on the CPU in float64. No gradient.

    Args:
        x: samples ``(n, ...)``, a tensor on any device, an array or a list; or their distances ``(n, n)``.
        y: samples ``(m, ...)`` of any size; or their distances ``(m, m)``.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        metric: as in `exact_wp`, or ``"precomputed"`` where x and y are distances.

    Raises:
        ValueError: samples, weights or the metric are unfit, something requires a gradient, or a matrix exceeds
            `COST_LIMIT`.
    """
    import ot

    started = time.perf_counter()
    if metric != "precomputed":
        check_metric(metric)
    refuse_gradient("gromov_wasserstein", x, y, weights, instead=WITH_GRADIENT)
    x, y = (as_points(side, side, torch.float64)[0] for side in (as_tensor(x).cpu(), as_tensor(y).cpu()))
    a, b = as_weights(weights, x, y) or (uniform(x), uniform(y))
    one, other = _within(x, metric), _within(y, metric)
    unit = max(float(one.max()), float(other.max())) or 1.0
    one, other = one / unit, other / unit
    starts = [a[:, None] * b, _alike(one, other, a, b)]
    plans = [
        torch.from_numpy(
            np.asarray(
                ot.gromov.gromov_wasserstein(
                    one.numpy(), other.numpy(), a.numpy(), b.numpy(), "square_loss", symmetric=True, G0=start.numpy()
                )
            )
        )
        for start in starts
    ]
    values = [_value(plan, one, other) for plan in plans]
    value = min(values)
    lower = exact_wp(one.reshape(-1), other.reshape(-1), weights=(_square(a), _square(b))).value
    return GromovDistance(
        unit * value, unit * min(lower, value), (len(x), len(y)), (x.shape[1], y.shape[1]),
        time.perf_counter() - started, plan=plans[values.index(value)],
    )  # fmt: skip


def _within(side: Tensor, metric: Metric) -> Tensor:
    n = len(side)
    if n * n * 8 > COST_LIMIT:
        raise ValueError(
            f"the distances within {n} samples take {n * n * 8 / 2**30:.1f} GiB, more than {COST_LIMIT / 2**30:.1f} "
            "GiB: take fewer samples"
        )
    if metric != "precomputed":
        between, unit = all_distances(side, side, metric)
        return between * unit
    if side.shape != (n, n) or bool((side < 0).any()) or bool((side - side.T).abs().max() > 1e-9 * side.abs().max()):
        raise ValueError(
            f"distances within a set are a symmetric matrix (n, n) of at least 0, got shape {tuple(side.shape)}"
        )
    return side


def _alike(one: Tensor, other: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """The plan that pairs samples from which the others are seen at like distances."""
    import ot

    costs = distances(_quantiles(one, a), _quantiles(other, b)).square()
    plan: Tensor = torch.from_numpy(ot.emd(a.numpy(), b.numpy(), costs.numpy(), numItermax=10_000_000))
    return plan


def _quantiles(within: Tensor, mass: Tensor) -> Tensor:
    """Of the distances from each sample, ``(n, LEVELS)``."""
    ordered, order = within.sort(dim=1)
    below = mass[order].cumsum(dim=1)
    levels = ((torch.arange(LEVELS, dtype=within.dtype) + 0.5) / LEVELS).expand(len(within), -1).contiguous()
    return ordered.gather(1, torch.searchsorted(below, levels).clamp(max=len(mass) - 1))


def _value(plan: Tensor, one: Tensor, other: Tensor) -> float:
    """The root of the cost of a plan."""
    rows, columns = plan.nonzero(as_tuple=True)
    if len(rows) <= 4 * sum(plan.shape):
        # Pair by pair nothing cancels.
        moved = plan[rows, columns]
        off = one[rows[:, None], rows] - other[columns[:, None], columns]
        return math.sqrt(float(moved @ off.square() @ moved))
    from_, to = plan.sum(1), plan.sum(0)
    cost = from_ @ one.square() @ from_ + to @ other.square() @ to - 2 * (one @ plan * (plan @ other)).sum()
    return math.sqrt(max(float(cost), 0.0))


def _square(mass: Tensor) -> Tensor:
    return (mass[:, None] * mass).reshape(-1)

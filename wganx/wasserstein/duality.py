"""Kantorovich duality between samples, solved exactly: potentials, c-transforms, certificates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wganx.errors import WganxError
from wganx.wasserstein.ground_cost import METRICS, NORMS, Metric, all_distances, distances
from wganx.wasserstein.samples import Samples, Weights, as_points, as_tensor, as_weights, refuse_gradient, uniform
from wganx.wasserstein.simplex import OPEN, solve
from wganx.wasserstein.transport import Transport

TIGHT = 1e-9
"""The share of W1 by which the program may miss it before another potential is taken."""

SHARED = 1e-15
"""A point whose masses on both sides differ by no more has the same on both."""

POINTS_LIMIT = 500
"""The most distinct points whose potential `kantorovich_rubinstein` solves for: the program has a row for each pair."""


@dataclass(frozen=True, eq=False)
class LipschitzPotential:
    """A 1-Lipschitz potential that attains W1: a critic that could not be better on these samples.

    Called with samples ``(k, ...)`` it scores them, ``(k,)``: ``f(z) = min_i f_i + d(z, z_i)``, the largest 1-Lipschitz
    function that agrees with `potential` on `points` (McShane, "Extension of Range of Functions", 1934); with the
    gradient of the samples.

    Attributes:
        value: ``Σ a_i f(x_i) - Σ b_j f(y_j)``, which is W1.
        points: the distinct samples of both sets ``(N, d)``, float64 on the CPU.
        potential: ``f`` at `points`, ``(N,)``; its least value is 0.
        slope: the largest ``|f_k - f_l| / d(z_k, z_l)``; at most 1, up to rounding.
        metric: the distance ``d``.
    """

    value: float
    points: Tensor
    potential: Tensor
    slope: float
    metric: Metric

    def __float__(self) -> float:
        return self.value

    def __call__(self, samples: Samples) -> Tensor:
        samples, points = as_points(as_tensor(samples, graph=True).cpu(), self.points, torch.float64, graph=True)
        return c_transform(-self.potential, distances(samples, points, self.metric))


@dataclass(frozen=True)
class DualCertificate:
    """What proves a plan and a pair of potentials optimal: `gap` and `violation` are zero, up to rounding.

    Attributes:
        primal: cost of the plan.
        dual: value of the potentials ``Σ a_i u_i + Σ b_j v_j``; never above `primal` where `violation` is 0.
        gap: ``primal - dual``.
        violation: by how much ``u_i + v_j <= c_ij`` is broken at worst; 0 where it holds.
    """

    primal: float
    dual: float
    gap: float
    violation: float


def c_transform(potential: Samples, ground_cost: Samples) -> Tensor:
    """``u_i = min_j c_ij - v_j``: the largest ``u (n,)`` with ``u_i + v_j <= c_ij`` for the potential ``v (m,)``.

    `ground_cost` is ``(n, m)``; transpose it for the other side. Transforming thrice is transforming once. Where the
    cost is a metric, ``u`` is 1-Lipschitz and the transform of ``-f`` is ``f`` for 1-Lipschitz ``f``: the step from
    Kantorovich's dual to that of Kantorovich and Rubinstein (Villani, "Topics in Optimal Transportation", 2003, chapter
    1). Differentiable, on any device. ``O(n m)``.

    Raises:
        ValueError: the shapes do not fit, or a value is no real number.
    """
    potential, ground_cost = (_numbers(given) for given in (potential, ground_cost))
    if potential.ndim != 1 or ground_cost.ndim != 2 or ground_cost.shape[1] != len(potential):
        raise ValueError(
            f"a potential (m,) needs a cost (n, m), got {tuple(potential.shape)} and {tuple(ground_cost.shape)}"
        )
    return (ground_cost - potential).amin(1)


def dual_certificate(solution: Transport | tuple[Samples, Samples, Samples, Samples, Samples]) -> DualCertificate:
    """Whether potentials prove a cost optimal.

    Args:
        solution: a `Transport`; or ``(u (n,), v (m,), cost (n, m), a (n,), b (m,))``, potentials from anywhere, for
            which the primal is solved here by the network simplex.

    Raises:
        ValueError: the five tensors do not fit each other, or ``a`` and ``b`` do not sum to 1.
    """
    if isinstance(solution, Transport):
        plan, cost = solution.plan, solution.ground_cost
        (u, v), (a, b) = solution.potentials, solution.weights
    else:
        refuse_gradient("dual_certificate", *solution, instead="optimal_transport")
        u, v, cost, a, b = (as_tensor(values, "a certificate's values").double().cpu() for values in solution)
        if cost.ndim != 2 or u.shape != a.shape or v.shape != b.shape or cost.shape != (*u.shape, *v.shape):
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (u, v, cost, a, b))
            raise ValueError(f"a certificate needs (n,), (m,), (n, m), (n,), (m,); got {shapes}")
        a, b = as_weights((a, b), u[:, None], v[:, None]) or (a, b)
        # A cost may be negative; what every way from a row costs at least does not change which plan is best.
        plan = solve(cost - cost.amin(1, keepdim=True), 1.0, a, b).plan
    primal, dual = float((plan * cost).sum()), float(a @ u + b @ v)
    return DualCertificate(primal, dual, primal - dual, max(0.0, float((u[:, None] + v - cost).max())))


def kantorovich_rubinstein(
    x: Samples, y: Samples, *, weights: Weights | None = None, metric: Metric = "euclidean"
) -> LipschitzPotential:
    """W1 from its dual: the best 1-Lipschitz potential on the union of two sets of samples.

    ``max_f Σ a_i f(x_i) - Σ b_j f(y_j)`` subject to ``f_k - f_l <= d(z_k, z_l)`` for all pairs of points, a linear
    program (scipy's HiGHS) with a row for each of ``N (N - 1)`` ordered pairs of distinct points. Equals `exact_w1`, by
    the duality of Kantorovich and Rubinstein ("On a space of totally additive functions", 1958). Made to look at, not
    for size: `exact_w1` gives the value of far larger sets.

    Args:
        x: samples ``(n, ...)``, a tensor on any device, an array or a list; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size.
        weights: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        metric: as in `exact_wp`; must satisfy the triangle inequality.

    Raises:
        ValueError: samples or weights are unfit, the metric is none, or there are more than `POINTS_LIMIT` points.
        WganxError: the program was not solved, or no potential found attains W1 to a share of 1e-6.
    """
    refuse_gradient("kantorovich_rubinstein", x, y, weights, instead="exact_w1")
    if isinstance(metric, str) and metric in METRICS and metric not in NORMS:
        raise _no_metric(f"{metric!r} breaks the triangle inequality")
    x, y = as_points(as_tensor(x).cpu(), as_tensor(y).cpu(), torch.float64)
    a, b = as_weights(weights, x, y) or (uniform(x), uniform(y))
    points, index = torch.unique(torch.cat([x, y]), dim=0, return_inverse=True)
    count = len(points)
    if count > POINTS_LIMIT:
        raise ValueError(
            f"the dual program over n={len(x)} and m={len(y)} samples has {count} points, more than {POINTS_LIMIT}: "
            "take fewer samples, or exact_w1 for the value and optimal_transport for potentials"
        )
    mass = torch.zeros(count, dtype=torch.float64).index_add_(0, index, torch.cat([a, -b]))
    between, unit = all_distances(points, points, metric)
    if callable(metric):
        _refuse_no_metric(between)
    # What both sides share stays where it is; however far off it lies, it has no say in what the others do.
    moved = (mass.abs() > SHARED).nonzero()[:, 0]
    if len(moved):
        potential = c_transform(-_attaining(mass[moved], between[moved][:, moved]), between[:, moved])
    else:
        potential = torch.zeros(count, dtype=torch.float64)
    potential = potential - potential.min()
    rise = (potential[:, None] - potential).abs()
    apart = between > 0
    slope = float((rise[apart] / between[apart]).max()) if apart.any() else 0.0
    return LipschitzPotential(unit * float(mass @ potential), points, unit * potential, slope, metric)


def _attaining(mass: Tensor, between: Tensor) -> Tensor:
    """A 1-Lipschitz potential at points of positive and negative mass that attains their W1: ``(N,)``."""
    up, down = mass > 0, mass < 0
    total = float(mass[up].sum())
    primal = solve(between[up][:, down], 1.0, mass[up] / total, -mass[down] / total)
    value = total * primal.value
    # Rounding may leave a slope a little above 1 between close points; the transform of a function on all points is
    # 1-Lipschitz, and is the function itself where that was.
    potential = c_transform(-_solve(mass, between), between)
    if abs(float(mass @ potential) - value) > TIGHT * value:
        # The tolerances of the program are shares of the largest distance, which a far point may have made useless.
        # The potential of the simplex, which has proved the value, is 1-Lipschitz once it is transformed.
        potential = c_transform(primal.potential * primal.unit, between[:, down])
        if abs(float(mass @ potential) - value) > OPEN * value:
            raise WganxError("no potential attains W1, as the distances differ too far in size; leave out far samples")
    return potential


def _solve(mass: Tensor, between: Tensor) -> Tensor:
    from scipy.optimize import linprog
    from scipy.sparse import coo_array

    count, scale = len(mass), float(between.max()) or 1.0
    up, down = np.nonzero(~np.eye(count, dtype=bool))
    rows = np.arange(len(up))
    differences = coo_array(
        (np.repeat([1.0, -1.0], len(up)), (np.concatenate([rows, rows]), np.concatenate([up, down]))),
        shape=(len(up), count),
    ).tocsr()
    bounds = [(0.0, 0.0), *[(None, None)] * (count - 1)]  # a constant changes nothing: pin it at the first point
    found = linprog(
        -mass.numpy(), A_ub=differences, b_ub=(between / scale).numpy()[up, down], bounds=bounds, method="highs"
    )
    if found.x is None:
        raise WganxError(f"the dual program was not solved: {found.message}")
    return torch.from_numpy(found.x) * scale


def _refuse_no_metric(between: Tensor) -> None:
    slack = 1e-9 * float(between.max())  # what rounding may break
    symmetric = bool(((between - between.T).abs() <= slack).all())
    triangle = all(bool((between <= row[:, None] + row + slack).all()) for row in between)
    if not (symmetric and triangle and bool((between.diagonal() <= slack).all())):
        raise _no_metric("this function breaks d(x, x) = 0, symmetry or the triangle inequality")


def _no_metric(why: str) -> ValueError:
    return ValueError(f"Kantorovich-Rubinstein duality needs a metric; {why}. For other costs take optimal_transport")


def _numbers(given: Samples) -> Tensor:
    """As a tensor, with its graph where it has one."""
    numbers = as_tensor(given, "potentials and costs")
    return given if isinstance(given, Tensor) else numbers

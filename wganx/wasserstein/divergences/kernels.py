"""Distances of means: of a kernel's features (MMD), of distances themselves (energy). They know near from far."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from wganx.wasserstein.divergences.distributions import (
    Distribution,
    Divergence,
    Gaussian,
    Histogram,
    folded_normal,
    known,
    mixed,
    rows,
    same_space,
)
from wganx.wasserstein.divergences.pairs import LENGTH, Kernel, Pairs, gaussian, laplacian, mean_of
from wganx.wasserstein.samples import Samples, Weights, as_weights, asks_gradient

DRAWS = 100_000
"""Draws of a Monte Carlo value."""

KERNELS: dict[str, Callable[[float], Kernel]] = {"gaussian": gaussian, "laplacian": laplacian}
"""What `mmd` knows by name."""


def mmd(
    p: Distribution,
    q: Distribution,
    *,
    kernel: str = "gaussian",
    bandwidth: float | Sequence[float] | None = None,
    weights: Weights | None = None,
    unbiased: bool = True,
    batch: int = 1024,
) -> Divergence:
    r"""Squared maximum mean discrepancy :math:`E\,k(X, X') + E\,k(Y, Y') - 2 E\,k(X, Y)` of a kernel.

    :math:`k(x, y) = \exp(-\|x - y\|^2 / (2 s^2))` (Gaussian) or :math:`\exp(-\|x - y\| / s)` (Laplacian), both with the
    Euclidean norm, so the value lies from 0 to 2; its root is a metric (Gretton et al., "A kernel two-sample test",
    2012). Several bandwidths s: the mean of their kernels, which sees differences of several sizes (Li, Swersky and
    Zemel, "Generative moment matching networks", 2015). Histograms: the sum over their points. Gaussians, for a
    Gaussian kernel: closed form, :math:`E\,k(X, Y) = s^d \det(C)^{-1/2} \exp(-\tfrac12 m^T C^{-1} m)` with
    :math:`C = s^2 I + S_p + S_q` and m the difference of the means. Samples: the U-statistic, without bias and
    therefore sometimes below 0,

    .. math:: \frac{\sum_{i \ne j} a_i a_j k(x_i, x_j)}{1 - \sum_i a_i^2} + \frac{\sum_{i \ne j} b_i b_j k(y_i, y_j)}
        {1 - \sum_j b_j^2} - 2 \sum_{ij} a_i b_j k(x_i, y_j)

    with weights of sum 1; equal ones make the usual :math:`1 / (n (n - 1))` of the first fraction. It is without bias
    where the weights do not depend on the samples.

    Where samples or weights require a gradient the result's `tensor` has it, twice differentiable, and 0 between rows
    that coincide, where the norm of the Laplacian kernel has a kink.

    Args:
        p, q: two `Histogram`, two `Gaussian`, or two sets of samples ``(n, ...)``.
        kernel: ``"gaussian"`` or ``"laplacian"``.
        bandwidth: s, above 0, or several. By default `median_distance` for samples, and for the others the root mean
            square distance of two points of their even mixture. Values of different bandwidths cannot be compared.
        weights: for samples: ``(a (n,), b (m,))``, each non-negative and summing to 1; equal ones if None.
        unbiased: for samples: leave out the pairs of a row with itself (at least 2 rows a side). With them the value
            is that of the two empirical distributions, never below 0, and larger for smaller sets.
        batch: rows at a time: n x m kernel values are computed, ``batch x (n + m)`` are held, with gradients as well.

    Raises:
        ValueError: sides of different kinds or dimension, too few samples, unfit weights, an unknown kernel, a
            bandwidth that is not above 0, or none where a gradient is required: the default changes with the samples.
    """
    if kernel not in KERNELS:
        raise ValueError(f"unknown kernel {kernel!r}: one of {', '.join(KERNELS)}")
    widths = _widths(bandwidth)
    p, q = known(p), known(q)
    if weights is not None and not isinstance(p, Tensor):
        raise ValueError(f"weights are for samples; a {type(p).__name__} has its own")
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        widths = widths or [_usable(_spread(_moments(p), _moments(q)))]
        value = _of_histograms(p, q, _named(kernel, widths))
        return Divergence(max(value, 0.0), None, f"exact sum, {_described(kernel, widths)}")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        if kernel != "gaussian":
            raise ValueError(f"a {kernel} kernel of Gaussians has no closed form; compare Gaussian.sample(n)")
        p, q = same_space(p, q)
        widths = widths or [_usable(_spread((p.mean, p.covariance.trace()), (q.mean, q.covariance.trace())))]
        values = [_mean_kernel(p, p, s) + _mean_kernel(q, q, s) - 2 * _mean_kernel(p, q, s) for s in widths]
        return Divergence(max(sum(values) / len(values), 0.0), None, f"closed form, {_described(kernel, widths)}")
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        if not widths and asks_gradient(p, q):
            raise ValueError(
                "the default bandwidth changes with the samples, and the gradient would not know: give one, such as "
                "bandwidth=median_distance(x, y) of samples that stay as they are"
            )
        widths = widths or [_usable(median_distance(p, q))]
        found = _of_samples(p, q, _named(kernel, widths), min(widths), weights, unbiased, batch)
        return replace(found, method=f"{found.method}, {_described(kernel, widths)}")
    raise mixed(p, q)


def energy_distance(
    p: Distribution,
    q: Distribution,
    *,
    weights: Weights | None = None,
    unbiased: bool = True,
    batch: int = 1024,
    seed: int = 0,
) -> Divergence:
    r"""Energy distance :math:`2 E\|X - Y\| - E\|X - X'\| - E\|Y - Y'\|`; not its root, which is a metric.

    At least 0, at most twice W1, and 0 only for equal distributions with a mean (Szekely and Rizzo, "Energy
    statistics: a class of statistics based on distances", 2013). Histograms: the sum over their points. Gaussians: in
    one dimension by the folded normal, whose mean is :math:`s \sqrt{2 / \pi}\, e^{-m^2 / 2 s^2} + m\, erf(m / (s
    \sqrt2))`; in more by 100,000 draws, the same for the three terms. Samples: the U-statistic, without bias and
    therefore sometimes below 0. It is `mmd` with the kernel :math:`-\|x - y\|`: weights and gradient as there.

    Args:
        p, q: two `Histogram`, two `Gaussian`, or two sets of samples ``(n, ...)``.
        weights, unbiased, batch: as for `mmd`.
        seed: of the draws.

    Raises:
        ValueError: sides of different kinds or dimension, too few samples, or unfit weights.
    """
    p, q = known(p), known(q)
    if weights is not None and not isinstance(p, Tensor):
        raise ValueError(f"weights are for samples; a {type(p).__name__} has its own")
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        return Divergence(max(-_of_histograms(p, q, LENGTH), 0.0), None, "exact sum")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        p, q = same_space(p, q)
        return _of_line(p, q) if p.dim == 1 else _by_draws(p, q, seed)
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        found = _of_samples(p, q, LENGTH, median_distance(p, q, limit=200), weights, unbiased, batch)
        return replace(found, value=-found.value, tensor=None if found.tensor is None else -found.tensor)
    raise mixed(p, q)


def median_distance(x: Samples, y: Samples, *, limit: int = 1000) -> float:
    """The median distance of two different rows of both sets together: the usual bandwidth of `mmd`.

    Of larger sets, `limit` rows spaced evenly through them stand for all. A number without a gradient: a setting.
    """
    with torch.no_grad():
        x, y, unit = rows(x, y)
    both = torch.cat([x, y])
    if len(both) > limit:
        both = both[torch.linspace(0, len(both) - 1, limit, device=both.device).round().long()]
    if len(both) < 2:
        raise ValueError("a median distance needs at least 2 samples")
    return unit * float(torch.pdist(both).median())


def _widths(bandwidth: float | Sequence[float] | None) -> list[float]:
    """All bandwidths that are given."""
    if bandwidth is None:
        return []
    widths = [float(s) for s in (bandwidth if isinstance(bandwidth, Sequence) else [bandwidth])]
    if not widths or not all(s > 0 for s in widths):
        raise ValueError(f"bandwidth must be above 0, got {bandwidth}")
    return widths


def _named(kernel: str, widths: Sequence[float]) -> Kernel:
    return mean_of([KERNELS[kernel](s) for s in widths])


def _described(kernel: str, widths: Sequence[float]) -> str:
    words = "bandwidth " if len(widths) == 1 else "bandwidths "
    return ("" if kernel == "gaussian" else f"{kernel} kernel, ") + words + ", ".join(f"{s:.4g}" for s in widths)


def _usable(bandwidth: float) -> float:
    if not bandwidth > 0:
        raise ValueError("more than half of the distances are 0, which leaves no bandwidth to choose; give bandwidth=")
    return bandwidth


def _moments(p: Histogram) -> tuple[Tensor, Tensor]:
    """Mean, and the trace of the covariance."""
    mean = p.probabilities @ p.points
    return mean, p.probabilities @ (p.points - mean).square().sum(dim=1)


def _spread(p: tuple[Tensor, Tensor], q: tuple[Tensor, Tensor]) -> float:
    """Root mean square distance of two independent points of the even mixture, from mean and total variance."""
    between = (p[0] - q[0].to(p[0].device)).square().sum()
    return math.sqrt(float(p[1]) + float(q[1]) + float(between) / 2)


def _of_histograms(p: Histogram, q: Histogram, kernel: Kernel) -> float:
    x, y, unit = rows(p.points, q.points)
    points, weights = torch.cat([x, y]), torch.cat([p.probabilities, -q.probabilities.to(p.points.device)])
    between = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    return float(weights @ kernel.at(between, unit) @ weights)


def _of_samples(
    x: Tensor, y: Tensor, kernel: Kernel, length: float, weights: Weights | None, unbiased: bool, batch: int
) -> Divergence:
    """The statistic of a kernel that tells distances of size `length` apart."""
    x, y, unit = rows(x, y, 2 if unbiased else 1)
    masses = as_weights(weights, x, y, graph=True)
    pairs = Pairs.make(kernel, x, y, unit, length, batch)

    def within(side: Tensor, mass: Tensor | None) -> Tensor:
        if mass is None:
            total, own, every = pairs.total(side), len(side) * pairs.at_zero(side), float(len(side) ** 2)
            return (total - own) / (every - len(side)) if unbiased else total / every
        total, own = pairs.total(side, None, (mass, mass)), mass.square().sum()
        if not unbiased:
            return total
        if bool(own > 1 - 1e-12):
            raise ValueError("all weight is on one sample, which leaves no pair: unbiased=False takes it with itself")
        return (total - own * pairs.at_zero(side)) / (1 - own)

    a, b = masses or (None, None)
    across = pairs.total(x, y, masses) if masses else pairs.total(x, y) / (len(x) * len(y))
    found = within(x, a) + within(y, b) - 2 * across
    method = f"{'U' if unbiased else 'V'}-statistic"
    return Divergence(float(found.detach()), None, method, tensor=found if found.requires_grad else None)


def _mean_kernel(p: Gaussian, q: Gaussian, bandwidth: float) -> float:
    both = p.covariance + q.covariance
    wide = torch.linalg.cholesky(both / bandwidth**2 + torch.eye(p.dim).to(both))
    white = torch.linalg.solve_triangular(wide, (p.mean - q.mean)[:, None] / bandwidth, upper=False)
    return float(torch.exp(-wide.diagonal().log().sum() - white.square().sum() / 2))


def _of_line(p: Gaussian, q: Gaussian) -> Divergence:
    shift, var_p, var_q = float(p.mean - q.mean), float(p.covariance), float(q.covariance)
    within = sum(folded_normal(0, math.sqrt(2 * variance)) for variance in (var_p, var_q))
    value = 2 * folded_normal(shift, math.sqrt(var_p + var_q)) - within
    return Divergence(max(value, 0.0), None, "closed form")


def _by_draws(p: Gaussian, q: Gaussian, seed: int) -> Divergence:
    origin = torch.zeros_like(p.mean)
    # The same draws in the three terms: they cancel where the covariances are alike.
    across, of_p, of_q = (
        Gaussian(shift, covariance).sample(DRAWS, seed).norm(dim=1)
        for shift, covariance in (
            (p.mean - q.mean, p.covariance + q.covariance),
            (origin, 2 * p.covariance),
            (origin, 2 * q.covariance),
        )
    )
    terms = 2 * across - of_p - of_q
    error = float(terms.std()) / math.sqrt(DRAWS)
    return Divergence(float(terms.mean()), error, f"Monte Carlo, {DRAWS:,} draws")

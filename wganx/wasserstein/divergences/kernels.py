"""Distances of means: of a kernel's features (MMD), of distances themselves (energy). They know near from far."""

from __future__ import annotations

import math
from collections.abc import Callable

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
from wganx.wasserstein.samples import Samples

DRAWS = 100_000
"""Draws of a Monte Carlo value."""

FAR = 1e4
"""Samples this many times the length of interest away from their centre are compared coordinate by coordinate."""


def mmd(
    p: Distribution, q: Distribution, *, bandwidth: float | None = None, unbiased: bool = True, batch: int = 1024
) -> Divergence:
    r"""Squared maximum mean discrepancy :math:`E\,k(X, X') + E\,k(Y, Y') - 2 E\,k(X, Y)` of a Gaussian kernel.

    :math:`k(x, y) = \exp(-\|x - y\|^2 / (2 s^2))`, so the value lies from 0 to 2; its root is a metric (Gretton et
    al., "A kernel two-sample test", 2012). Histograms: the sum over their points. Gaussians: closed form,
    :math:`E\,k(X, Y) = s^d \det(C)^{-1/2} \exp(-\tfrac12 m^T C^{-1} m)` with :math:`C = s^2 I + S_p + S_q` and m the
    difference of the means. Samples: the U-statistic, without bias and therefore sometimes below 0.

    Args:
        p, q: two `Histogram`, two `Gaussian`, or two sets of samples ``(n, ...)``.
        bandwidth: s, above 0. By default `median_distance` for samples, and for the others the root mean square
            distance of two points of their even mixture. Values of different bandwidths cannot be compared.
        unbiased: for samples: leave out the pairs of a row with itself (at least 2 rows a side). With them the value
            is that of the two empirical distributions, never below 0, and larger for smaller sets.
        batch: rows at a time: n x m kernel values are computed, ``batch x (n + m)`` are held.

    Raises:
        ValueError: sides of different kinds or dimension, too few samples, or a bandwidth that is not above 0.
    """
    if bandwidth is not None and not bandwidth > 0:
        raise ValueError(f"bandwidth must be above 0, got {bandwidth}")
    p, q = known(p), known(q)
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        s = _usable(bandwidth or _spread(_moments(p), _moments(q)))
        return Divergence(max(_of_histograms(p, q, _gaussian(s)), 0.0), None, f"exact sum, bandwidth {s:.4g}")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        p, q = same_space(p, q)
        s = _usable(bandwidth or _spread((p.mean, p.covariance.trace()), (q.mean, q.covariance.trace())))
        value = _mean_kernel(p, p, s) + _mean_kernel(q, q, s) - 2 * _mean_kernel(p, q, s)
        return Divergence(max(value, 0.0), None, f"closed form, bandwidth {s:.4g}")
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        s = _usable(bandwidth or median_distance(p, q))
        value = _of_samples(p, q, _gaussian(s), s, unbiased, batch)
        return Divergence(value, None, f"{'U' if unbiased else 'V'}-statistic, bandwidth {s:.4g}")
    raise mixed(p, q)


def energy_distance(
    p: Distribution, q: Distribution, *, unbiased: bool = True, batch: int = 1024, seed: int = 0
) -> Divergence:
    r"""Energy distance :math:`2 E\|X - Y\| - E\|X - X'\| - E\|Y - Y'\|`; not its root, which is a metric.

    At least 0, at most twice W1, and 0 only for equal distributions with a mean (Szekely and Rizzo, "Energy
    statistics: a class of statistics based on distances", 2013). Histograms: the sum over their points. Gaussians: in
    one dimension by the folded normal, whose mean is :math:`s \sqrt{2 / \pi}\, e^{-m^2 / 2 s^2} + m\, erf(m / (s
    \sqrt2))`; in more by 100,000 draws, the same for the three terms. Samples: the U-statistic, without bias and
    therefore sometimes below 0.

    Args:
        p, q: two `Histogram`, two `Gaussian`, or two sets of samples ``(n, ...)``.
        unbiased, batch: as for `mmd`.
        seed: of the draws.

    Raises:
        ValueError: sides of different kinds or dimension, or too few samples.
    """
    p, q = known(p), known(q)
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        return Divergence(max(-_of_histograms(p, q, _length), 0.0), None, "exact sum")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        p, q = same_space(p, q)
        return _of_line(p, q) if p.dim == 1 else _by_draws(p, q, seed)
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        value = -_of_samples(p, q, _length, median_distance(p, q, limit=200), unbiased, batch)
        return Divergence(value, None, f"{'U' if unbiased else 'V'}-statistic")
    raise mixed(p, q)


def median_distance(x: Samples, y: Samples, *, limit: int = 1000) -> float:
    """The median distance of two different rows of both sets together: the usual bandwidth of `mmd`.

    Of larger sets, `limit` rows spaced evenly through them stand for all.
    """
    x, y, unit = rows(x, y)
    both = torch.cat([x, y])
    if len(both) > limit:
        both = both[torch.linspace(0, len(both) - 1, limit, device=both.device).round().long()]
    if len(both) < 2:
        raise ValueError("a median distance needs at least 2 samples")
    return unit * float(torch.pdist(both).median())


Kernel = Callable[[Tensor, float], Tensor]
"""Of distances, and of the unit they are in."""


def _gaussian(bandwidth: float) -> Kernel:
    return lambda distance, unit: torch.exp((distance * (unit / bandwidth)).square() / -2)


def _length(distance: Tensor, unit: float) -> Tensor:
    return distance * unit


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
    return float(weights @ kernel(between, unit) @ weights)


def _of_samples(x: Tensor, y: Tensor, kernel: Kernel, length: float, unbiased: bool, batch: int) -> float:
    """The statistic of a kernel that tells distances of size `length` apart."""
    x, y, unit = rows(x, y, 2 if unbiased else 1)
    # The matrix-product route of cdist is quick and loses the digits of distances far below the samples' norms.
    norm = float(torch.maximum(x.norm(dim=1).max(), y.norm(dim=1).max()))
    mode = "use_mm_for_euclid_dist_if_necessary" if norm * unit < FAR * length else "donot_use_mm_for_euclid_dist"

    def total(x: Tensor, y: Tensor) -> float:
        return sum(float(kernel(torch.cdist(part, y, compute_mode=mode), unit).sum()) for part in torch.split(x, batch))

    def within(side: Tensor) -> float:
        if unbiased:
            own = len(side) * float(kernel(side.new_zeros(()), unit))
            return (total(side, side) - own) / (len(side) * (len(side) - 1))
        return total(side, side) / len(side) ** 2

    return within(x) + within(y) - 2 * total(x, y) / (len(x) * len(y))


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

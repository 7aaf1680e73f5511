"""Divergences of densities: they ask how likely a point is on each side, never how far apart points lie.

On samples there are no densities to compare. Each estimate here is by nearest neighbours, in one documented way:

========================  ========================================================  =================================
quantity                  estimate                                                  what is known of it
========================  ========================================================  =================================
`kl_divergence`           Wang, Kulkarni and Verdu (2009)                           asymptotically unbiased, consistent
`hellinger`               Poczos and Schneider (2011), alpha = 1/2                  consistent
`js_divergence`           log-loss of a nearest-neighbour classifier                expectation never above the truth
`total_variation`         accuracy of a nearest-neighbour classifier                expectation never above the truth
========================  ========================================================  =================================
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from wganx.wasserstein.divergences.distributions import (
    Distribution,
    Divergence,
    Gaussian,
    Histogram,
    fixed,
    mixed,
    same_bins,
    same_space,
)
from wganx.wasserstein.divergences.neighbours import density_ratios, half_log_ratios

DRAWS = 100_000
"""Draws from each side of a Monte Carlo value."""


def kl_divergence(p: Distribution, q: Distribution) -> Divergence:
    r"""Kullback-Leibler divergence :math:`KL(P\|Q) = E_P \log(p/q)`, in nats; infinite where P has mass that Q has not.

    Histograms: the sum. Gaussians: :math:`\tfrac12 [tr(S_q^{-1} S_p) + (m_q - m_p)^T S_q^{-1} (m_q - m_p) - d +
    \log(\det S_q / \det S_p)]`. Samples: with :math:`\rho_i, \nu_i` the distances of :math:`x_i` to its fifth
    neighbour in the other x and in y, :math:`\tfrac{d}{n} \sum_i \log(\nu_i / \rho_i) + \log(m / (n - 1))` (Wang,
    Kulkarni and Verdu, "Divergence estimation for multidimensional densities via k-nearest-neighbor distances", 2009):
    mean-square consistent for continuous densities, with a bias that shrinks more slowly the higher d is, and no way to
    see that the truth is infinite. It costs n (n + m) distances and can come out below 0.

    Args:
        p, q: two `Histogram`, two `Gaussian`, or two sets of samples ``(n, ...)``.

    Raises:
        ValueError: sides of different kinds, bins or dimension; samples that repeat, since they have no density.
    """
    p, q = fixed("kl_divergence", p, q)
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        return Divergence(max(_kl(*same_bins(p, q)), 0.0), None, "exact sum")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        p, q = same_space(p, q)
        spread = torch.linalg.solve_triangular(q.factor, p.factor, upper=False).square().sum()
        value = 0.5 * (spread + _mahalanobis(p, q, q.factor) - p.dim + q.log_det - p.log_det)
        return Divergence(max(float(value), 0.0), None, "closed form")
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        return Divergence(-float(density_ratios(p, q).mean()), None, "5 nearest neighbours (Wang et al. 2009)")
    raise mixed(p, q)


def js_divergence(p: Distribution, q: Distribution, *, seed: int = 0) -> Divergence:
    r"""Jensen-Shannon divergence :math:`\tfrac12 KL(P\|M) + \tfrac12 KL(Q\|M)`, :math:`M = (P + Q)/2`, from 0 to log 2.

    Histograms: the sum. Gaussians: no closed form; the mean of the log ratios over 100,000 draws from each side.
    Samples: JS is log 2 less the least log-loss with which one can tell whether a sample came from P or Q (for which
    the first GAN's critic is trained). The loss of a nearest-neighbour classifier learned on one half of the samples
    and scored on the other, and the reverse, gives an estimate whose expectation is never above the truth and that
    comes near it as the classifier does. Samples may repeat. Where the sides cannot be told apart it may be below 0, by
    its standard error at most.

    Args:
        p, q: two `Histogram`, two `Gaussian`, or two sets of samples ``(n, ...)``, at least 4 on each side.
        seed: of the draws, or of the halves.

    Raises:
        ValueError: sides of different kinds, bins or dimension; too few samples.
    """
    p, q = fixed("js_divergence", p, q)
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        a, b = same_bins(p, q)
        # log((a + b) / 2) as a difference: half of the smallest numbers is 0.
        value = (_kl(a, a + b) + _kl(b, a + b)) / 2 + math.log(2)
        return Divergence(min(max(value, 0.0), math.log(2)), None, "exact sum")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        return _average(*_log_ratios(p, q, seed), _information, f"Monte Carlo, {DRAWS:,} draws a side")
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        found = _average(*half_log_ratios(p, q, seed), _information, "held-out nearest-neighbour classifier, log-loss")
        assert found.error is not None
        # A classifier of few neighbours loses more than one that knows nothing: that is no news of the samples.
        return replace(found, value=min(max(found.value, -found.error), math.log(2) + found.error))
    raise mixed(p, q)


def total_variation(p: Distribution, q: Distribution, *, seed: int = 0) -> Divergence:
    r"""Total variation :math:`\sup_A |P(A) - Q(A)| = \tfrac12 \int |p - q|`, from 0 to 1.

    Histograms: the sum. Gaussians of one covariance S: :math:`2 \Phi(\delta / 2) - 1` with the Mahalanobis distance
    :math:`\delta^2 = (m_p - m_q)^T S^{-1} (m_p - m_q)`; otherwise the mean of :math:`|p - q| / (p + q)` over 100,000
    draws from each side. Samples: ``2 a - 1`` for the accuracy a of the classifier of `js_divergence`, as the best
    possible classifier has ``a = (1 + TV) / 2``; its expectation is never above the truth, and it may be below 0.

    Args, Raises: as `js_divergence`.
    """
    p, q = fixed("total_variation", p, q)
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        a, b = same_bins(p, q)
        return Divergence(min(float((a - b).abs().sum()) / 2, 1.0), None, "exact sum")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        p, q = same_space(p, q)
        if torch.equal(p.covariance, q.covariance):
            distance = math.sqrt(float(_mahalanobis(p, q, p.factor)))
            return Divergence(math.erf(distance / math.sqrt(8)), None, "closed form")
        return _average(*_log_ratios(p, q, seed), _contrast, f"Monte Carlo, {DRAWS:,} draws a side")
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        return _average(*half_log_ratios(p, q, seed), torch.sign, "held-out nearest-neighbour classifier, accuracy")
    raise mixed(p, q)


def hellinger(p: Distribution, q: Distribution) -> Divergence:
    r"""Hellinger distance :math:`H = \sqrt{1 - \int \sqrt{p q}}`, from 0 to 1; :math:`H^2 \le TV \le \sqrt2 H`.

    Histograms: the sum. Gaussians: :math:`\int \sqrt{p q} = (\det S_p \det S_q)^{1/4} \det(S)^{-1/2} \exp(-\tfrac18
    (m_p - m_q)^T S^{-1} (m_p - m_q))` with :math:`S = (S_p + S_q) / 2`. Samples: with the distances of `kl_divergence`,
    :math:`\int \sqrt{p q} \approx \tfrac{B}{n} \sum_i \sqrt{(n - 1) \rho_i^d / (m \nu_i^d)}`, :math:`B = \Gamma(5)^2 /
    (\Gamma(5.5) \Gamma(4.5))` (Poczos and Schneider, "On the estimation of alpha-divergences", 2011, alpha = 1/2):
    consistent for continuous densities. Near 0 the root turns an error e of the integral into sqrt(e): two sets from
    one distribution do not come out as 0.

    Args, Raises: as `kl_divergence`.
    """
    p, q = fixed("hellinger", p, q)
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        a, b = same_bins(p, q)
        # 1 - sum sqrt(ab), without the loss of digits when they are close.
        return Divergence(math.sqrt(min(float((a.sqrt() - b.sqrt()).square().sum()) / 2, 1.0)), None, "exact sum")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        p, q = same_space(p, q)
        middle = Gaussian(p.mean, (p.covariance + q.covariance) / 2)
        log_overlap = (p.log_det + q.log_det) / 4 - middle.log_det / 2 - _mahalanobis(p, q, middle.factor) / 8
        return Divergence(math.sqrt(max(-math.expm1(float(log_overlap)), 0.0)), None, "closed form")
    if isinstance(p, Tensor) and isinstance(q, Tensor):
        bias = math.exp(2 * math.lgamma(5) - math.lgamma(5.5) - math.lgamma(4.5))
        overlap = bias * float((density_ratios(p, q) / 2).exp().mean())
        return Divergence(math.sqrt(max(1 - overlap, 0.0)), None, "5 nearest neighbours (Poczos and Schneider 2011)")
    raise mixed(p, q)


def _kl(a: Tensor, b: Tensor) -> float:
    held = a > 0
    a, b = a[held], b[held]
    return float((a * (a.log() - b.log())).sum())


def _mahalanobis(p: Gaussian, q: Gaussian, factor: Tensor) -> Tensor:
    """Squared distance of the means, by the covariance with that Cholesky factor."""
    shift = (p.mean - q.mean)[:, None]
    squared: Tensor = torch.linalg.solve_triangular(factor, shift, upper=False).square().sum()
    return squared


def _log_ratios(p: Gaussian, q: Gaussian, seed: int) -> tuple[Tensor, Tensor]:
    """``log p/q`` at draws of p, and ``log q/p`` at draws of q."""
    p, q = same_space(p, q)
    x, y = p.sample(DRAWS, seed), q.sample(DRAWS, seed + 1)
    return p.log_density(x) - q.log_density(x), q.log_density(y) - p.log_density(y)


def _information(log_ratio: Tensor) -> Tensor:
    """``log(2 p / (p + q))`` from ``log p/q``."""
    return math.log(2) - torch.nn.functional.softplus(-log_ratio)


def _contrast(log_ratio: Tensor) -> Tensor:
    """``|p - q| / (p + q)`` from ``log p/q``."""
    return (log_ratio / 2).tanh().abs()


def _average(at_p: Tensor, at_q: Tensor, of: Callable[[Tensor], Tensor], method: str) -> Divergence:
    sides = [of(at_p), of(at_q)]
    value = sum(float(side.mean()) for side in sides) / 2
    error = math.sqrt(sum(float(side.var()) / len(side) for side in sides)) / 2
    return Divergence(value, error, method)

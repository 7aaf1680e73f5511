"""What a divergence is computed between, and what it returns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from wganx.wasserstein.numbers import Number
from wganx.wasserstein.samples import Samples, as_tensor, refuse_gradient, unit_of


@dataclass(frozen=True, eq=False)
class Divergence(Number):
    """The value of a divergence; a `Number`: ``3 * d``, ``f"{d:.2f}"``.

    Attributes:
        value: the divergence, in nats where it is an information.
        error: standard error of a Monte Carlo value or of an estimate, where one is known; None otherwise, and for
            what is exact.
        method: how it was found, in words.
        tensor: `value` with its graph, where samples or weights require a gradient.
    """

    value: float
    error: float | None
    method: str
    tensor: Tensor | None = field(default=None, repr=False, kw_only=True)


@dataclass(frozen=True, eq=False, init=False)
class Histogram:
    """A distribution on finitely many bins.

    Attributes:
        probabilities: ``(k,)``, not negative, of sum 1; float64.
        points: where the bins lie, ``(k, d)``; 0, 1, ..., k - 1 by default. Only distances that know near from far
            (W1, MMD, energy) look at them.

    Raises:
        ValueError: not a probability vector, points that do not match it, or a tensor that requires a gradient.
    """

    probabilities: Tensor
    points: Tensor

    def __init__(self, probabilities: Samples, points: Samples | None = None) -> None:
        refuse_gradient("Histogram", probabilities, points, instead="mmd and energy_distance of weighted samples")
        p = as_tensor(probabilities, "probabilities").double()
        if p.ndim != 1 or len(p) == 0 or not bool((p >= 0).all()) or not math.isclose(float(p.sum()), 1, abs_tol=1e-6):
            raise ValueError(
                f"a histogram needs a vector of probabilities that are not negative and sum to 1, got shape "
                f"{tuple(p.shape)} of sum {float(p.sum()):.6g}; divide counts by their sum"
            )
        places = torch.arange(len(p)) if points is None else as_tensor(points, "points")
        places = places.to(p).reshape(len(places), -1)
        if len(places) != len(p) or not bool(places.isfinite().all()):
            raise ValueError(f"a histogram of {len(p)} bins needs as many finite points, got {len(places)}")
        object.__setattr__(self, "probabilities", p / p.sum())
        object.__setattr__(self, "points", places)


@dataclass(frozen=True, eq=False, init=False)
class Gaussian:
    """A normal distribution on R^d with a density.

    Attributes:
        mean: ``(d,)``; a number stands for d = 1.
        covariance: ``(d, d)``, symmetric and positive definite; a number is the variance for d = 1.

    Raises:
        ValueError: shapes that do not fit, a covariance that is not symmetric and positive definite, or a tensor that
            requires a gradient.
    """

    mean: Tensor
    covariance: Tensor

    def __init__(self, mean: Samples | float, covariance: Samples | float) -> None:
        refuse_gradient(
            "Gaussian", _array(mean), _array(covariance), instead="gaussian_w2 and pairs (mean, covariance)"
        )
        centre = as_tensor(_array(mean), "a mean").double().reshape(-1)
        spread = as_tensor(_array(covariance), "a covariance").double().to(centre.device)
        d = len(centre)
        if spread.numel() != d * d:
            raise ValueError(f"a mean of {d} values needs a covariance of shape ({d}, {d}), got {tuple(spread.shape)}")
        spread = spread.reshape(d, d)
        factor, failed = torch.linalg.cholesky_ex(spread)
        skewed = bool((spread - spread.T).abs().max() > 1e-8 * spread.abs().max())
        if int(failed) or skewed or not bool(factor.isfinite().all()):
            raise ValueError("a covariance must be symmetric and positive definite, or the Gaussian has no density")
        object.__setattr__(self, "mean", centre)
        object.__setattr__(self, "covariance", spread)

    @property
    def dim(self) -> int:
        """d."""
        return len(self.mean)

    @cached_property
    def factor(self) -> Tensor:
        """The Cholesky factor of the covariance, lower triangular."""
        factor: Tensor = torch.linalg.cholesky(self.covariance)
        return factor

    @property
    def log_det(self) -> Tensor:
        """Logarithm of the covariance's determinant."""
        return 2 * self.factor.diagonal().log().sum()

    def sample(self, n: int, seed: int = 0) -> Tensor:
        """`n` draws ``(n, d)``, made on the CPU so that every device gets the same."""
        white = torch.randn(n, self.dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        return self.mean + white.to(self.mean.device) @ self.factor.T

    def log_density(self, x: Tensor) -> Tensor:
        """Of the rows of ``x (n, d)``, ``(n,)``."""
        white = torch.linalg.solve_triangular(self.factor, (x - self.mean).T, upper=False)
        log_density: Tensor = -0.5 * (white.square().sum(dim=0) + self.log_det + self.dim * math.log(2 * math.pi))
        return log_density


Distribution = Histogram | Gaussian | Samples
"""What a divergence takes: a `Histogram`, a `Gaussian`, or samples ``(n, ...)``: a tensor, an array or a list."""


def known(p: Distribution) -> Histogram | Gaussian | Tensor:
    """`p` itself, or its samples as a tensor, with their graph where they require a gradient.

    Raises:
        ValueError: samples that are not real numbers in one array.
    """
    return p if isinstance(p, (Histogram, Gaussian)) else as_tensor(p, graph=True)


def fixed(what: str, p: Distribution, q: Distribution) -> tuple[Histogram | Gaussian | Tensor, ...]:
    """Both sides as `known` gives them, for a divergence that offers no gradient.

    Raises:
        ValueError: samples that require one, or as in `known`.
    """
    samples = [side for side in (p, q) if not isinstance(side, (Histogram, Gaussian))]
    refuse_gradient(what, *samples, instead="mmd, energy_distance or sinkhorn_divergence")
    return known(p), known(q)


def same_bins(p: Histogram, q: Histogram) -> tuple[Tensor, Tensor]:
    """The probabilities of two histograms on the same bins.

    Raises:
        ValueError: the bins differ.
    """
    a, b = p.probabilities, q.probabilities.to(p.points.device)
    if not torch.equal(p.points, q.points.to(p.points.device)):
        raise ValueError(
            f"the histograms have different bins ({len(a)} and {len(b)}, or at other points); put both on the "
            "union of their bins, with probability 0 where a side has nothing"
        )
    return a, b


def same_space(p: Gaussian, q: Gaussian) -> tuple[Gaussian, Gaussian]:
    """Two Gaussians of one dimension on one device.

    Raises:
        ValueError: the dimensions differ.
    """
    if p.dim != q.dim:
        raise ValueError(f"the Gaussians have {p.dim} and {q.dim} dimensions; both need the same")
    device = p.mean.device
    return p, q if q.mean.device == device else Gaussian(q.mean.to(device), q.covariance.to(device))


def rows(x: Samples, y: Samples, least: int = 1) -> tuple[Tensor, Tensor, float]:
    """Two sample sets as float64 matrices ``(n, d)`` and ``(m, d)`` on one device, and the unit they are in.

    They lie around a common centre, and in a unit in which the square of no distance leaves the range. A graph is kept.

    Raises:
        ValueError: fewer than `least` samples on a side, different sizes, or values that are no finite real numbers.
    """
    x, y = as_tensor(x, graph=True), as_tensor(y, graph=True)
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError("samples need a first axis that counts them; got a tensor without axes")
    if min(len(x), len(y)) < least:
        raise ValueError(f"at least {least} samples are needed on both sides, got {len(x)} and {len(y)}")
    x, y = (samples.to(x.device, torch.float64).reshape(len(samples), -1) for samples in (x, y))
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"samples differ in size: {x.shape[1]} and {y.shape[1]} values each")
    if x.shape[1] == 0:
        raise ValueError("samples without values")
    if not bool(x.isfinite().all() & y.isfinite().all()):
        raise ValueError("samples hold values that are not finite; remove those rows")
    x, y, unit = _in_unit(x, y)
    # Distances do not change, and lose fewer digits to rounding near the origin.
    centre = x.detach().mean(dim=0)
    x, y, spread = _in_unit(x - centre, y - centre)
    return x, y, unit * spread


def _in_unit(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, float]:
    """Both sets in float64 divided by a power of two, which the gradient takes for a constant: see `scaled`."""
    unit = unit_of(*(float(side.detach().abs().max()) for side in (x, y)))
    return x * (1 / unit), y * (1 / unit), unit


def mixed(p: Distribution, q: Distribution) -> ValueError:
    """The refusal of two sides of different kinds."""
    return ValueError(
        f"cannot compare a {type(p).__name__} with a {type(q).__name__}: give two histograms, two Gaussians or two "
        "tensors of samples; Gaussian.sample(n) draws some"
    )


def folded_normal(mean: float, deviation: float) -> float:
    """``E|Z|`` for a normal Z of that mean and standard deviation."""
    if deviation == 0:
        return abs(mean)
    z = mean / deviation
    return deviation * math.sqrt(2 / math.pi) * math.exp(-z * z / 2) + mean * math.erf(z / math.sqrt(2))


def _array(given: Samples | float) -> Samples:
    return given if isinstance(given, Tensor) else np.asarray(given)

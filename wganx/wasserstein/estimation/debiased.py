r"""Exact transport of few samples without most of its bias.

With ``U`` the exact W1 of N samples of P and N of Q, and ``F_P``, ``F_Q`` the exact W1 of two such sets of one
distribution, ``D = √(E U² - E F_P E F_Q)``. In many dimensions a sample and its partner lie ``√(noise² + move²)``
apart, and noise is what the other two measure; where ``y = s x`` in distribution it is their geometric mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.estimation.components import Components, between
from wganx.wasserstein.estimation.split import Pair
from wganx.wasserstein.quantiles import line_distance
from wganx.wasserstein.simplex import solve

_REPLICATES = 10
_FEWEST = 8
_MISMATCH = 0.002
"""The share of ``U²`` by which two noises that are not quite alike may leave ``D²`` wrong."""

_SURE = 2.5


@dataclass(frozen=True)
class Upper:
    """A reading that lies above W1 rather than below: `value`, and the `high` end of what it leaves open."""

    value: float
    high: float


@dataclass(frozen=True)
class _Square:
    """``D²``, the variance of that over the replicates, and ``E U²``."""

    value: float
    variance: float
    upper: float


def transported(x: Tensor, y: Tensor) -> float:
    """Exact W1 of ``x (n, d)`` and ``y (m, d)``, all of equal weight."""
    if x.shape[1] == 1:
        return line_distance(x[:, 0], y[:, 0], 1.0)
    equal = (torch.full((len(side),), 1 / len(side), dtype=torch.float64) for side in (x, y))
    return solve(torch.cdist(x, y), 1.0, *equal).value


def debiased(samples: Pair, components: Components, size: int, seed: int) -> Upper:
    """``D`` within each component, weighted with the share that stays there, and the cost of what does not stay.

    The plan it adds up is one of many, so the sum is above W1 rather than below, and close where components are far
    apart.
    """
    rng = torch.Generator().manual_seed(seed)
    which = [components.of(side) for side in (samples.x, samples.y)]
    shares = (components.shares(which[0]), components.shares(which[1]))
    staying = torch.minimum(*shares)
    each = max(12, size // math.ceil(math.sqrt(len(components))), 2 * size // len(components))
    squares, weights = [], []
    for label in range(len(components)):
        x, y = (side[index == label] for side, index in zip((samples.x, samples.y), which))
        if min(len(x), len(y)) >= _FEWEST:
            squares.append(_square(x, y, min(size, each), rng))
            weights.append(float(staying[label]))
    moved = between(components, shares, (len(samples.x), len(samples.y)), seed)
    value, high = _mean_root(squares, weights, float(staying.sum()))
    open_ends = math.hypot(high - value, moved.high - moved.cost)
    return Upper(value + moved.cost, value + moved.cost + open_ends)


def _square(x: Tensor, y: Tensor, size: int, rng: torch.Generator) -> _Square:
    fewest = min(len(x), len(y))
    size = min(size, fewest // 4)
    found, upper = [], []
    for _ in range(_REPLICATES):
        x1, x2 = torch.split(x[torch.randperm(len(x), generator=rng)[: 2 * size]], size)
        y1, y2 = torch.split(y[torch.randperm(len(y), generator=rng)[: 2 * size]], size)
        u = transported(x1, y1) ** 2
        found.append(u - transported(x1, x2) * transported(y1, y2))
        upper.append(u)
    squares = torch.tensor(found, dtype=torch.float64)
    independent = max(1, min(_REPLICATES, fewest // (2 * size)))
    return _Square(float(squares.mean()), float(squares.var()) / independent, sum(upper) / len(upper))


def _mean_root(squares: list[_Square], weights: list[float], total: float) -> tuple[float, float]:
    """The weighted mean of the roots, and its high end.

    The root of a noisy square that is cut off at 0 is too large on average, so squares are drawn towards their mean
    first, as far as they differ by no more than their noise (James and Stein, 1961).
    """
    if not squares or sum(weights) == 0:
        return 0.0, 0.0
    share = torch.tensor(weights, dtype=torch.float64)
    share = share / share.sum()
    value, variance, upper = (
        torch.tensor([getattr(square, name) for square in squares], dtype=torch.float64)
        for name in ("value", "variance", "upper")
    )
    mean = (share * value).sum()
    spread = (share * (value - mean).square()).sum()
    kept = (1 - (share * variance).sum() / spread).clamp(0, 1) if spread > 0 else torch.tensor(0.0)
    drawn = mean + kept * (value - mean)
    noise = (share.square() * variance).sum().sqrt()

    def root(of: Tensor) -> float:
        return total * float((share * of.clamp_min(0).sqrt()).sum())

    return root(drawn), root(drawn.clamp_min(0) + _SURE * noise + _MISMATCH * upper)


def on_the_line(x: Tensor, y: Tensor) -> tuple[float, float]:
    """W1 of ``x (n,)`` and ``y (m,)`` without the bias of counts, and what was taken off.

    ``∫ |F - G|`` with a noise of variance ``F (1 - F) / n + G (1 - G) / m`` in the difference: ``E |δ + ε|`` is above
    ``|δ|`` by what a folded normal says, where ``δ² = max(0, (F - G)² - variance)``.
    """
    knots, difference, variance = differences(x, y)
    delta = (difference.square() - variance).clamp_min(0).sqrt()
    sigma = variance.sqrt().clamp_min(1e-300)
    ratio = delta / sigma
    excess = sigma * (
        math.sqrt(2 / math.pi) * (-0.5 * ratio.square()).exp() - ratio * torch.special.erfc(ratio / math.sqrt(2))
    )
    widths = knots.diff()
    plain, bias = float((widths * difference.abs()).sum()), float((widths * excess).sum())
    return max(0.0, plain - bias), bias


def differences(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All samples on the line in order ``(n + m,)``; between them ``F - G`` and the variance of its noise."""
    knots, order = torch.cat([x, y]).sort()
    first = (order < len(x)).double()
    below_x, below_y = first.cumsum(0)[:-1] / len(x), (1 - first).cumsum(0)[:-1] / len(y)
    # Under equal distributions the noise is that of both together.
    pooled = (len(x) * below_x + len(y) * below_y) / (len(x) + len(y))
    return knots, below_x - below_y, pooled * (1 - pooled) * (1 / len(x) + 1 / len(y))

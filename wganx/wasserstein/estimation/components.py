"""Clusters that lie far apart, so that what moves within them and what moves between them can be told apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from wganx.wasserstein.estimation.split import Pair
from wganx.wasserstein.simplex import solve

_ROWS = 1000
_FEWEST = 6
_FAR = 1.7
"""A cut is made where samples are joined over a way this many times as long as the next longest."""

_DRAWS = 30

_ONE_SIDED = 1.64


@dataclass(frozen=True)
class Components:
    """Centres of clusters; a sample belongs to the nearest one.

    Attributes:
        centres: ``(k, d)``, means of both sides together.
    """

    centres: Tensor

    def __len__(self) -> int:
        return len(self.centres)

    def of(self, x: Tensor) -> Tensor:
        """The component of each sample: ``(n, d) -> (n,)``."""
        if len(self) == 1:
            return torch.zeros(len(x), dtype=torch.int64, device=x.device)
        return torch.cdist(x, self.centres).argmin(1)

    def shares(self, which: Tensor) -> Tensor:
        return torch.bincount(which, minlength=len(self)).double() / len(which)


@dataclass(frozen=True)
class Between:
    """What it costs to give the components of one side the shares of the other.

    Attributes:
        cost: transport between the shares, each component at its centre, without what counts alone would give it; 0
            where that may be all there is.
        high: what the counts leave open, one time in twenty.
    """

    cost: float
    high: float


def find_components(samples: Pair) -> Components:
    """The clusters of both sides together, by single linkage of some samples, cut where the gap is clearest.

    One component where no join of sizeable parts is 1.7 times as long as the next.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    some = torch.cat([samples.x[:_ROWS], samples.y[:_ROWS]])
    first, second = torch.triu_indices(len(some), len(some), 1)
    joins = linkage(torch.cdist(some, some)[first, second].numpy(), "single")
    sizes = [1] * len(some) + [int(size) for size in joins[:, 3]]
    # Lone samples in a tail are no cluster, however far they lie.
    heights = [float(row[2]) for row in joins if min(sizes[int(row[0])], sizes[int(row[1])]) >= _FEWEST]
    usual = float(torch.from_numpy(joins[:, 2]).quantile(0.9))
    steps = [*sorted((height for height in heights if height > usual), reverse=True), usual]
    tiny = 1e-6 * max(steps[0], 1e-30)
    gaps = [(above / max(below, tiny), above * max(below, tiny)) for above, below in pairwise(steps)]
    cuts = [
        (ratio, torch.from_numpy(fcluster(joins, product**0.5, "distance")).long() - 1)
        for ratio, product in gaps
        if ratio >= _FAR
    ]
    if not cuts:
        return Components(some.mean(0, keepdim=True))
    others = torch.arange(len(some)) >= min(_ROWS, len(samples.x))
    # Clusters that both sides share first: then what moves stays within them.
    _, labels = max(cuts, key=lambda cut: (_shared(cut[1], others), cut[0]))
    counts = torch.bincount(labels)
    centres = torch.stack([some[labels == label].mean(0) for label in (counts >= _FEWEST).nonzero()[:, 0]])
    return _sharpened(Components(centres), samples)


def _shared(labels: Tensor, others: Tensor) -> bool:
    """Whether every sizeable cluster holds samples of either side."""
    counts, of_others = torch.bincount(labels), torch.bincount(labels, others.double())
    return bool(((of_others > 0) & (of_others < counts))[counts >= _FEWEST].all())


def _sharpened(components: Components, samples: Pair) -> Components:
    """The centres as means of all samples of their components."""
    every = torch.cat([samples.x, samples.y])
    which = components.of(every)
    sums = torch.zeros_like(components.centres).index_add_(0, which, every)
    return Components(sums / torch.bincount(which, minlength=len(components)).clamp_min(1)[:, None])


def between(components: Components, shares: tuple[Tensor, Tensor], counts: tuple[int, int], seed: int) -> Between:
    """The cost of shares that differ, for as many samples as `counts`."""
    if len(components) == 1:
        return Between(0.0, 0.0)
    ways = torch.cdist(components.centres, components.centres)
    rng = torch.Generator().manual_seed(seed)
    pooled = (counts[0] * shares[0] + counts[1] * shares[1]) / sum(counts)

    def cost(first: Tensor, second: Tensor) -> float:
        return solve(ways, 1.0, first, second).value

    def drawn(*sides: Tensor) -> Tensor:
        """What it costs between counts drawn from two sets of shares, squared, many times."""
        squares = []
        for _ in range(_DRAWS):
            rows = [
                torch.multinomial(side, count, replacement=True, generator=rng) for side, count in zip(sides, counts)
            ]
            squares.append(cost(*(torch.bincount(row, minlength=len(ways)).double() / len(row) for row in rows)) ** 2)
        return torch.tensor(squares, dtype=torch.float64)

    # As for transport of samples: the squares of what moves and of what noise moves add up.
    found = cost(*shares)
    square = found**2 - float(drawn(pooled, pooled).mean())
    kept = max(0.0, square) ** 0.5 / found if found else 0.0
    doubt = _ONE_SIDED * float(drawn(*(pooled + kept * (share - pooled) for share in shares)).std())
    return Between(square**0.5 if square > doubt else 0.0, max(square + doubt, 0.3 * doubt) ** 0.5)

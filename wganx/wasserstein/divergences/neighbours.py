"""Nearest neighbours of samples, from which densities are compared."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wganx.wasserstein.divergences.distributions import rows

NEIGHBOURS = 5
BATCH = 1024


def density_ratios(x: Tensor, y: Tensor) -> Tensor:
    """Estimates ``(n,)`` of ``log q/p`` at the rows of x, by the distance to the fifth neighbour on each side.

    Raises:
        ValueError: fewer than 6 samples, or samples that repeat.
    """
    x, y, _ = rows(x, y, NEIGHBOURS + 1)
    # The nearest neighbour of a row in its own set is the row itself.
    own = torch.cat([_nearest(part, x, NEIGHBOURS + 1) for part in torch.split(x, BATCH)])[:, -1]
    other = torch.cat([_nearest(part, y, NEIGHBOURS) for part in torch.split(x, BATCH)])[:, -1]
    if bool((own == 0).any() | (other == 0).any()):
        raise ValueError(
            f"a sample occurs {NEIGHBOURS} times or more, so it was not drawn from a density; use js_divergence, "
            "total_variation, energy_distance or exact_w1, or count the samples into a Histogram"
        )
    return x.shape[1] * (own.log() - other.log()) + math.log((len(x) - 1) / len(y))


def half_log_ratios(x: Tensor, y: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """``log p/q`` at the rows of x and ``log q/p`` at those of y, each told by the half of the samples it is not in.

    A row's posterior is the share of x among its nearest ``sqrt(n + m)`` neighbours in the other half, both sides
    weighted alike, with half a neighbour added to each so that none is certain. Rows as far as the last of them all
    count: among samples that repeat, which of them came first says nothing. As the number of neighbours grows and their
    share of the samples goes to 0, it tends to the true posterior whatever the distributions are (Stone, "Consistent
    nonparametric regression", 1977).

    Raises:
        ValueError: fewer than 4 samples on a side.
    """
    x, y, _ = rows(x, y, 4)
    draws = torch.Generator().manual_seed(seed)
    x_halves, y_halves = (side[torch.randperm(len(side), generator=draws).to(side.device)].chunk(2) for side in (x, y))
    at_x, at_y = [], []
    for learned, scored in ((0, 1), (1, 0)):
        known = (x_halves[learned], y_halves[learned])
        at_x.append(_log_odds(x_halves[scored], *known))
        at_y.append(-_log_odds(y_halves[scored], *known))
    return torch.cat(at_x), torch.cat(at_y)


def _log_odds(points: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Log odds ``(len(points),)`` for x against y among the nearest rows of both."""
    total = len(x) + len(y)
    count = max(round(total**0.5), 1)
    found = [_counts(part, x, y, count) for part in torch.split(points, BATCH)]
    of_x, of_y = (torch.cat(sides) for sides in zip(*found))
    return torch.log(of_x * (total / (2 * len(x))) + 0.5) - torch.log(of_y * (total / (2 * len(y))) + 0.5)


def _counts(points: Tensor, x: Tensor, y: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """How many rows of x and of y lie no farther from each point than the `count` nearest of both, whole ties."""
    between = _between(points, torch.cat([x, y]))
    reach = between.kthvalue(count, dim=1, keepdim=True).values
    # Rows on a grid are equally far but for the rounding of their common centre.
    near = between <= reach * (1 + 1e-9) + 16 * torch.finfo(between.dtype).eps
    return near[:, : len(x)].sum(dim=1), near[:, len(x) :].sum(dim=1)


def _nearest(points: Tensor, known: Tensor, count: int) -> Tensor:
    """Distances ``(len(points), count)`` of the nearest rows of `known`, ascending."""
    return _between(points, known).topk(count, dim=1, largest=False).values


def _between(points: Tensor, known: Tensor) -> Tensor:
    # The matrix-product route of cdist loses half the digits where two points nearly coincide.
    return torch.cdist(points, known, compute_mode="donot_use_mm_for_euclid_dist")

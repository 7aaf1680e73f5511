"""How two sets overlap: precision, recall, density and coverage, by balls that reach to a row's neighbours."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from wganx.errors import TooFewRows
from wganx.evaluation.metrics.pairs import distances, nearest_other


class PrecisionRecall(NamedTuple):
    """Shares from 0 to 1."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """`density` is about 1 for samples of the same distribution and may lie above; `coverage` lies from 0 to 1."""

    density: float
    coverage: float


def precision_recall(made: Tensor, real: Tensor, k: int = 3) -> PrecisionRecall:
    """Improved precision and recall (Kynkäänniemi et al. 2019).

    Every row has a ball that reaches to its `k`-th nearest other row of its own set. Precision is the share of made
    rows in a ball of a real one: are they plausible? Recall is the share of real rows in a ball of a made one: is
    everything there? One row far from all others has a large ball: few outliers make either too kind.

    Args:
        made, real: features ``(n, d)`` and ``(m, d)``, more than `k` rows each.
    """
    _check(k, made, real)
    reach_made, reach_real = nearest_other(made, k), nearest_other(real, k)
    plausible = 0
    found = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for rows, part in distances(made, real):
        plausible += int((part <= reach_real).any(dim=1).sum())
        found |= (part <= reach_made[rows, None]).any(dim=0)
    return PrecisionRecall(plausible / len(made), float(found.double().mean()))


def density_coverage(made: Tensor, real: Tensor, k: int = 5) -> DensityCoverage:
    """Density and coverage (Naeem et al. 2020), by the balls of real rows alone.

    Density is the number of balls that a made row lies in, on average, over `k`; coverage is the share of real rows
    with a made one in their ball. Both are kinder to no outlier among the made rows, which have no balls.

    Args:
        made, real: features ``(n, d)`` and ``(m, d)``; more than `k` real rows.
    """
    _check(k, real)
    reach = nearest_other(real, k)
    inside = 0
    covered = torch.zeros(len(real), dtype=torch.bool, device=real.device)
    for _, part in distances(made, real):
        within = part <= reach
        inside += int(within.sum())
        covered |= within.any(dim=0)
    return DensityCoverage(inside / (k * len(made)), float(covered.double().mean()))


def _check(k: int, *sides: Tensor) -> None:
    if (fewest := min(map(len, sides))) <= k:
        raise TooFewRows(f"{k} neighbours need more than {k} rows a side, and there are {fewest}; give more rows (-n)")

"""Nearest neighbours: to the training data, which shows what was learnt by heart, and among samples."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx.evaluation.metrics.pairs import nearest, nearest_other

NEAREST = 0.05
"""The share of real rows that counts as very near."""


def closer(x: Tensor, y: Tensor) -> float:
    """The probability that a value of `x` lies below one of `y`, ties counted half (Mann and Whitney's U)."""
    values = torch.cat([x, y]).double()
    _, place, counts = torch.unique(values, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum(0) - (counts - 1) / 2)[place]  # ranks from 1, tied ones shared
    above = float(ranks[: len(x)].sum()) - len(x) * (len(x) + 1) / 2
    return 1 - above / (len(x) * len(y))


def memorising(made: Tensor, training: Tensor, real: Tensor) -> dict[str, float]:
    """How near made rows lie to the training data, beside how near held-out rows do.

    ``closer_to_training`` is the probability that a made row lies nearer to its nearest training row than a held-out
    row does (the data-copying test of Meehan, Chaudhuri and Dasgupta 2020, without their cells): 0.5 where the
    generator draws from what the data was drawn from, towards 1 where it repeats the training data, towards 0 where it
    stays away from all data. ``copies`` is the share of made rows that lie nearer than the nearest 5 % of held-out
    ones: 0.05 for an honest generator.

    Args:
        made, training, real: features ``(n, d)``, ``(t, d)`` and ``(m, d)``; `real` are held-out rows.
    """
    of_made, of_real = (nearest(side, training)[0][:, 0] for side in (made, real))
    very_near = of_real.quantile(NEAREST)
    return {"closer_to_training": closer(of_made, of_real), "copies": float((of_made < very_near).double().mean())}


def diversity(made: Tensor, real: Tensor) -> dict[str, float]:
    """How far made rows lie from each other, beside how far real ones do.

    ``spread`` is the median distance of a made row to the nearest other, over that of the real rows: 1 at best, towards
    0 where samples resemble each other. ``duplicates`` is the share of made rows with another one nearer than the
    nearest 5 % of real rows have: 0.05 for an honest generator. For as many rows on either side.

    Args:
        made, real: features ``(n, d)`` and ``(m, d)``; the larger side is cut to the size of the smaller.
    """
    rows = min(len(made), len(real))
    of_made, of_real = nearest_other(made[:rows]), nearest_other(real[:rows])
    typical, very_near = float(of_real.median()), of_real.quantile(NEAREST)
    found = {"duplicates": float((of_made < very_near).double().mean())}
    return {"spread": float(of_made.median()) / typical, **found} if typical > 0 else found

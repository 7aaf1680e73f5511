"""The protocol of every number: blocks that share no row, means with intervals, and what is left above the floor.

A number about samples depends on how many there are: what is measured is that of blocks of n rows, beside the same
number between blocks of real samples (the floor). R independent pairs of blocks give a mean and a t interval. The
excess of a pair is its value less its own floor: independent over the pairs, and 0 on average where nothing differs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from wganx.errors import DataError

ROWS, REPEATS, FEWEST_REPEATS = 500, 10, 4
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """The mean of repetitions, and the ends of its 95 % t interval."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """Mean of independent values and its 95 % Student t interval, ``mean ± t s / √R`` with R - 1 degrees of freedom."""
    from scipy.stats import t

    found = torch.tensor(values, dtype=torch.float64)
    mean = float(found.mean())
    half = float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * float(found.std()) / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def excess(values: Sequence[float], floors: Sequence[float]) -> Interval:
    """What lies above the floor, pair by pair."""
    return interval([value - floor for value, floor in zip(values, floors)])


def plan(sizes: Mapping[str, int | None], n: int | None, repeats: int | None) -> tuple[int, int]:
    """Rows of a block and pairs of blocks, so that ``2 repeats`` disjoint blocks fit into each set.

    By default 10 repeats, fewer (not below 4) where blocks would have less than 50 rows; and at most 500 rows. A size
    of None stands for as many as are wanted.

    Raises:
        DataError: they do not fit, or fewer than 2 repeats of 2 rows would.
    """
    known = {name: size for name, size in sizes.items() if size is not None}
    name = min(known, key=lambda name: known[name], default="")
    smallest = known.get(name, 2 * REPEATS * max(n or 0, ROWS) * max(repeats or 0, 1))
    if repeats is None:
        most = smallest // 100 if n is None else smallest // (2 * n)
        repeats = min(REPEATS, max(most, FEWEST_REPEATS if n is None else 0))
    wanted = n
    if n is None:
        n = min(ROWS, smallest // (2 * repeats)) if repeats else 0
    if n < 2 or repeats < 2 or 2 * repeats * n > smallest:
        least = 2 * max(repeats, 2) * max(wanted or 2, 2)
        raise DataError(
            f"{name} has {smallest} rows, and an interval with its floor needs {least}: {2 * max(repeats, 2)} disjoint "
            f"blocks of {max(wanted or 2, 2)}; give more samples, or a smaller --n or --repeats (at least 2 each)"
        )
    return n, repeats

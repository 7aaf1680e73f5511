"""Distances between all rows of two sets, some rows at a time: what every metric of neighbours is made of."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wganx.errors import DataError

AT_ONCE = 2**21
"""Distances that are held at a time; blocks of 16 MiB are used again by the system, larger ones asked for anew."""


def check_rows(x: Tensor, y: Tensor, least: int) -> None:
    """Refuse sets of fewer than `least` rows, or rows of different length.

    Raises:
        DataError: with what there is.
    """
    if min(len(x), len(y)) < least:
        raise DataError(f"at least {least} rows a side are needed, and there are {len(x)} and {len(y)}")
    if x.shape[1:] != y.shape[1:]:
        raise DataError(f"features of {x.shape[1]} and {y.shape[1]} values cannot be compared; use one extractor")


def distances(x: Tensor, y: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances in float64 of rows of `x` ``(n, d)`` to all of `y` ``(m, d)``: which rows, ``(rows, m)``."""
    x, y = x.double(), y.double()
    centre = y.mean(dim=0)  # far from the origin the squares below would swallow the differences
    x, y = x - centre, y - centre
    squares_m = y.square().sum(dim=1)
    rows = max(AT_ONCE // len(y), 1)
    for start in range(0, len(x), rows):
        part = x[start : start + rows]
        squared = part.square().sum(dim=1, keepdim=True) + squares_m - 2 * part @ y.T
        yield slice(start, start + len(part)), squared.clamp(min=0).sqrt()


def nearest(x: Tensor, y: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances ``(n, k)``, ascending, and places in `y` of the `k` rows of `y` that are nearest to each row of `x`."""
    found = [rows.topk(k, dim=1, largest=False) for _, rows in distances(x, y)]
    return torch.cat([each.values for each in found]), torch.cat([each.indices for each in found])


def nearest_other(x: Tensor, k: int = 1) -> Tensor:
    """Distance ``(n,)`` of each row of `x` to its `k`-th nearest other row."""
    found = []
    for rows, part in distances(x, x):
        place = torch.arange(rows.start, rows.stop)
        part[place - rows.start, place] = torch.inf
        found.append(part.kthvalue(k, dim=1).values)
    return torch.cat(found)

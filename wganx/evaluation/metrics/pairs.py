"""Distances between all rows of two sets, some rows at a time: what every metric of neighbours is made of."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wganx.errors import DataError, TooFewRows

AT_ONCE = 2**19
"""Distances that are held at a time, 4 MiB of them."""


def check_rows(x: Tensor, y: Tensor, least: int) -> None:
    """Refuse sets of fewer than `least` rows, or rows of different length.

    Raises:
        DataError: with what there is.
    """
    if min(len(x), len(y)) < least:
        raise TooFewRows(f"at least {least} rows a side are needed, and there are {len(x)} and {len(y)}")
    if x.shape[1:] != y.shape[1:]:
        raise DataError(f"features of {x.shape[1]} and {y.shape[1]} values cannot be compared; use one extractor")


def distances(x: Tensor, y: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Euclidean distances in float64 of rows of `x` ``(n, d)`` to all of `y` ``(m, d)``: which rows, ``(rows, m)``."""
    x, y = x.double(), y.double()
    centre = y.mean(dim=0)  # far from the origin the squares below would swallow the differences
    x, y = x - centre, y - centre
    squares_m = y.square().sum(dim=1)
    y_T = y.T.contiguous()
    at_once = max(AT_ONCE // len(y), 1)
    for start in range(0, len(x), at_once):
        part = x[start : start + at_once]
        found = torch.addmm(squares_m, part, y_T, alpha=-2).add_(part.square().sum(dim=1, keepdim=True))
        yield slice(start, start + len(part)), found.clamp_(min=0).sqrt_()


def nearest(x: Tensor, y: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """Distances ``(n, k)``, ascending, and places in `y` of the `k` rows of `y` that are nearest to each row of `x`."""
    # Made before the blocks of distances, lest each of these leave a hole in memory below its own small result.
    found = torch.empty(len(x), k, dtype=torch.float64, device=x.device)
    places = torch.empty(len(x), k, dtype=torch.int64, device=x.device)
    for rows, part in distances(x, y):
        found[rows], places[rows] = part.topk(k, dim=1, largest=False)
    return found, places


def nearest_other(x: Tensor, k: int = 1) -> Tensor:
    """Distance ``(n,)`` of each row of `x` to its `k`-th nearest other row."""
    found = torch.empty(len(x), dtype=torch.float64, device=x.device)
    for rows, part in distances(x, x):
        part[torch.arange(len(part)), torch.arange(rows.start, rows.stop)] = torch.inf
        found[rows] = part.kthvalue(k, dim=1).values
    return found

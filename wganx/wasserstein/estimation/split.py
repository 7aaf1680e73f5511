"""Two sets of samples made ready for a critic: one shift, one scale, three parts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.devices import wide
from wganx.wasserstein.samples import Samples, as_points, as_tensor

FEWEST = 20
"""Samples needed on each side: fewer leave nothing to train on and nothing to read."""

_CHOOSE = 0.2
_GRAM_ROWS = 1000


@dataclass(frozen=True)
class Pair:
    """Samples of P and of Q, ``x (n, d)`` and ``y (m, d)``, in float32."""

    x: Tensor
    y: Tensor

    def batch(self, size: int, rng: torch.Generator) -> Pair:
        """`size` samples of each side, drawn with replacement."""
        rows = (torch.randint(len(side), (size,), generator=rng, device=rng.device) for side in (self.x, self.y))
        x, y = (side[index.to(side.device)] for side, index in zip((self.x, self.y), rows))
        return Pair(x, y)


@dataclass(frozen=True)
class Split:
    """Samples of P and Q, shifted by their common mean and divided by one `scale`, in three parts.

    One scale for all axes: every slope, and so every Lipschitz constant, stays what it was, and distances are `scale`
    times what is read here. The critic learns on `train`; when to stop is chosen on `choose`; the reading is taken on
    `heldout`, which has had a say in neither.
    """

    train: Pair
    choose: Pair
    heldout: Pair
    scale: float
    n: tuple[int, int]
    dim: int


def split(x: Samples, y: Samples, heldout: float, device: torch.device, rng: torch.Generator) -> Split:
    """Check two sets of samples ``(n, ...)`` and ``(m, ...)``, standardise them, and split them at random.

    Raises:
        ValueError: see `wganx.wasserstein.estimate_w1`.
    """
    if not 0 < heldout < 1:
        raise ValueError(f"heldout is the share of the samples kept for the reading, between 0 and 1; got {heldout}")
    x, y = as_tensor(x), as_tensor(y)
    x, y = as_points(x, y, _precision(x, y))
    if min(len(x), len(y)) < FEWEST:
        raise ValueError(f"an estimate needs at least {FEWEST} samples on each side, got {len(x)} and {len(y)}")
    # The same rows are held out on both sides: where rows come in pairs, or both sides are the same samples, the
    # reading would otherwise be taken on partners of what the critic was trained on.
    order = torch.randperm(max(len(x), len(y)), generator=rng).to(x.device)
    x, y = x[order[order < len(x)]], y[order[order < len(y)]]
    # Rounded to the samples' own precision before it is subtracted, so that the difference is all but exact.
    shift = (0.5 * (x.mean(0, dtype=torch.float64) + y.mean(0, dtype=torch.float64))).to(x.dtype)
    x, y = x - shift, y - shift
    scale = spread_of(x, y)
    parts = [_cut((side / scale).to(device, torch.float32), heldout) for side in (x, y)]
    train, choose, kept = (Pair(*sides) for sides in zip(*parts))
    return Split(train, choose, kept, scale, (len(x), len(y)), x.shape[1])


def _precision(x: Tensor, y: Tensor) -> torch.dtype:
    """float64 where float32 would round the samples themselves."""
    wide = any(side.dtype in (torch.float64, torch.int32, torch.int64) for side in (x, y))
    return torch.float64 if wide else torch.float32


def _cut(side: Tensor, heldout: float) -> tuple[Tensor, Tensor, Tensor]:
    """Training, choosing and held-out rows, at least three of each."""
    kept = min(max(3, round(heldout * len(side))), len(side) - 6)
    choosing = max(3, round(_CHOOSE * (len(side) - kept)))
    return side[kept + choosing :], side[kept : kept + choosing], side[:kept]


def spread_of(x: Tensor, y: Tensor) -> float:
    """``√(tr C² / tr C)``, C the covariance of both sets together: the spread along a typical direction.

    It is the spread of one axis where all are alike, and axes that hold nothing do not make it smaller. In this unit
    a distance is a number of moderate size in any dimension. ``tr C²`` is the mean of ``⟨u, v⟩²`` over pairs of
    different samples, which needs no matrix of the size of a sample squared.
    """
    rows = torch.cat([wide(side[:_GRAM_ROWS]) for side in (x, y)])
    rows = rows - rows.mean(0)
    largest = rows.abs().max().item()
    if largest == 0:
        return 1.0
    rows = rows / largest
    gram = rows @ rows.T
    trace = gram.diagonal().mean()
    squares = gram.square()
    trace_of_square = (squares.sum() - squares.diagonal().sum()) / (len(rows) * (len(rows) - 1))
    return largest * math.sqrt(float(trace_of_square / trace))

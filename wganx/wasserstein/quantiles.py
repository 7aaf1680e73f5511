"""Transport on the line: the optimal plan keeps the order, so sorting is all there is to solve."""

from __future__ import annotations

import torch
from torch import Tensor


def line_cost(x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """``Wp^p`` on the line between each row of ``x (B, n)`` and of ``y (B, m)``: ``(B,)``, differentiable in both.

    ``Wp^p = ∫_0^1 |F^-1(q) - G^-1(q)|^p dq`` with the quantile functions of the two rows (Villani, "Topics in Optimal
    Transportation", 2003, theorem 2.18), a sum over the steps of both. `weights` are ``(n,)`` and ``(m,)`` in float64,
    the same for every row. ``O(B (n + m) log(n + m))`` time, ``O(B (n + m))`` memory.
    """
    (x, x_order), (y, y_order) = x.sort(dim=1), y.sort(dim=1)
    if weights is None and x.shape == y.shape:
        return _power(x - y, p).mean(1)
    # The levels at which each quantile function steps; one row for all where there are no weights.
    if weights is None:
        below_x, below_y = _steps(x), _steps(y)
    else:
        below_x, below_y = weights[0][x_order].cumsum(1), weights[1][y_order].cumsum(1)
    levels = torch.cat([below_x, below_y], dim=1).sort(dim=1).values
    widths = levels.diff(dim=1, prepend=torch.zeros_like(levels[:, :1]))
    gaps = _at(x, below_x, levels) - _at(y, below_y, levels)
    return (_power(gaps, p) * widths.to(gaps.dtype)).sum(1)


def _steps(values: Tensor) -> Tensor:
    """``1/n, 2/n, ..., 1`` for rows of n equally weighted values: ``(1, n)``."""
    count = values.shape[1]
    return torch.arange(1, count + 1, dtype=torch.float64, device=values.device)[None] / count


def _at(values: Tensor, below: Tensor, levels: Tensor) -> Tensor:
    """The quantile function with steps `values` up to the levels `below`, read on the pieces that end at `levels`."""
    index = torch.searchsorted(below, levels).clamp_(max=values.shape[1] - 1)
    return values.gather(1, index.expand(len(values), -1))


def _power(gaps: Tensor, p: float) -> Tensor:
    return gaps.abs() if p == 1 else gaps.abs().pow(p)

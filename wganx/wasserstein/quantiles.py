"""Transport on the line: the optimal plan keeps the order, so sorting is all there is to solve."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx.wasserstein.ground_cost import mean_power


def line_cost(x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """``Wp^p`` on the line between each row of ``x (B, n)`` and of ``y (B, m)``: ``(B,)``, differentiable in both.

    ``Wp^p = ∫_0^1 |F^-1(q) - G^-1(q)|^p dq`` with the quantile functions of the two rows (Villani, "Topics in Optimal
    Transportation", 2003, theorem 2.18), a sum over the steps of both. `weights` are ``(n,)`` and ``(m,)`` in float64,
    the same for every row. ``O(B (n + m) log(n + m))`` time, ``O(B (n + m))`` memory.
    """
    gaps, widths = _matched(x, y, weights)
    powers = gaps.abs() if p == 1 else gaps.abs().pow(p)
    return powers.mean(1) if widths is None else (powers * widths.to(gaps.dtype)).sum(1)


def line_distance(x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None = None) -> float:
    """``Wp`` between ``x (n,)`` and ``y (m,)`` on the line, at any scale and exponent."""
    gaps, widths = _matched(x[None], y[None], weights)
    if widths is None:
        widths = torch.full_like(gaps, 1 / gaps.shape[1])
    return mean_power(gaps[0].abs(), widths.expand_as(gaps)[0], p)


def _matched(x: Tensor, y: Tensor, weights: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor | None]:
    """How far apart both quantile functions lie on each of their common steps, and how wide it is; None: all alike."""
    (x, x_order), (y, y_order) = x.sort(dim=1), y.sort(dim=1)
    if weights is None and x.shape == y.shape:
        return x - y, None
    # The levels at which each quantile function steps; one row for all where there are no weights.
    if weights is None:
        below_x, below_y = _steps(x), _steps(y)
    else:
        below_x, below_y = weights[0][x_order].cumsum(1), weights[1][y_order].cumsum(1)
    levels = torch.cat([below_x, below_y], dim=1).sort(dim=1).values
    widths = levels.diff(dim=1, prepend=torch.zeros_like(levels[:, :1]))
    if weights is not None:
        # Sums that are equal but for rounding leave steps of no width, whose gap a high power would blow up.
        widths = widths.where(widths > torch.finfo(widths.dtype).eps * widths.shape[1], 0.0)
    return _at(x, below_x, levels) - _at(y, below_y, levels), widths


def _steps(values: Tensor) -> Tensor:
    """``1/n, 2/n, ..., 1`` for rows of n equally weighted values: ``(1, n)``."""
    count = values.shape[1]
    return torch.arange(1, count + 1, dtype=torch.float64, device=values.device)[None] / count


def _at(values: Tensor, below: Tensor, levels: Tensor) -> Tensor:
    """The quantile function with steps `values` up to the levels `below`, read on the pieces that end at `levels`."""
    index = torch.searchsorted(below, levels).clamp_(max=values.shape[1] - 1)
    return values.gather(1, index.expand(len(values), -1))

"""Transport on the line: the optimal plan keeps the order, so sorting is all there is to solve."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx.wasserstein.ground_cost import HIGH_POWER, mean_power, root, with_value
from wganx.wasserstein.samples import unit_of

SHORT = 256
"""Rows of fewer values are sorted by torch, whose calls cost less there and can be recorded."""

FEW = 2**14
"""Up to this many values together their common steps are kept: batches of a training have the same sizes every time."""


def line_cost(x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """``Wp^p`` on the line between each row of ``x (B, n)`` and of ``y (B, m)``: ``(B,)``, differentiable in all.

    ``Wp^p = ∫_0^1 |F^-1(q) - G^-1(q)|^p dq`` with the quantile functions of the two rows (Villani, "Topics in Optimal
    Transportation", 2003, theorem 2.18), a sum over the steps of both. `weights` are ``(n,)`` and ``(m,)`` in float64,
    the same for every row. ``O(B (n + m) log(n + m))`` time, ``O(B (n + m))`` memory.
    """
    gaps, widths = _matched(x, y, p, weights)
    powers = gaps.abs() if p == 1 else gaps.abs().pow(p)
    return powers.mean(1) if widths is None else (powers * widths.to(gaps.dtype)).sum(1)


def line_lengths(x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """``Wp`` itself of each row, as `line_cost`: for exponents whose powers leave the range of numbers."""
    gaps, widths = _matched(x, y, p, weights)
    largest = gaps.detach().abs().amax(1, keepdim=True)
    largest = largest.where(largest > 0, 1.0)
    powers = (gaps / largest).abs().pow(p)
    means = powers.mean(1) if widths is None else (powers * widths.to(gaps.dtype)).sum(1)
    return largest[:, 0] * root(means, p)


def line_distance(
    x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None = None
) -> tuple[float, Tensor | None]:
    """``Wp`` between ``x (n,)`` and ``y (m,)`` on the line at any scale and exponent, and it with its graph, if any."""
    gaps, found = _matched(x[None], y[None], p, weights)
    lengths = gaps[0].abs()
    widths = torch.full_like(lengths, 1 / len(lengths)) if found is None else found[0]
    if not (lengths.requires_grad or widths.requires_grad):
        return mean_power(lengths, widths, p), None
    value = mean_power(lengths.detach(), widths.detach(), p)
    return value, with_value(_with_graph(lengths, widths, p), value)


def _with_graph(lengths: Tensor, widths: Tensor, p: float) -> Tensor:
    if p == 1:
        return (lengths * widths).sum()
    # A step of no width moves no sample, though what widening it would cost is the gradient of the weights.
    wide = widths.detach() > 0
    lengths = lengths.where(wide, lengths.detach())
    largest = float(lengths.detach()[wide].max())
    unit = largest if p > HIGH_POWER and largest > 0 else unit_of(largest)
    return unit * root((widths * (lengths / unit).pow(p).nan_to_num()).sum(), p)


def _matched(x: Tensor, y: Tensor, p: float, weights: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor | None]:
    """How far apart both quantile functions lie on each of their common steps, and how wide it is; None: all alike."""
    n, m = x.shape[1], y.shape[1]
    if weights is None:
        x, y = _ascending(x), _ascending(y)
        if n == m:
            return x - y, None
        steps = _kept_steps if n + m <= FEW else _common_steps
        at_x, at_y, widths = (found.to(x.device) for found in steps(n, m))
        return x.index_select(1, at_x) - y.index_select(1, at_y), widths
    (x, x_order), (y, y_order) = _ordered(x), _ordered(y)
    # The levels at which each quantile function steps. Of two that are equal that of x counts as the first.
    levels = torch.cat([weights[0][x_order].cumsum(1), weights[1][y_order].cumsum(1)], dim=1)
    order = _stable(levels)
    of_x = (order < n).long()
    at_x = of_x.cumsum(1).sub_(of_x)
    at_y = torch.arange(n + m, device=x.device) - at_x
    at_x, at_y = at_x.clamp_(max=n - 1), at_y.clamp_(max=m - 1)
    levels = levels.gather(1, order)
    widths = levels.diff(dim=1, prepend=torch.zeros_like(levels[:, :1]))
    # Sums that are equal but for rounding leave steps of no width, whose gap a high power would blow up; for p = 1 they
    # cost what they weigh, and of very many samples some are truly as narrow. That they count as 0 is no part of the
    # gradient.
    own = widths.detach()
    speck = torch.finfo(own.dtype).eps * (n + m if p > 1 else min(n + m, 8))
    widths = widths - own.where(own <= speck, 0.0)
    return x.gather(1, at_x) - y.gather(1, at_y), widths


def _common_steps(n: int, m: int) -> tuple[Tensor, Tensor, Tensor]:
    """Where the quantile functions of n and m equally weighted values are on each of their common steps.

    The step that ends at the level ``i / n`` of the one side ends beyond ``(i m - 1) // n`` levels of the other, all in
    integers. Returned are the index of the value on either side and the width of the step, ``(n + m,)`` each; where
    both sides have a level, the second of the two steps has no width.
    """
    i, j = np.arange(1, n + 1), np.arange(1, m + 1)
    other_i, other_j = (i * m - 1) // n, (j * n - 1) // m
    place_i, place_j = i - 1 + other_i, j - 1 + j * n // m
    at_x, at_y, levels = np.empty(n + m, np.int64), np.empty(n + m, np.int64), np.empty(n + m)
    at_x[place_i], at_x[place_j] = i - 1, other_j
    at_y[place_i], at_y[place_j] = other_i, j - 1
    levels[place_i], levels[place_j] = i / n, j / m
    levels[1:] -= levels[:-1].copy()
    widths = levels[None]
    return torch.from_numpy(at_x), torch.from_numpy(at_y), torch.from_numpy(widths)


_kept_steps = lru_cache(8)(_common_steps)


def _ascending(values: Tensor) -> Tensor:
    """Each row in ascending order, with the graph. On the CPU by numpy, which sorts some three times as fast."""
    if values.requires_grad or _by_torch(values):
        return _ordered(values)[0]
    return torch.from_numpy(_by_rows(np.sort, values.numpy()))


def _ordered(values: Tensor) -> tuple[Tensor, Tensor]:
    """Each row in ascending order, with the graph, and which value came where; equal ones stay as they were."""
    if _by_torch(values):
        ordered, order = values.sort(dim=1, stable=True)
        return ordered, order
    found = _by_rows(np.argsort, values.detach().numpy())
    ordered = values.gather(1, torch.from_numpy(found))
    plain = ordered.detach().numpy()
    _settle(found, plain[:, 1:] == plain[:, :-1])
    return ordered, torch.from_numpy(found)


def _by_torch(rows: Tensor) -> bool:
    return rows.device.type != "cpu" or rows.shape[1] < SHORT


def _settle(order: NDArray[np.int64], equal: NDArray[np.bool_]) -> None:
    """Puts values that are equal to the one before, which numpy's quick way leaves in any order, as they were."""
    if not equal.any():
        return
    first, tied = np.ones(order.shape, bool), np.zeros(order.shape, bool)
    first[:, 1:], tied[:, 1:] = ~equal, equal
    tied[:, :-1] |= equal
    group = first.cumsum().reshape(order.shape)[tied]
    count = order.shape[1]
    order[tied] = np.sort(group * count + order[tied]) % count


def _stable(values: Tensor) -> Tensor:
    """The order of each row, found at once where it consists of two that are in order."""
    if _by_torch(values):
        return values.argsort(dim=1, stable=True)
    return torch.from_numpy(_by_rows(partial(np.argsort, kind="stable"), values.detach().numpy()))


def _by_rows(sort: Callable[..., NDArray[Any]], rows: NDArray[Any]) -> NDArray[Any]:
    """`sort` of all rows by as many threads as torch has: numpy itself takes one."""
    threads = min(torch.get_num_threads(), len(rows))
    if threads == 1:
        return sort(rows)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(sort, np.array_split(rows, threads))))

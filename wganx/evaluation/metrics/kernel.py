"""The kernel distance: the maximum mean discrepancy of a cubic kernel."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx.evaluation.metrics.pairs import check_rows

AT_ONCE = 2**19


def kernel_distance(x: Tensor, y: Tensor) -> float:
    r"""Unbiased squared MMD of the kernel :math:`k(a, b) = (a \cdot b / d + 1)^3`.

    :math:`E\,k(x, x') + E\,k(y, y') - 2 E\,k(x, y)` over different rows (Bińkowski et al. 2018, whose KID it is on
    features of Inception, and on no others): the mean does not depend on the number of rows, so values may lie below
    0, and at 0 nothing tells the sets apart. The kernel sees three moments of the features.

    Args:
        x, y: features ``(n, d)`` and ``(m, d)``, at least 2 rows each.

    Raises:
        DataError: fewer.
    """
    check_rows(x, y, 2)
    x, y = x.double(), y.double()
    own = sum((_total(side, side) - float(_kernel((side * side).sum(dim=1), side.shape[1]).sum())) /
              (len(side) * (len(side) - 1)) for side in (x, y))  # fmt: skip
    return own - 2 * _total(x, y) / (len(x) * len(y))


def _total(x: Tensor, y: Tensor) -> float:
    return sum(float(_kernel(part @ y.T, x.shape[1]).sum()) for part in torch.split(x, max(AT_ONCE // len(y), 1)))


def _kernel(products: Tensor, dim: int) -> Tensor:
    return (products / dim + 1) ** 3

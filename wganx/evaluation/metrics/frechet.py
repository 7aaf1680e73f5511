"""The Fréchet distance between the Gaussians with the moments of two sets of features."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx.evaluation.metrics.pairs import check_rows


def frechet_distance(x: Tensor, y: Tensor) -> float:
    r"""Squared 2-Wasserstein distance of the Gaussians with the means and covariances of `x` and `y`.

    :math:`\|m_x - m_y\|^2 + \operatorname{tr}(C_x + C_y - 2 (C_x C_y)^{1/2})` (Dowson and Landau 1982; on features of
    Inception it is the FID of Heusel et al. 2017, and on no others). With ``C = L Lᵀ`` the trace of the root is the
    sum of the singular values of ``L_xᵀ L_y``, which needs no root of a matrix and is sound where there are fewer rows
    than features. It sees first and second moments only, and grows as rows get fewer: read it beside the floor.

    Args:
        x, y: features ``(n, d)`` and ``(m, d)``, at least 2 rows each.

    Raises:
        DataError: fewer.
    """
    check_rows(x, y, 2)
    x, y = x.double(), y.double()
    factors = [_factor(side) for side in (x, y)]
    spread = sum(float(factor.square().sum()) for factor in factors)
    between = float((x.mean(dim=0) - y.mean(dim=0)).square().sum())
    return max(between + spread - 2 * float(torch.linalg.svdvals(factors[0].T @ factors[1]).sum()), 0.0)


def _factor(x: Tensor) -> Tensor:
    """``L`` with ``L Lᵀ`` the covariance of the rows, ``(d, min(n, d))``."""
    scaled: Tensor = (x - x.mean(dim=0)).T / float(len(x) - 1) ** 0.5
    if scaled.shape[0] >= scaled.shape[1]:
        return scaled
    variances, axes = torch.linalg.eigh(scaled @ scaled.T)
    factor: Tensor = axes * variances.clamp(min=0).sqrt()
    return factor

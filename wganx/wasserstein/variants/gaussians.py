"""W2 between Gaussians: the one closed form in many dimensions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wganx.wasserstein.divergences import Divergence, Gaussian
from wganx.wasserstein.samples import Samples, as_tensor, unit_of

Moments = Gaussian | tuple[Samples | float, Samples | float]
"""A `Gaussian`, or a pair of a mean ``(d,)`` and a covariance ``(d, d)``, which may be singular."""

NEGATIVE = 1e-8
"""The share of the largest eigenvalue by which another may lie below 0, as rounding has it."""

SINGULAR = 1e-12
"""The share of the largest eigenvalue below which another counts as 0."""


def gaussian_w2(p: Moments, q: Moments) -> Divergence:
    r"""W2 between two Gaussians, exact:
    :math:`W_2^2 = \|m_p - m_q\|^2 + tr\,S_p + tr\,S_q - 2\, tr\,(S_p^{1/2} S_q S_p^{1/2})^{1/2}`.

    The part of the covariances S is the Bures metric, for covariances that commute
    :math:`\|S_p^{1/2} - S_q^{1/2}\|_F^2` (Dowson and Landau, "The Frechet distance between multivariate normal
    distributions", 1982). It is computed as the least :math:`\|A - B O\|_F^2` over orthogonal O, with
    :math:`A A^T = S_p` and :math:`B B^T = S_q`: nothing cancels, so equal Gaussians are 0 apart, and covariances may be
    singular. Its square is the Frechet distance of FID. Time :math:`O(d^3)`.

    Where a mean or a covariance requires a gradient the result's `tensor` has it, but no second one; 0 between equal
    Gaussians.

    Args:
        p, q: two `Gaussian`, or pairs of a mean ``(d,)`` and a covariance ``(d, d)``; numbers stand for d = 1.

    Raises:
        ValueError: shapes that do not fit, a covariance that is not symmetric or has an eigenvalue below 0, or a
            gradient in a covariance that is singular, where there is none.
    """
    (mean, spread), (other_mean, other_spread) = _moments(p), _moments(q)
    if len(mean) != len(other_mean):
        raise ValueError(f"the Gaussians have {len(mean)} and {len(other_mean)} dimensions; both need the same")
    other_mean, other_spread = other_mean.to(mean.device), other_spread.to(mean.device)
    value: Tensor = _Bures.apply(mean, spread, other_mean, other_spread)  # type: ignore[no-untyped-call]
    return Divergence(float(value.detach()), None, "closed form", tensor=value if value.requires_grad else None)


class _Bures(torch.autograd.Function):
    """W2; the gradients in the covariances are ``(I - T) / (2 W2)`` with the optimal maps T, which are linear."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, spread: Tensor, other_mean: Tensor, other_spread: Tensor) -> Tensor:
        shift = mean - other_mean
        unit = unit_of(float(shift.abs().max()), *(math.sqrt(float(s.abs().max())) for s in (spread, other_spread)))
        one, other = (_factor(s / unit / unit) for s in (spread, other_spread))
        u, _, v = torch.linalg.svd(one.T @ other)
        turned = other @ (u @ v).T  # the factor of the other covariance that lies nearest to `one`
        shift = shift / unit
        value: Tensor = (shift.square().sum() + (one - turned).square().sum()).sqrt()
        ctx.save_for_backward(value, shift, one, turned)
        ctx.unit = unit
        return value * unit

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise ValueError("gaussian_w2 has a first derivative only: leave out create_graph=True")
        value, shift, one, turned = ctx.saved_tensors
        _, want_spread, _, want_other = ctx.needs_input_grad
        if value == 0:
            return tuple(torch.zeros_like(each) for each in (shift, one, shift, one))
        share = grad / value
        to_mean = share * shift
        own = share / (2 * ctx.unit)
        return (
            to_mean,
            own * _less_map(one, turned) if want_spread else None,
            -to_mean,
            own * _less_map(turned, one) if want_other else None,
        )


def _less_map(one: Tensor, other: Tensor) -> Tensor:
    """``I - T`` for the map T that takes ``one one'`` to ``other other'``: ``T one = other``."""
    values = torch.linalg.svdvals(one)
    if bool(values[-1].square() <= SINGULAR * values[0].square()):
        raise ValueError(
            "gaussian_w2 has no gradient in a covariance that is singular: add a little to its diagonal, or detach it"
        )
    map_: Tensor = torch.linalg.solve(one, other, left=False)
    return torch.eye(len(one)).to(one) - (map_ + map_.T) / 2


def _factor(spread: Tensor) -> Tensor:
    """A with ``A A' = spread``."""
    values, vectors = torch.linalg.eigh(spread)
    if bool(values[0] < -NEGATIVE * values.abs().max()):
        raise ValueError(f"a covariance has no eigenvalue below 0; this one has {float(values[0]):.3g} of its unit")
    # The root of what rounding leaves of 0 would be seen in the eighth digit.
    rounding = len(values) * torch.finfo(values.dtype).eps * values.abs().max()
    factor: Tensor = vectors * values.where(values > rounding, 0.0).sqrt()
    return factor


def _moments(side: Moments) -> tuple[Tensor, Tensor]:
    if isinstance(side, Gaussian):
        return side.mean, side.covariance
    if not isinstance(side, tuple) or len(side) != 2:
        raise ValueError(f"give two Gaussians, or two pairs (mean, covariance); got a {type(side).__name__}")
    mean, spread = (
        as_tensor(each if isinstance(each, (Tensor, list, tuple)) else np.asarray(each), what, graph=True).double()
        for each, what in zip(side, ("a mean", "a covariance"))
    )
    mean = mean.reshape(-1)
    d = len(mean)
    if d == 0 or spread.numel() != d * d:
        raise ValueError(f"a mean of {d} values needs a covariance of shape ({d}, {d}), got {tuple(spread.shape)}")
    spread = spread.to(mean.device).reshape(d, d)
    if not bool(mean.isfinite().all() & spread.isfinite().all()):
        raise ValueError("mean and covariance must be finite")
    if bool((spread - spread.T).abs().max() > NEGATIVE * spread.abs().max()):
        raise ValueError("a covariance must be symmetric")
    return mean, (spread + spread.T) / 2

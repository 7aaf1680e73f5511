"""Gradients of entropic transport at its optimum, and a value that carries them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from wganx.wasserstein.sinkhorn.problem import Problem


def pulls(problem: Problem, potentials: tuple[Tensor, Tensor], epsilon: float) -> tuple[Tensor, Tensor]:
    """``Σ_j π_ij ∂c(x_i, y_j)/∂x_i`` ``(n, d)`` and ``Σ_i π_ij ∂c(x_i, y_j)/∂y_j`` ``(m, d)``, in float64.

    By the envelope theorem these are the gradients of the least cost in the samples: at the optimum it does not change
    with the plan. Where two samples coincide, their distance has derivative 0. Of a symmetric problem, both are one.
    """
    problem, p = problem.to(torch.float64), problem.p
    f, g = (each.double() for each in potentials)
    x, y = problem.first.points, problem.second.points
    of_x, of_y = torch.zeros_like(x), torch.zeros_like(y)
    for tile in problem.tiles():
        squared = problem.squared_distances(tile)
        exponents = f[tile.rows, None] + g[tile.columns] - squared.pow(p / 2)
        plan = exponents.div_(epsilon).exp_()
        plan *= problem.first.weights[tile.rows, None] * problem.second.weights[tile.columns]
        pull = plan.mul_(p) if p == 2 else plan.mul_(torch.where(squared > 0, p * squared.pow(p / 2 - 1), 0.0))
        own, other = x[tile.rows], y[tile.columns]
        of_x[tile.rows] += pull.sum(1)[:, None] * own - pull @ other
        of_columns = of_x if tile.mirrored else of_y
        of_columns[tile.columns] += pull.sum(0)[:, None] * other - pull.T @ own
    return of_x, of_x if problem.symmetric else of_y


def carrying(value: Tensor, gradients: Sequence[Tensor], of: Sequence[Tensor]) -> Tensor:
    """`value` as a function of the tensors `of`, whose gradients are known; a second derivative is refused."""
    carried: Tensor = _Carrying.apply(value, len(of), *of, *gradients)  # type: ignore[no-untyped-call]
    return carried


class _Carrying(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, count: int, *of_and_gradients: Tensor) -> Tensor:
        ctx.count = count
        ctx.save_for_backward(*of_and_gradients)
        return value.clone()

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        of, gradients = ctx.saved_tensors[: ctx.count], ctx.saved_tensors[ctx.count :]
        found = (above.to(own) * _Last.apply(own, each) for own, each in zip(gradients, of))  # type: ignore[no-untyped-call]
        return None, None, *found, *(None for _ in of)


class _Last(torch.autograd.Function):
    """A gradient that says so where it is to be differentiated, in place of having none."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, of: Tensor) -> Tensor:
        return gradient.clone()

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        raise ValueError(
            "sinkhorn_divergence has a gradient and no second derivative: take it without create_graph, or detach it"
        )

"""Sums of a kernel over all pairs of rows: a block of rows at a time, the gradient as well."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import Tensor

FAR = 1e4
"""Samples this many times the length of interest away from their centre are compared coordinate by coordinate."""

FEW = 25
"""Up to this many rows on both sides torch.cdist compares coordinates whatever it is asked for."""


@dataclass(frozen=True)
class Kernel:
    """A function k of the distance r.

    Attributes:
        at: k(r) for distances r, and the unit that they are in.
        pull: k'(r) / r in that unit, which turns the vector between two rows into the gradient of their k; where k
            has a kink at 0, its gradient there is 0: the pull is given for r > 0 and taken for 0 at 0.
        smooth: without a kink at 0.
    """

    at: Callable[[Tensor, float], Tensor]
    pull: Callable[[Tensor, float], Tensor]
    smooth: bool = False


def gaussian(bandwidth: float) -> Kernel:
    """``exp(-r² / (2 s²))``."""

    def at(distance: Tensor, unit: float) -> Tensor:
        return torch.exp((distance * (unit / bandwidth)).square() / -2)

    return Kernel(at, lambda distance, unit: -((unit / bandwidth) ** 2) * at(distance, unit), smooth=True)


def laplacian(bandwidth: float) -> Kernel:
    """``exp(-r / s)``."""

    def at(distance: Tensor, unit: float) -> Tensor:
        return torch.exp(distance * -(unit / bandwidth))

    return Kernel(at, lambda distance, unit: -(unit / bandwidth) * at(distance, unit) / distance)


LENGTH = Kernel(lambda distance, unit: distance * unit, lambda distance, unit: unit / distance)
"""r itself."""


def mean_of(kernels: Sequence[Kernel]) -> Kernel:
    """The mean of kernels of one kind."""
    if len(kernels) == 1:
        return kernels[0]

    def mean(of: Sequence[Callable[[Tensor, float], Tensor]]) -> Callable[[Tensor, float], Tensor]:
        return lambda distance, unit: reduce(torch.add, (each(distance, unit) for each in of)) / len(of)

    return Kernel(mean([k.at for k in kernels]), mean([k.pull for k in kernels]), kernels[0].smooth)


@dataclass(frozen=True)
class Pairs:
    """How a kernel is summed over pairs of rows.

    Attributes:
        kernel: of their distance.
        unit: that the rows are in.
        mode: of `torch.cdist`.
        coincident: a distance up to which rows count as one for the gradient: what rounding makes of 0.
        own_is_zero: whether a row's distance to itself is put right where rounding made it more than 0. Only with a
            gradient, which finite differences of that rounding would contradict.
        batch: rows at a time.
    """

    kernel: Kernel
    unit: float
    mode: str
    coincident: float
    own_is_zero: bool
    batch: int

    @staticmethod
    def make(kernel: Kernel, x: Tensor, y: Tensor, unit: float, length: float, batch: int) -> Pairs:
        """For a kernel that tells distances of size `length` apart."""
        # The matrix-product route of cdist is quick and loses the digits of distances far below the samples' norms.
        norm = float(torch.maximum(x.detach().norm(dim=1).max(), y.detach().norm(dim=1).max()))
        if norm * unit >= FAR * length or max(len(x), len(y)) <= FEW:
            return Pairs(kernel, unit, "donot_use_mm_for_euclid_dist", 0.0, False, batch)
        graph = x.requires_grad or y.requires_grad
        rounding = norm * math.sqrt(8 * torch.finfo(x.dtype).eps)
        return Pairs(kernel, unit, "use_mm_for_euclid_dist_if_necessary", rounding, graph, batch)

    def total(self, x: Tensor, y: Tensor | None = None, weights: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """``Σ_ij a_i b_j k(|x_i - y_j|)``, weights of 1 if None; y is x if None. Differentiable, and twice so.

        Memory is that of ``batch`` rows of the matrix, the backward pass included; a second derivative holds all.
        """
        found: Tensor = _Total.apply(self, x, y, *(weights or (None, None)))  # type: ignore[no-untyped-call]
        return found

    def at_zero(self, like: Tensor) -> Tensor:
        """``k(0)``."""
        return self.kernel.at(like.new_zeros(()), self.unit)


class _Total(torch.autograd.Function):
    """A sum whose backward pass makes the blocks again instead of keeping them."""

    @staticmethod
    def forward(ctx: Any, pairs: Pairs, x: Tensor, y: Tensor | None, a: Tensor | None, b: Tensor | None) -> Tensor:
        ctx.pairs = pairs
        ctx.save_for_backward(x, y, a, b)
        total = x.new_zeros(())
        for first, rows, mass in _blocks(pairs.batch, x, a):
            values = pairs.kernel.at(
                _between(rows, x if y is None else y, first if y is None else None, pairs), pairs.unit
            )
            total = total + (values.sum() if mass is None or b is None else mass @ (values @ b))
        return total

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        pairs, (x, y, a, b) = ctx.pairs, ctx.saved_tensors
        others = x if y is None else y
        _, want_x, want_y, want_a, want_b = ctx.needs_input_grad
        to_x, to_a = [], []
        to_y, to_b = torch.zeros_like(others), others.new_zeros(len(others))
        for first, rows, mass in _blocks(pairs.batch, x, a):
            between = _Distances.apply(rows, others, first if y is None else None, pairs)  # type: ignore[no-untyped-call]
            if want_x or want_y:
                pull = _pull(between, pairs)
                if mass is not None and b is not None:
                    pull = mass[:, None] * pull * b
                if want_x:
                    to_x.append(pull.sum(dim=1, keepdim=True) * rows - pull @ others)
                if want_y:
                    to_y = to_y + pull.sum(dim=0)[:, None] * others - pull.T @ rows
            if mass is not None and b is not None and (want_a or want_b):
                values = pairs.kernel.at(between, pairs.unit)
                to_a.append(values @ b)
                to_b = to_b + values.T @ mass
        # Within one set each row is on both sides of its pairs.
        both = 2 * grad if y is None else grad
        return (
            None,
            both * torch.cat(to_x) if want_x else None,
            grad * to_y if want_y else None,
            grad * torch.cat(to_a) if want_a else None,
            grad * to_b if want_b else None,
        )


class _Distances(torch.autograd.Function):
    """`torch.cdist` with a gradient that can be differentiated again, and is 0 between rows that coincide."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, own: int | None, pairs: Pairs) -> Tensor:
        between = _between(x, y, own, pairs)
        ctx.pairs = pairs
        ctx.save_for_backward(x, y, between)
        return between

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y, between = ctx.saved_tensors
        pull = _apart(grad, between, ctx.pairs) / _apart(between, between, ctx.pairs, otherwise=1.0)
        to_x = pull.sum(dim=1, keepdim=True) * x - pull @ y
        to_y = pull.sum(dim=0)[:, None] * y - pull.T @ x
        return to_x, to_y, None, None


def _between(rows: Tensor, others: Tensor, own: int | None, pairs: Pairs) -> Tensor:
    """Distances; `own` is where the rows begin among the others, None where they are not among them."""
    between = torch.cdist(rows, others, compute_mode=pairs.mode)
    if pairs.own_is_zero and own is not None:
        between.diagonal(own).zero_()
    return between


def _pull(between: Tensor, pairs: Pairs) -> Tensor:
    if pairs.kernel.smooth:
        return pairs.kernel.pull(between, pairs.unit)
    pull = pairs.kernel.pull(_apart(between, between, pairs, otherwise=1.0), pairs.unit)
    return _apart(pull, between, pairs)


def _apart(values: Tensor, between: Tensor, pairs: Pairs, otherwise: float = 0.0) -> Tensor:
    """`values` of the pairs that are apart, and `otherwise` for those that coincide."""
    return values.where(between > pairs.coincident, otherwise)


def _blocks(batch: int, x: Tensor, a: Tensor | None) -> Iterator[tuple[int, Tensor, Tensor | None]]:
    """Where each block begins, its rows and their weights."""
    starts = range(0, len(x), batch)
    return ((first, x[first : first + batch], None if a is None else a[first : first + batch]) for first in starts)

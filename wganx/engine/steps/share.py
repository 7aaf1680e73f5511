"""The rows of a batch that one process has, among those of all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from wganx.engine.ranks import Ranks

# How many times over a network may be given the rows of a batch: real beside fake samples, several candidate points.
_MOST_COPIES = 8


class _Sum(torch.autograd.Function):
    """Sum over the ranks, forwards and backwards: each rank's loss depends on the rows of all."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, ranks: Ranks) -> Tensor:
        ctx.ranks = ranks
        return ranks.sum_(own.clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return summed(grad, ctx.ranks), None


def summed(own: Tensor, ranks: Ranks) -> Tensor:
    """The sum of what each rank has."""
    return _Sum.apply(own, ranks)  # type: ignore[no-any-return, no-untyped-call]


class Share:
    """Rows `rows` of a batch of `total`, which all ranks together compute.

    Args:
        rows: this rank's, of those that are computed now.
        total: rows of the whole batch.
        together: rows that all ranks compute now; fewer than `total` where a batch is taken in several parts.
    """

    def __init__(self, rows: slice, total: int, together: int, ranks: Ranks) -> None:
        self.rows = rows
        self.total = total
        self.ranks = ranks
        self.count = rows.stop - rows.start
        self.times = together / self.count

    @contextmanager
    def by_packs(self, pack: int) -> Iterator[None]:
        """Inside, `pack` rows are one: the critic, which is given packs, draws and takes its means for each of them.

        What a critic draws for each sample of a pack, with packs and samples on one axis, is not cut from a draw for
        all: it is as good, and not what one process draws.
        """
        rows = self.rows, self.total, self.count
        self.rows = slice(self.rows.start // pack, self.rows.stop // pack)
        self.total, self.count = self.total // pack, self.count // pack
        try:
            yield
        finally:
            self.rows, self.total, self.count = rows

    def whole(self, shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """The shape over all rows of something that has `shape` here; None where it is no matter of rows."""
        if not shape or shape[0] % self.count or not 0 < shape[0] // self.count <= _MOST_COPIES:
            return None
        return (shape[0] // self.count * self.total, *shape[1:])

    def own(self, whole: Tensor) -> Tensor:
        """This rank's rows of something that was made for all; with several copies of the batch, of each."""
        copies = whole.view(-1, self.total, *whole.shape[1:])[:, self.rows]
        return copies.reshape(-1, *whole.shape[1:])

    def among_all(self, values: Tensor, others: float) -> Tensor:
        """The rows `values` in their place among those of the whole batch, each of which is `others`."""
        copies = values.reshape(-1, self.count, *values.shape[1:])
        edges = (0, 0) * (values.ndim - 1) + (self.rows.start, self.total - self.rows.stop)
        return functional.pad(copies, edges, value=others).reshape(-1, *values.shape[1:])

    def all(self, values: Tensor) -> Tensor:
        """The rows of all ranks, where each has its own `values`."""
        return summed(self.among_all(values, 0.0), self.ranks)

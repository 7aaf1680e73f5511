"""Rows of a batch, computed as if the whole batch were there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from wganx.engine.ranks import Ranks
from wganx.errors import UsageError
from wganx.wasserstein import whole_batch

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
        return _sum(grad, ctx.ranks), None


def _sum(own: Tensor, ranks: Ranks) -> Tensor:
    return _Sum.apply(own, ranks)  # type: ignore[no-any-return, no-untyped-call]


class AsWholeBatch(TorchFunctionMode):
    """Inside, rows `rows` of a batch of `total` are treated as all ranks together treat the whole batch.

    - What is drawn a row (noise, weights, dropout masks) is drawn for the whole batch, on every rank alike, and cut to
      the own rows: random streams stay in step, and no draw depends on the number of ranks.
    - Batch norm in training mode takes its statistics over all ranks.
    - `wganx.wasserstein.whole_batch` gives the values of all ranks' rows.

    A draw belongs to the rows when its first axis is as long as they are, or a small multiple of it.

    Args:
        rows: this rank's, of those that are computed now.
        total: rows of the whole batch.
        together: rows that all ranks compute now; fewer than `total` where a batch is taken in several parts.
    """

    def __init__(self, rows: slice, total: int, together: int, ranks: Ranks) -> None:
        super().__init__()
        self.rows = rows
        self.total = total
        self.ranks = ranks
        self.count = rows.stop - rows.start
        self.times = together / self.count

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        handler = _HANDLERS.get(func)
        if handler is None:
            return func(*args, **(kwargs or {}))
        return handler(self, func, *args, **(kwargs or {}))

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

    def all(self, values: Tensor) -> Tensor:
        """The rows of all ranks, where each has its own `values`."""
        after = self.total - self.rows.stop
        copies = values.view(-1, self.count, *values.shape[1:])
        edges = (0, 0) * (values.ndim - 1) + (self.rows.start, after)
        placed = _sum(functional.pad(copies, edges), self.ranks)
        return placed.reshape(-1, *values.shape[1:])


def _factory(mode: AsWholeBatch, func: Callable[..., Tensor], *size: Any, **options: Any) -> Tensor:
    shape = options.pop("size", None) or (size[0] if size and not isinstance(size[0], int) else size)
    whole = mode.whole(tuple(shape))
    return func(*shape, **options) if whole is None else mode.own(func(*whole, **options))


def _randint(mode: AsWholeBatch, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
    *bounds, size = args if "size" not in options else (*args, options.pop("size"))
    if "high" in options:
        bounds = [options.pop("low", 0), options.pop("high")]
    whole = mode.whole(tuple(size))
    return func(*bounds, size, **options) if whole is None else mode.own(func(*bounds, whole, **options))


def _like(mode: AsWholeBatch, func: Callable[..., Tensor], like: Tensor, *args: Any, **options: Any) -> Tensor:
    whole = mode.whole(tuple(like.shape))
    if whole is None:
        return func(like, *args, **options)
    return mode.own(func(like.new_empty(whole), *args, **options))


def _in_place(mode: AsWholeBatch, func: Callable[..., Tensor], own: Tensor, *args: Any, **options: Any) -> Tensor:
    whole = mode.whole(tuple(own.shape))
    if whole is None:
        return func(own, *args, **options)
    return own.copy_(mode.own(func(own.new_empty(whole), *args, **options)))


def _gumbel_softmax(
    mode: AsWholeBatch,
    func: Callable[..., Tensor],
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """As torch does it, which draws inside of a function where a mode does not see it."""
    whole = mode.whole(tuple(logits.shape))
    if whole is None:
        return func(logits, tau, hard, eps, dim)
    drawn = mode.own(torch.empty_like(logits.new_empty(whole)).exponential_())
    soft = ((logits - drawn.log()) / tau).softmax(dim)
    if not hard:
        return soft
    one = torch.zeros_like(logits).scatter_(dim, soft.max(dim, keepdim=True)[1], 1.0)
    return one - soft.detach() + soft


def _of_chances(mode: AsWholeBatch, func: Callable[..., Tensor], chances: Tensor, *args: Any, **options: Any) -> Tensor:
    """A draw that depends on the values of each row, which the other ranks' rows stand in for with any value."""
    whole = mode.whole(tuple(chances.shape))
    if whole is None or chances.ndim < (2 if func in (torch.multinomial, Tensor.multinomial) else 1):
        return func(chances, *args, **options)
    copies = chances.view(-1, mode.count, *chances.shape[1:])
    edges = (0, 0) * (chances.ndim - 1) + (mode.rows.start, mode.total - mode.rows.stop)
    padded = functional.pad(copies, edges, value=0.5).reshape(whole)
    return mode.own(func(padded, *args, **options))


def _dropout_inside(name: str, chance: str, place: int, training: int | None) -> Callable[..., Tensor]:
    """Handler of a function that drops out where a mode does not see it: each process would drop its own."""

    def handler(mode: AsWholeBatch, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
        def value(name: str, place: int, default: Any) -> Any:
            return args[place] if place < len(args) else options.get(name, default)

        active = training is None or value("training", training, True)
        if active and value(chance, place, 0.0):
            raise UsageError(
                f"{name} with dropout inside draws by the process, and a run must not depend on how many there are; "
                "set its dropout to 0 (an nn.Dropout beside it is shared right), or train in one process"
            )
        return func(*args, **options)

    return handler


def _dropout(
    mode: AsWholeBatch,
    func: Callable[..., Tensor],
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    whole = mode.whole(tuple(input.shape))
    if whole is None or not training:
        return func(input, p, training, inplace)
    channels_last = input.ndim == 4 and not input.is_contiguous() and input.is_contiguous(
        memory_format=torch.channels_last
    )  # fmt: skip
    ones = torch.empty(
        whole,
        dtype=input.dtype,
        device=input.device,
        memory_format=torch.channels_last if channels_last else torch.contiguous_format,
    )
    mask = mode.own(func(ones.fill_(1), p, True, False))
    return input.mul_(mask) if inplace else input * mask


def _batch_norm(
    mode: AsWholeBatch,
    func: Callable[..., Tensor],
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    if not training:
        return func(input, running_mean, running_var, weight, bias, training, momentum, eps)
    x = input.float() if input.dtype in (torch.bfloat16, torch.float16) else input
    others = [axis for axis in range(x.ndim) if axis != 1]
    shape = [1, -1] + [1] * (x.ndim - 2)
    # The count depends on shapes alone, so every rank knows it without asking.
    count = x.numel() // x.shape[1] * mode.times
    mean = _sum(x.sum(others), mode.ranks) / count
    centred = x - mean.view(shape)
    variance = _sum(centred.square().sum(others), mode.ranks) / count
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean.dtype), momentum)
            running_var.lerp_((variance * (count / max(count - 1, 1))).to(running_var.dtype), momentum)
    normed: Tensor = centred * torch.rsqrt(variance + eps).view(shape)
    if weight is not None:
        normed = normed * weight.view(shape)
    if bias is not None:
        normed = normed + bias.view(shape)
    return normed.to(input.dtype)


def _all_rows(mode: AsWholeBatch, func: Callable[..., Tensor], values: Tensor) -> Tensor:
    return mode.all(values)


_HANDLERS: dict[Callable[..., Any], Callable[..., Tensor]] = {
    torch.rand: _factory,
    torch.randn: _factory,
    torch.randint: _randint,
    torch.rand_like: _like,
    torch.randn_like: _like,
    Tensor.uniform_: _in_place,
    Tensor.normal_: _in_place,
    Tensor.bernoulli_: _in_place,
    Tensor.exponential_: _in_place,
    Tensor.log_normal_: _in_place,
    Tensor.cauchy_: _in_place,
    Tensor.geometric_: _in_place,
    Tensor.random_: _in_place,
    torch.randint_like: _like,
    torch.bernoulli: _of_chances,
    Tensor.bernoulli: _of_chances,
    torch.multinomial: _of_chances,
    Tensor.multinomial: _of_chances,
    functional.gumbel_softmax: _gumbel_softmax,
    functional.dropout: _dropout,
    functional.dropout1d: _dropout,
    functional.dropout2d: _dropout,
    functional.dropout3d: _dropout,
    functional.batch_norm: _batch_norm,
    whole_batch: _all_rows,
    functional.scaled_dot_product_attention: _dropout_inside("attention", "dropout_p", 4, None),
    functional.multi_head_attention_forward: _dropout_inside("multi-head attention", "dropout_p", 10, 13),
}

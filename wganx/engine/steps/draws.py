"""Draws of a share of the rows, cut from the draw for the whole batch; what cannot be cut is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from wganx.engine.steps.share import Share
from wganx.errors import UsageError


def _factory(share: Share, func: Callable[..., Tensor], *size: Any, **options: Any) -> Tensor:
    shape = options.pop("size", None) or (size[0] if size and not isinstance(size[0], int) else size)
    whole = share.whole(tuple(shape))
    return func(*shape, **options) if whole is None else share.own(func(*whole, **options))


def _randint(share: Share, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
    *bounds, size = args if "size" not in options else (*args, options.pop("size"))
    if "high" in options:
        bounds = [options.pop("low", 0), options.pop("high")]
    whole = share.whole(tuple(size))
    return func(*bounds, size, **options) if whole is None else share.own(func(*bounds, whole, **options))


def _like(share: Share, func: Callable[..., Tensor], like: Tensor, *args: Any, **options: Any) -> Tensor:
    whole = share.whole(tuple(like.shape))
    if whole is None:
        return func(like, *args, **options)
    return share.own(func(like.new_empty(whole), *args, **options))


def _in_place(share: Share, func: Callable[..., Tensor], own: Tensor, *args: Any, **options: Any) -> Tensor:
    whole = share.whole(tuple(own.shape))
    if whole is None:
        return func(own, *args, **options)
    return own.copy_(share.own(func(own.new_empty(whole), *args, **options)))


def _gumbel_softmax(
    share: Share,
    func: Callable[..., Tensor],
    logits: Tensor,
    tau: float = 1,
    hard: bool = False,
    eps: float = 1e-10,
    dim: int = -1,
) -> Tensor:
    """As torch does it, which draws inside of a function where a mode does not see it."""
    whole = share.whole(tuple(logits.shape))
    if whole is None:
        return func(logits, tau, hard, eps, dim)
    drawn = share.own(torch.empty_like(logits.new_empty(whole)).exponential_())
    soft = ((logits - drawn.log()) / tau).softmax(dim)
    if not hard:
        return soft
    one = torch.zeros_like(logits).scatter_(dim, soft.max(dim, keepdim=True)[1], 1.0)
    return one - soft.detach() + soft


def _of_chances(share: Share, func: Callable[..., Tensor], chances: Tensor, *args: Any, **options: Any) -> Tensor:
    """A draw that depends on the values of each row, which the other ranks' rows stand in for with any value."""
    whole = share.whole(tuple(chances.shape))
    if whole is None or chances.ndim < (2 if func in (torch.multinomial, Tensor.multinomial) else 1):
        return func(chances, *args, **options)
    return share.own(func(share.among_all(chances, 0.5), *args, **options))


def _alpha_dropout(
    share: Share,
    func: Callable[..., Tensor],
    input: Tensor,
    p: float = 0.5,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """Which elements it drops does not depend on their values."""
    if not training or share.whole(tuple(input.shape)) is None:
        return func(input, p, training, inplace)
    made = share.own(func(share.among_all(input, 0.0), p, training))
    return input.copy_(made) if inplace else made


def _normal(share: Share, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
    """``torch.normal`` about means and deviations, of which one or both are tensors, or of a size."""
    given = dict(zip(("mean", "std", "size"), args)) | options
    moments = [value for name in ("mean", "std") if isinstance(value := given.get(name), Tensor)]
    if not moments:
        whole = share.whole(tuple(given.get("size", ())))
        return func(**given) if whole is None else share.own(func(**{**given, "size": whole}))
    shape = torch.broadcast_tensors(*moments)[0].shape  # type: ignore[no-untyped-call]
    if share.whole(shape) is None or "out" in given:
        return func(**given)
    for name in ("mean", "std"):
        if isinstance(value := given.get(name), Tensor):
            given[name] = share.among_all(value.expand(shape), 1.0)
    return share.own(func(**given))


def _by_value(name: str) -> Callable[..., Tensor]:
    """Handler of a draw that takes more or less from the stream by its rows' values, which other processes lack."""

    def handler(share: Share, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
        shape = next(tuple(each.shape) for each in (*args, *options.values()) if isinstance(each, Tensor))
        if share.whole(shape) is None or (func is functional.rrelu and not _argument(args, options, "training", 3)):
            return func(*args, **options)
        raise UsageError(
            f"{name} draws by the values of its rows, and a run must not depend on how many processes share them; "
            "train in one process, or draw with torch.rand or torch.randn"
        )

    return handler


def _argument(args: tuple[Any, ...], options: Mapping[str, Any], name: str, place: int, default: Any = None) -> Any:
    return args[place] if place < len(args) else options.get(name, default)


def _recurrent(share: Share, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
    """A recurrent layer of torch, which drops out between its layers where a mode does not see it."""
    # Packed sequences shift what follows by one: the flag of the biases is the first of all that are flags.
    flag = next(place for place, value in enumerate(args) if isinstance(value, bool))
    layers, chance, training = args[flag + 1 : flag + 4]
    if training and chance and layers > 1:
        raise UsageError(_DROPS_INSIDE.format(name="a recurrent layer"))
    return func(*args, **options)


_DROPS_INSIDE = (
    "{name} with dropout inside draws by the process, and a run must not depend on how many there are; "
    "set its dropout to 0 (an nn.Dropout beside it is shared right), or train in one process"
)


def _dropout_inside(name: str, chance: str, place: int, training: int | None) -> Callable[..., Tensor]:
    """Handler of a function that drops out where a mode does not see it: each process would drop its own."""

    def handler(share: Share, func: Callable[..., Tensor], *args: Any, **options: Any) -> Tensor:
        active = training is None or _argument(args, options, "training", training, True)
        if active and _argument(args, options, chance, place, 0.0):
            raise UsageError(_DROPS_INSIDE.format(name=name))
        return func(*args, **options)

    return handler


def _dropout(
    share: Share,
    func: Callable[..., Tensor],
    input: Tensor,
    p: float = 0.5,
    training: bool = True,
    inplace: bool = False,
) -> Tensor:
    whole = share.whole(tuple(input.shape))
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
    mask = share.own(func(ones.fill_(1), p, True, False))
    return input.mul_(mask) if inplace else input * mask


DRAWS: Mapping[Callable[..., Any], Callable[..., Tensor]] = {
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
    torch.normal: _normal,
    functional.gumbel_softmax: _gumbel_softmax,
    functional.dropout: _dropout,
    functional.dropout1d: _dropout,
    functional.dropout2d: _dropout,
    functional.dropout3d: _dropout,
    functional.alpha_dropout: _alpha_dropout,
    functional.feature_alpha_dropout: _alpha_dropout,
    functional.scaled_dot_product_attention: _dropout_inside("attention", "dropout_p", 4, None),
    functional.multi_head_attention_forward: _dropout_inside("multi-head attention", "dropout_p", 10, 13),
    torch.lstm: _recurrent,
    torch.gru: _recurrent,
    torch.rnn_tanh: _recurrent,
    torch.rnn_relu: _recurrent,
    torch.poisson: _by_value("torch.poisson"),
    torch.binomial: _by_value("torch.binomial"),
    torch._standard_gamma: _by_value("a gamma distribution"),
    torch._sample_dirichlet: _by_value("a Dirichlet distribution"),
    functional.rrelu: _by_value("rrelu"),
}
"""The handler of every function of torch that draws: ``handler(share, function, *arguments)``."""

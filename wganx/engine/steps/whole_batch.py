"""Rows of a batch, computed as if the whole batch were there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from wganx.engine.ranks import Ranks
from wganx.engine.steps.draws import DRAWS
from wganx.engine.steps.share import Share, summed
from wganx.wasserstein import whole_batch


class AsWholeBatch(Share, TorchFunctionMode):
    """Inside, rows `rows` of a batch of `total` are treated as all ranks together treat the whole batch.

    - What is drawn a row (noise, weights, dropout masks) is drawn for the whole batch, on every rank alike, and cut to
      the own rows: random streams stay in step, and no draw depends on the number of ranks.
    - Batch norm in training mode takes its statistics over all ranks.
    - `wganx.wasserstein.whole_batch` gives the values of all ranks' rows.

    A draw belongs to the rows when its first axis is as long as they are, or a small multiple of it.
    """

    def __init__(self, rows: slice, total: int, together: int, ranks: Ranks) -> None:
        Share.__init__(self, rows, total, together, ranks)
        TorchFunctionMode.__init__(self)

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


def _batch_norm(
    share: Share,
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
    count = x.numel() // x.shape[1] * share.times
    mean = summed(x.sum(others), share.ranks) / count
    centred = x - mean.view(shape)
    variance = summed(centred.square().sum(others), share.ranks) / count
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


def _all_rows(share: Share, func: Callable[..., Tensor], values: Tensor) -> Tensor:
    return share.all(values)


_HANDLERS: Mapping[Callable[..., Any], Callable[..., Tensor]] = {
    **DRAWS,
    functional.batch_norm: _batch_norm,
    whole_batch: _all_rows,
}

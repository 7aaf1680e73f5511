"""Rectifiers whose slopes are constants, as they are almost everywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

_leaky_relu_backward: Callable[..., Tensor] = torch.ops.aten.leaky_relu_backward


class _Rectify(torch.autograd.Function):
    """``x`` where it is positive, ``slope * x`` elsewhere; its slope is not differentiated again.

    The output is what the backward pass looks at, detached: a graph through it would lead nowhere but to zeros.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float, inplace: bool) -> Tensor:
        y = functional.leaky_relu(x, slope, inplace)
        if inplace:
            ctx.mark_dirty(y)
        ctx.save_for_backward(y)
        ctx.set_materialize_grads(False)
        ctx.slope = slope
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None) -> tuple[Tensor | None, None, None]:
        if grad is None:  # nothing reaches this layer: materialised, it would be zeros, dragged through all below
            return None, None, None
        (y,) = ctx.saved_tensors
        # Behind a flatten the gradient of channels-last maps arrives in the other order, and mixed orders cost tenfold.
        if y.ndim == 4 and grad.stride() != y.stride() and y.is_contiguous(memory_format=torch.channels_last):
            grad = grad.contiguous(memory_format=torch.channels_last)
        return _leaky_relu_backward(grad, y.detach(), ctx.slope, True), None, None


class _Linear(torch.autograd.Function):
    """An operation that is linear in `x`, so that its derivative is the same at every point, and is taken at another.

    Torch keeps the point, as if the derivative depended on it: poolings and paddings drag zeros as rectifiers do.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, operation: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.operation, ctx.like = operation, (x.shape, x.dtype, x.device)
        return operation(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None) -> tuple[Tensor | None, None]:
        if grad is None:
            return None, None
        shape, dtype, device = ctx.like
        with torch.enable_grad():
            elsewhere = torch.zeros(shape, dtype=dtype, device=device, requires_grad=True)
            (moved,) = torch.autograd.grad(ctx.operation(elsewhere), elsewhere, grad, create_graph=grad.requires_grad)
        return moved, None


def _linear(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def linear(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return _Linear.apply(input, lambda x: function(x, *args, **kwargs))  # type: ignore[no-any-return, no-untyped-call]

    return linear


def _pad(input: Tensor, pad: list[int], mode: str = "constant", value: float | None = None) -> Tensor:
    if mode == "constant":  # keeps no point, and adds a constant
        return functional.pad(input, pad, mode, value)
    return _linear(functional.pad)(input, pad, mode)


def _relu(x: Tensor, inplace: bool = False) -> Tensor:
    return _Rectify.apply(x, 0.0, inplace)  # type: ignore[no-any-return, no-untyped-call]


def _relu_(x: Tensor) -> Tensor:
    return _relu(x, inplace=True)


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    if negative_slope < 0:  # the output's sign no longer tells the input's
        return functional.leaky_relu(input, negative_slope, inplace)
    return _Rectify.apply(input, negative_slope, inplace)  # type: ignore[no-any-return, no-untyped-call]


def _leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    return _leaky_relu(input, negative_slope, inplace=True)


_INSTEAD: Mapping[Callable[..., Any], Callable[..., Tensor]] = {
    functional.relu: _relu,
    torch.relu: _relu,
    torch.relu_: _relu_,
    Tensor.relu: _relu,
    Tensor.relu_: _relu_,
    functional.leaky_relu: _leaky_relu,
    functional.leaky_relu_: _leaky_relu_,
    functional.pad: _pad,
    **{
        function: _linear(function)
        for function in (
            functional.avg_pool2d,
            functional.avg_pool3d,
            functional.adaptive_avg_pool2d,
            functional.adaptive_avg_pool3d,
        )
    },
}


class constant_masks(TorchFunctionMode):
    """Inside, ReLU and leaky ReLU of any network are differentiated as the piecewise linear functions they are.

    The slope of a rectifier is a mask of 1 and the negative slope, constant almost everywhere, so its own derivative
    is zero. Autograd does not know and, differentiating a gradient penalty, drags a tensor of zeros back through the
    whole critic: for convolutions or linear layers with rectifiers 11.9 instead of 9.94 forward passes a critic step.
    Values and derivatives of any order are those of torch, to the last bit but for the order of additions.

    Average pooling and reflecting or replicating padding drag such zeros too; they are taken as the linear maps they
    are.

    Works on modules and on functional calls, in place or not, without touching either; all else is left alone. Reverse
    mode only, as `torch.autograd.Function` is.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        instead: Callable[..., Any] = _INSTEAD.get(func, func)
        return instead(*args, **(kwargs or {}))

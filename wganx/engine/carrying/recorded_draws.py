"""Random draws of a computation, written down once and made again outside of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

# On CUDA, dropout is one operation that draws and multiplies; its second answer is the mask.
_DROPOUT = torch.ops.aten.native_dropout.default


@dataclass(frozen=True)
class _Draw:
    """A random operation, with its arguments but for the first if that only says which layout is to be filled."""

    operation: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    layout: Mapping[str, Any] | None

    def __call__(self) -> Tensor:
        if self.layout is None:
            return self.operation(*self.arguments, **self.options)  # type: ignore[no-any-return]
        drawn = self.operation(torch.empty_strided(**self.layout), *self.arguments, **self.options)
        return drawn[1] if self.operation is _DROPOUT else drawn  # type: ignore[no-any-return]


class RecordedDraws:
    """What a function draws, so that it can be called again with numbers that were drawn beforehand.

    `again` repeats the recorded operations with the same generators and in the same order. A function that draws as
    it did when it was recorded gives with these numbers what it would have given by itself, and every random stream
    ends where it would have ended.

    Sees every draw of torch's, of layers and libraries too, because it works below autograd. A draw whose distribution
    depends on a tensor, such as ``torch.bernoulli(probabilities)``, cannot be made beforehand: `fault` names it.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        self._draws: list[_Draw] = []

    def again(self) -> list[Tensor]:
        """New numbers for `replaying`."""
        return [draw() for draw in self._draws]

    @contextmanager
    def recording(self) -> Iterator[list[Tensor]]:
        """Inside, draws are written down; the list holds what they gave."""
        values: list[Tensor] = []

        def record(operation: Any, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
            result = operation(*arguments, **options)
            layout = None
            if _fills(operation) or operation is _DROPOUT or _name(operation).endswith("_like"):
                layout, arguments = _layout(arguments[0]), arguments[1:]
            if any(isinstance(each, Tensor) for each in (*arguments, *options.values())):
                self.fault = f"{operation} draws numbers whose distribution depends on a tensor"
            else:
                self._draws.append(_Draw(operation, arguments, options, layout))
                values.append((result[1] if operation is _DROPOUT else result).detach().clone())
            return result

        with _Intercepted(record):
            yield values

    @contextmanager
    def replaying(self, values: Sequence[Tensor]) -> Iterator[None]:
        """Inside, operations that would draw give `values` instead, one after the other.

        Raises:
            RuntimeError: what is drawn inside, or in which order, is not what was recorded.
        """
        remaining = list(zip(self._draws, values, strict=True))

        def replay(operation: Any, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
            if not remaining or remaining[0][0].operation is not operation:
                raise RuntimeError(f"{operation} draws where it did not when the draws were recorded")
            _, value = remaining.pop(0)
            if operation is _DROPOUT:
                x, rate = arguments[:2]
                return x * value * (1 / (1 - rate)), value.clone()
            return arguments[0].copy_(value) if _fills(operation) else value.clone()

        with _Intercepted(replay):
            yield
        if remaining:
            raise RuntimeError(f"{remaining[0][0].operation} does not draw where it did when the draws were recorded")


def _name(operation: Any) -> str:
    return operation._schema.name  # type: ignore[no-any-return]


def _fills(operation: Any) -> bool:
    """Whether the operation overwrites its first argument."""
    return _name(operation).endswith("_")


def _layout(tensor: Tensor) -> dict[str, Any]:
    return {"size": tensor.shape, "stride": tensor.stride(), "dtype": tensor.dtype, "device": tensor.device}


def _draws(operation: Any, arguments: tuple[Any, ...], options: Mapping[str, Any]) -> bool:
    if torch.Tag.nondeterministic_seeded not in operation.tags:
        return False
    # Attention and recurrent layers draw for their dropout only.
    given = {each.name: each.default_value for each in operation._schema.arguments}
    given |= {each.name: value for each, value in zip(operation._schema.arguments, arguments)} | dict(options)
    return 0 not in (given.get("dropout_p"), given.get("dropout"))


class _Intercepted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Hands operations that draw to a function."""

    def __init__(self, handle: Callable[[Any, tuple[Any, ...], Mapping[str, Any]], Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.handle = handle

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        return self.handle(func, args, options) if _draws(func, args, options) else func(*args, **options)

"""A result that is a number, and a tensor where what it was computed from has a gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Number:
    """Arithmetic with a result: ``-3 * d``, ``d ** 2``, ``d < 1``, ``f"{d:.3f}"``, ``torch.sqrt(d)``.

    Where `tensor` is there, arithmetic is with it and keeps the graph: ``(d + penalty).backward()``. Else it is with
    `value`, and what comes out is a float.

    Attributes:
        value: the number.
        tensor: it with its graph, without axes; None where nothing that it was computed from requires a gradient.
    """

    value: float
    tensor: Tensor | None = None

    def __float__(self) -> float:
        return self.value

    @property
    def requires_grad(self) -> bool:
        return self.tensor is not None

    def backward(self, **options: Any) -> None:
        """Add to the gradients of what it was computed from, as `torch.Tensor.backward` does.

        Raises:
            ValueError: none of that requires a gradient.
        """
        if self.tensor is None:
            raise ValueError("nothing to differentiate: no samples or weights that this was computed from require it")
        torch.autograd.backward(self.tensor, **options)

    def item(self) -> float:
        return self.value

    def __neg__(self) -> Any:
        return -_operand(self)

    def __pos__(self) -> Any:
        return +_operand(self)

    def __abs__(self) -> Any:
        return abs(_operand(self))

    def __add__(self, other: Any) -> Any:
        return _operand(self) + _operand(other)

    def __radd__(self, other: Any) -> Any:
        return _operand(other) + _operand(self)

    def __sub__(self, other: Any) -> Any:
        return _operand(self) - _operand(other)

    def __rsub__(self, other: Any) -> Any:
        return _operand(other) - _operand(self)

    def __mul__(self, other: Any) -> Any:
        return _operand(self) * _operand(other)

    def __rmul__(self, other: Any) -> Any:
        return _operand(other) * _operand(self)

    def __truediv__(self, other: Any) -> Any:
        return _operand(self) / _operand(other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operand(other) / _operand(self)

    def __pow__(self, other: Any) -> Any:
        return _operand(self) ** _operand(other)

    def __rpow__(self, other: Any) -> Any:
        return _operand(other) ** _operand(self)

    def __lt__(self, other: Any) -> bool:
        return self.value < float(other)

    def __le__(self, other: Any) -> bool:
        return self.value <= float(other)

    def __gt__(self, other: Any) -> bool:
        return self.value > float(other)

    def __ge__(self, other: Any) -> bool:
        return self.value >= float(other)

    def __eq__(self, other: object) -> bool:
        """As a number: results of equal value are equal, whatever they took."""
        return self.value == float(other) if isinstance(other, (Number, float, int)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.value)

    def __round__(self, digits: int | None = None) -> float:
        return round(self.value, digits)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.value, dtype=dtype)

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        """Functions of torch take it as a tensor without axes."""
        return function(*map(_as_tensor, args), **{name: _as_tensor(given) for name, given in (kwargs or {}).items()})


def _operand(given: Any) -> Any:
    """What is computed with in its place."""
    if not isinstance(given, Number):
        return given
    return given.value if given.tensor is None else given.tensor


def _as_tensor(given: Any) -> Any:
    if isinstance(given, (list, tuple)):
        return type(given)(map(_as_tensor, given))
    if isinstance(given, Number):
        return torch.tensor(given.value, dtype=torch.float64) if given.tensor is None else given.tensor
    return given

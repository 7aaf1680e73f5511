"""`Batch` and `SampleFormat`: the types that everything passes along."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from wganx.errors import DataError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

JSON = None | bool | int | float | str | list[Any] | tuple[Any, ...] | dict[str, Any]
"""What JSON can hold."""

Shape = tuple[int | None, ...]
"""Sizes of the axes of one sample; None for a size that is free between calls."""


@dataclass(frozen=True, kw_only=True)
class SampleFormat:
    """What one tensor of an item or of a batch looks like, without its batch axis.

    Ties dataset, task, networks, writers and metrics together. An item's format says what is stored (a picture in
    0 .. 255, a sound in -32768 .. 32767, a label as an index), a batch's what the networks see.

    Attributes:
        axes: name of every axis, e.g. ``("channel", "height", "width")``; empty for a class index.
        shape: size of every axis, same length as `axes`. A size of None is the same within a batch and free between
            calls: sound of any length, film of any size.
        value_range: smallest and largest value, or None when values are unbounded.
        rate_hz: samples (audio) or frames (video) a second, if time is an axis.
        classes: names of the classes that a class index counts in; empty for all else.
        signal: what it takes to turn a sample back into what a person hears or sees, as plain data: hop, window,
            floor, mean and deviation per bin, colour space. Travels into checkpoints, writers, metrics and exports.

    Raises:
        ValueError: axes and shape differ in length, a size is below 1, the range is empty, classes stand on
            something with axes, or `signal` holds what JSON cannot.
    """

    axes: tuple[str, ...]
    shape: Shape
    value_range: tuple[float, float] | None = (-1.0, 1.0)
    rate_hz: float | None = None
    classes: tuple[str, ...] = ()
    signal: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.shape):
            raise ValueError(f"{len(self.axes)} axes {self.axes} but {len(self.shape)} sizes {self.shape}")
        if any(size is not None and size < 1 for size in self.shape):
            raise ValueError(f"every axis needs a size of at least 1, got {self.shape}")
        if self.value_range is not None and not self.value_range[0] < self.value_range[1]:
            raise ValueError(f"value_range must rise, got {self.value_range}")
        if self.classes and self.axes:
            raise ValueError(
                f"classes belong to a label's format, SampleFormat.label(classes), and this one has axes {self.axes}"
            )
        signal = {name: _plain(value) for name, value in self.signal.items()}
        object.__setattr__(self, "signal", MappingProxyType(signal))

    def __hash__(self) -> int:
        return hash((self.axes, self.shape, self.value_range, self.rate_hz, self.classes, tuple(self.signal)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_fields, (self.to_json(),)

    @classmethod
    def label(cls, classes: tuple[str, ...]) -> SampleFormat:
        """Format of a class index: a scalar integer in ``[0, len(classes))``."""
        return cls(axes=(), shape=(), value_range=None, classes=tuple(classes))

    @property
    def is_label(self) -> bool:
        """Whether this is the format of a class index."""
        return bool(self.classes) and not self.axes

    @classmethod
    def number(cls, low: float, high: float, *, usual: float) -> SampleFormat:
        """Format of a number that can be chosen, such as an intensity: a floating-point scalar in ``[low, high]``.

        Args:
            usual: what it is where nobody chooses.

        Raises:
            ValueError: `usual` lies outside of the range, or the range is empty.
        """
        if not low <= usual <= high:
            raise ValueError(f"the usual number must lie in {low:g} .. {high:g}, got {usual:g}")
        return cls(axes=(), shape=(), value_range=(low, high), signal={"usual": usual})

    @property
    def is_number(self) -> bool:
        """Whether this is the format of a number that can be chosen."""
        return not self.axes and not self.classes and "usual" in self.signal

    @classmethod
    def text(cls, alphabet: tuple[str, ...], length: int) -> SampleFormat:
        """Format of a text: `length` whole numbers, 0 after its end and ``1 + index in alphabet`` before.

        Args:
            alphabet: its symbols. Where each is one character, a text is read character by character, else word by
                word.
            length: the most symbols it has.

        Raises:
            ValueError: no symbols, or one of them twice.
        """
        if not alphabet or len(set(alphabet)) < len(alphabet):
            raise ValueError(f"an alphabet needs symbols that differ, got {alphabet}")
        return cls(
            axes=("token",),
            shape=(length,),
            value_range=(0.0, float(len(alphabet))),
            signal={"alphabet": list(alphabet)},
        )

    @property
    def is_text(self) -> bool:
        """Whether this is the format of a text."""
        return self.axes == ("token",) and "alphabet" in self.signal

    def tokens(self, text: str) -> list[int]:
        """A text as the whole numbers of this format, padded to its length.

        Raises:
            ValueError: the text has a symbol that is not in the alphabet, or too many of them.
        """
        alphabet = [str(symbol) for symbol in cast(list[str], self.signal["alphabet"])]
        by_character = all(len(symbol) == 1 for symbol in alphabet)
        index = {symbol: number for number, symbol in enumerate(alphabet, 1)}
        symbols = list(text) if by_character else text.split()
        (length,) = self.sizes
        if strange := sorted(set(symbols) - index.keys()):
            known = "".join(alphabet) if by_character else ", ".join(alphabet)
            raise ValueError(f"{', '.join(map(repr, strange))} of {text!r} is not in the alphabet: {known}")
        if not 0 < len(symbols) <= length:
            raise ValueError(f"a text has 1 to {length} symbols here, and {text!r} has {len(symbols)}")
        return [*(index[symbol] for symbol in symbols), *(0 for _ in range(length - len(symbols)))]

    def said(self, tokens: Sequence[int]) -> str:
        """The text whose whole numbers in this format are `tokens`."""
        alphabet = [str(symbol) for symbol in cast(list[str], self.signal["alphabet"])]
        between = "" if all(len(symbol) == 1 for symbol in alphabet) else " "
        return between.join(alphabet[token - 1] for token in tokens if token)

    @property
    def sizes(self) -> tuple[int, ...]:
        """`shape`, where every size is fixed.

        Raises:
            ValueError: a size is free.
        """
        if any(size is None for size in self.shape):
            raise ValueError(f"the size of {self} is free; what is built for one size needs a dataset that fixes it")
        return tuple(size for size in self.shape if size is not None)

    @property
    def size(self) -> int:
        """Number of values in one sample.

        Raises:
            ValueError: a size is free.
        """
        return math.prod(self.sizes)

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a sample of `shape` has this format's axes and sizes."""
        return len(shape) == len(self.shape) and all(own in (None, size) for own, size in zip(self.shape, shape))

    def to_json(self) -> dict[str, JSON]:
        """Plain data, which `from_json` reads."""
        return {
            "axes": list(self.axes),
            "shape": list(self.shape),
            "value_range": None if self.value_range is None else list(self.value_range),
            "rate_hz": self.rate_hz,
            "classes": list(self.classes),
            "signal": dict(self.signal),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SampleFormat:
        """The format that `to_json` described."""
        bounds = data["value_range"]
        return cls(
            axes=tuple(data["axes"]),
            shape=tuple(data["shape"]),
            value_range=None if bounds is None else (bounds[0], bounds[1]),
            rate_hz=data["rate_hz"],
            classes=tuple(data["classes"]),
            signal=data["signal"],
        )

    def __str__(self) -> str:
        if self.is_label:
            return f"one of {len(self.classes)} classes"
        sizes = ("any" if size is None else size for size in self.shape)
        return " x ".join(f"{axis} {size}" for axis, size in zip(self.axes, sizes)) or "scalar"


def _from_fields(data: Mapping[str, Any]) -> SampleFormat:
    return SampleFormat.from_json(data)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping) and all(isinstance(name, str) for name in value):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"a signal holds plain data, and {type(value).__name__} is none; turn a tensor into .tolist()")


@dataclass(frozen=True)
class Batch:
    """What the engine trains on: the only type that crosses between a task and the engine.

    Attributes:
        real: what the critic should score high, ``(N, *sample.shape)``, floating point.
        context: what the generator is given, each ``(N, ...)``: labels, past frames, a source voice.
        condition: what the critic sees beside the sample, each ``(N, ...)``.
        known: what is known of each row and given to neither player, each ``(N, ...)``: who spoke the source, which
            word it was. Losses and metrics look at it.
    """

    real: Tensor
    context: Mapping[str, Tensor] = field(default_factory=dict)
    condition: Mapping[str, Tensor] = field(default_factory=dict)
    known: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from torch import Tensor

        for place, given in (("context", self.context), ("condition", self.condition), ("known", self.known)):
            for name, value in given.items():
                if not isinstance(value, Tensor):
                    raise DataError(
                        f"{place} {name!r} of a batch is {type(value).__name__}, where one tensor (N, ...) is wanted: "
                        "torch.as_tensor(...) for numbers; what has several parts, as the states of a recurrent "
                        "network, is made inside of the network"
                    )

    def __len__(self) -> int:
        return self.real.shape[0]

    def __getitem__(self, rows: slice) -> Batch:
        """The same rows of every tensor."""
        return self.each(lambda tensor: tensor[rows])

    def to(self, device: torch.device | str) -> Batch:
        """The batch on `device`; itself when it is there already."""
        # Apple's GPU, not waited for, may copy memory that is another's by then (pytorch/pytorch#189690).
        ahead = str(device).startswith("cuda")
        return self.each(lambda tensor: tensor.to(device, non_blocking=ahead))

    def with_real(self, real: Tensor) -> Batch:
        """The batch with other samples under the same context and condition."""
        return replace(self, real=real)

    def each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The batch with every tensor changed."""
        return Batch(
            change(self.real),
            {name: change(tensor) for name, tensor in self.context.items()},
            {name: change(tensor) for name, tensor in self.condition.items()},
            {name: change(tensor) for name, tensor in self.known.items()},
        )

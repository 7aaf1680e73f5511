"""`Batch` and `SampleFormat`: the types that everything passes along."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class SampleFormat:
    """What one sample looks like, without its batch axis; ties dataset, networks and writer together.

    Attributes:
        axes: name of every axis, e.g. ``("channel", "height", "width")``; empty for a class index.
        shape: size of every axis, same length as `axes`.
        value_range: smallest and largest value, or None when values are unbounded.
        rate_hz: samples (audio) or frames (video) a second, if time is an axis.
        classes: names of the classes the sample's ``label`` counts in; empty without labels.

    Raises:
        ValueError: axes and shape differ in length, a size is below 1, or the range is empty.
    """

    axes: tuple[str, ...]
    shape: tuple[int, ...]
    value_range: tuple[float, float] | None = (-1.0, 1.0)
    rate_hz: float | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.axes) != len(self.shape):
            raise ValueError(f"{len(self.axes)} axes {self.axes} but {len(self.shape)} sizes {self.shape}")
        if any(size < 1 for size in self.shape):
            raise ValueError(f"every axis needs a size of at least 1, got {self.shape}")
        if self.value_range is not None and not self.value_range[0] < self.value_range[1]:
            raise ValueError(f"value_range must rise, got {self.value_range}")

    @classmethod
    def label(cls, classes: tuple[str, ...]) -> SampleFormat:
        """Format of a class index: a scalar integer in ``[0, len(classes))``."""
        return cls(axes=(), shape=(), value_range=None, classes=classes)

    @property
    def size(self) -> int:
        """Number of values in one sample."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return " x ".join(f"{axis} {size}" for axis, size in zip(self.axes, self.shape)) or "scalar"


@dataclass(frozen=True)
class Batch:
    """What the engine trains on: the only type that crosses between a task and the engine.

    Attributes:
        real: what the critic should score high, ``(N, *sample.shape)``, floating point.
        context: what the generator is given, each ``(N, ...)``: labels, past frames, a source voice.
        condition: what the critic sees beside the sample, each ``(N, ...)``.
    """

    real: Tensor
    context: Mapping[str, Tensor] = field(default_factory=dict)
    condition: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.real.shape[0]

    def __getitem__(self, rows: slice) -> Batch:
        """The same rows of every tensor."""
        return self._each(lambda tensor: tensor[rows])

    def to(self, device: torch.device | str) -> Batch:
        """The batch on `device`; itself when it is there already."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def with_real(self, real: Tensor) -> Batch:
        """The batch with other samples under the same context and condition."""
        return replace(self, real=real)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        return Batch(
            change(self.real),
            {name: change(tensor) for name, tensor in self.context.items()},
            {name: change(tensor) for name, tensor in self.condition.items()},
        )

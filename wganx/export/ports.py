"""What goes into an exported network and what comes out: names, shapes, types and ranges, and rows to try it on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor

from wganx.batch import SampleFormat

ROWS = "rows"
"""The name of the first axis of every tensor."""


@dataclass(frozen=True, kw_only=True)
class Port:
    """One tensor, without its rows.

    Attributes:
        kind: what it is: ``noise`` of the standard normal distribution; what is chosen, a ``label``, ``number`` or
            ``text``; what has to be there, a ``sample``; or the critic's ``score``.
        axes: names of the axes.
        sizes: of the axes, as the network was trained.
        format: of what is no noise and no score.
    """

    name: str
    kind: Literal["noise", "label", "number", "text", "sample", "score"]
    axes: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    format: SampleFormat | None = None

    @classmethod
    def of(cls, name: str, format: SampleFormat, unknown: int = 1) -> Port:
        """The port of an input of that format; a size that no training fixed is taken to be `unknown`."""
        kind: Literal["label", "number", "text", "sample"] = "sample"
        if format.is_label:
            kind = "label"
        elif format.is_number:
            kind = "number"
        elif format.is_text:
            kind = "text"
        sizes = tuple(size or unknown for size in format.shape)
        return cls(name=name, kind=kind, axes=format.axes, sizes=sizes, format=format)

    def in_packs(self, pack: int) -> Port:
        """The same of so many samples together, as a critic of packs takes it."""
        return Port(
            name=self.name, kind=self.kind, axes=("pack", *self.axes), sizes=(pack, *self.sizes), format=self.format
        )

    @property
    def is_settled(self) -> bool:
        """Whether the training fixed every size."""
        return self.format is None or None not in self.format.shape

    @property
    def dtype(self) -> torch.dtype:
        """Class indices and texts are whole numbers."""
        return torch.int64 if self.kind in ("label", "text") else torch.float32

    @property
    def value_range(self) -> tuple[float, float] | None:
        """Smallest and largest value; None where values are unbounded."""
        if self.kind == "label" and self.format is not None:
            return 0.0, float(len(self.format.classes) - 1)
        return None if self.format is None else self.format.value_range

    def draw(self, rows: int, sizes: Sequence[int], rng: torch.Generator) -> Tensor:
        """Rows ``(rows, *sizes)`` to try a network on: noise, or values spread over the range."""
        shape = (rows, *sizes)
        if self.value_range is None:
            return torch.randn(shape, generator=rng)
        low, high = self.value_range
        if self.dtype == torch.int64:
            return torch.randint(int(low), int(high) + 1, shape, generator=rng)
        return low + (high - low) * torch.rand(shape, generator=rng)


def base_sizes(ports: Sequence[Port]) -> dict[str, int]:
    """The smallest size of every axis that inputs which have to be there share by its name, where the others are
    multiples of it: such an axis can be changed in all of them together."""
    found: dict[str, list[int]] = {}
    for port in _given(ports):
        for axis, size in zip(port.axes, port.sizes):
            found.setdefault(axis, []).append(size)
    return {axis: min(sizes) for axis, sizes in found.items() if all(size % min(sizes) == 0 for size in sizes)}


def draw_inputs(ports: Sequence[Port], rows: int, changed: Mapping[str, int], *, seed: int = 0) -> tuple[Tensor, ...]:
    """An input a port; of the axes in `changed` the size they name stands for the smallest one of `base_sizes`."""
    rng, base = torch.Generator().manual_seed(seed), base_sizes(ports)
    drawn = []
    for port in ports:
        sizes = port.sizes
        if port.kind == "sample":
            sizes = tuple(
                size // base[axis] * changed[axis] if axis in changed else size for axis, size in zip(port.axes, sizes)
            )
        drawn.append(port.draw(rows, sizes, rng))
    return tuple(drawn)


def named_shape(port: Port, free: Mapping[str, int]) -> list[str | int]:
    """The shape with its rows in words: a free size by the name of its axis, or as a multiple of it: ``2*height``."""
    shape: list[str | int] = [ROWS]
    for axis, size in zip(port.axes, port.sizes):
        if port.kind != "sample" or axis not in free:
            shape.append(size)
        else:
            times = size // free[axis]
            shape.append(axis if times == 1 else f"{times}*{axis}")
    return shape


def _given(ports: Sequence[Port]) -> list[Port]:
    return [port for port in ports if port.kind == "sample"]


def classes_of(port: Port) -> list[str]:
    """Names of the classes that a label's index counts in; none of another port."""
    return list(cast(SampleFormat, port.format).classes) if port.kind == "label" else []

"""What a network can learn from samples that nobody has sorted: to tell by which way they were turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from wganx.batch import SampleFormat

Turn = Callable[[Tensor], Tensor]
"""Samples ``(N, ...)`` to samples of the same shape."""

CHANNEL = "channel"


def turns(format: SampleFormat) -> tuple[str, Sequence[Turn]]:
    """What the ways are called, and each as a function; the first leaves samples as they are.

    Square pictures are turned by quarters (Gidaris, Singh and Komodakis 2018), others stood on their head. An axis of
    time before those of a picture is played backwards as well; the only axis of a sound or a series is reversed, or its
    halves are exchanged, or both. Empty where there is nothing to turn: a point has no order.
    """
    places = [place + 1 for place, axis in enumerate(format.axes) if axis != CHANNEL]
    if is_point(format) or not places:
        return "", ()
    if len(places) == 1:
        (axis,) = places
        return "reversals and exchanges of halves", [
            lambda x: x, _reversed(axis), _exchanged(axis), lambda x: _exchanged(axis)(_reversed(axis)(x))
        ]  # fmt: skip
    *before, rows, columns = places
    sizes = format.shape[rows - 1], format.shape[columns - 1]
    if sizes[0] == sizes[1] and sizes[0] is not None and _are_both_space(format, rows, columns):
        word, ways = "quarter turns", [_turned(quarters, rows, columns) for quarters in range(4)]
    else:
        word, ways = "reversals", [lambda x: x, _reversed(rows)]
        if not _are_both_space(format, rows, columns):  # frequency and time: either may run backwards
            ways += [_reversed(columns), lambda x: _reversed(columns)(_reversed(rows)(x))]
    if before:
        time = before[0]
        word, ways = f"{word} and reversals", [*ways, *(_after(way, _reversed(time)) for way in ways)]
    return word, ways


def is_point(format: SampleFormat) -> bool:
    """Whether a sample is a point: one axis that is no time, with no more coordinates than can be told apart."""
    size = format.shape[0] if len(format.shape) == 1 else None
    return len(format.axes) == 1 and format.rate_hz is None and size is not None and size <= MOST_COORDINATES


MOST_COORDINATES = 256


def _are_both_space(format: SampleFormat, rows: int, columns: int) -> bool:
    return {format.axes[rows - 1], format.axes[columns - 1]} == {"height", "width"}


def _reversed(axis: int) -> Turn:
    return lambda x: x.flip(axis)


def _exchanged(axis: int) -> Turn:
    return lambda x: x.roll(x.shape[axis] // 2, axis)


def _turned(quarters: int, rows: int, columns: int) -> Turn:
    return lambda x: torch.rot90(x, quarters, (rows, columns))


def _after(first: Turn, second: Turn) -> Turn:
    return lambda x: second(first(x))

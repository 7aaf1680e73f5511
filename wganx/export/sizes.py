"""Which sizes of its inputs a network leaves free: found by running it on others."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from wganx.errors import WganxError
from wganx.export.ports import Port, base_sizes, draw_inputs
from wganx.export.subject import Subject, call_positional

_LEASTS = (8, 16, 32, 64, 128, 256, 512, 1024)
"""The smallest size that a file promises for a free axis is one of these, or that of the training."""


class ExportFailed(WganxError):
    """A network cannot be written in a format, or what was written is not the network; nothing is left of it."""


def free_sizes(subject: Subject) -> dict[str, int]:
    """The axes whose size is free between calls, with the size of the training.

    One is free where the network takes another size of it as well: not where its layers fold it into channels. Axes
    of less than 8 are left alone: they are channels, or frames of a clip.

    Raises:
        ExportFailed: the network does not take what it was trained on, draws random numbers, or makes no tensor.
    """
    first, again = _try(subject, {}), _try(subject, {})
    if isinstance(first, Exception):
        raise ExportFailed(f"the network cannot be called on what its run says it is given: {first}")
    if not isinstance(first, Tensor) or not isinstance(again, Tensor):
        raise ExportFailed(f"the network makes {type(first).__name__}, where one tensor is wanted")
    if not first.equal(again):
        raise ExportFailed(
            "the network draws random numbers when it is evaluated, which no file repeats; "
            "make them an input: the noise that generator.noise gives"
        )
    base = base_sizes(subject.inputs)
    return {
        axis: size
        for axis, size in base.items()
        if size >= _LEASTS[0] and isinstance(_try(subject, {axis: another(size)}), Tensor)
    }


def least_sizes(subject: Subject, free: Mapping[str, int]) -> dict[str, int]:
    """The smallest size of every free axis that the network takes, of a few that are looked at."""
    return {
        axis: next(
            (least for least in _LEASTS if least < size and isinstance(_try(subject, {axis: least}), Tensor)), size
        )
        for axis, size in free.items()
    }


def trained_sizes(subject: Subject, free: Mapping[str, int]) -> dict[str, int | None]:
    """The size of the training of every free axis; None where it fixed none."""
    return {
        axis: size if all(port.is_settled for port in subject.inputs if axis in port.axes) else None
        for axis, size in free.items()
    }


def another(size: int) -> int:
    """A size half as large again, and odd: what pads to a whole number of steps has something to do."""
    return (size * 3 // 2) | 1


def output_port(subject: Subject, free: Mapping[str, int]) -> Port:
    """The output with the sizes that came out, where nothing fixed them."""
    made = call_positional(subject, draw_inputs(subject.inputs, 2, free))
    port = subject.output
    return Port(name=port.name, kind=port.kind, axes=port.axes, sizes=tuple(made.shape[1:]), format=port.format)


def _try(subject: Subject, changed: Mapping[str, int]) -> object:
    try:
        return call_positional(subject, draw_inputs(subject.inputs, 2, changed))
    except Exception as error:  # whatever a network raises at a size that it was not made for
        return error

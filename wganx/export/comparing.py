"""An exported network beside the module it was made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from wganx.export.formats import Called
from wganx.export.ports import draw_inputs
from wganx.export.sizes import ExportFailed, another
from wganx.export.subject import Subject, call_positional
from wganx.plugins.guard import one_line

ROWS_TRIED = (1, 5)

_RELATIVE, _ABSOLUTE = 1e-4, 1e-5
"""Of the largest value that the module gives, and beside it: what another order of the same sums makes of fp32."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """How nearly an exported network gives what the module gives.

    Attributes:
        difference: the largest absolute one.
        largest: the largest absolute value of the module.
        tried: on what, in words.
    """

    difference: float
    largest: float
    tried: str

    @property
    def allowed(self) -> float:
        """The largest difference that is taken for the same network."""
        return _ABSOLUTE + _RELATIVE * self.largest


def compare(subject: Subject, called: Called, free: Mapping[str, int], *, seed: int = 1) -> Agreement:
    """Call both on the same inputs: two numbers of rows, and two sizes where sizes are free.

    Raises:
        ExportFailed: the exported one cannot be called so, gives another shape, or other values than rounding makes.
    """
    difference = largest = 0.0
    tried = []
    for rows, sizes in _cases(free):
        inputs = draw_inputs(subject.inputs, rows, sizes, seed=seed)
        wanted = call_positional(subject, inputs)
        words = ", ".join((f"{rows} row{'s' * (rows > 1)}", *(f"{axis} {size}" for axis, size in sizes.items())))
        try:
            with torch.no_grad():
                found = called(*inputs)
        except Exception as error:
            raise ExportFailed(f"what was written cannot be called on {words}: {one_line(error)}") from error
        if found.shape != wanted.shape:
            raise ExportFailed(
                f"what was written makes {tuple(found.shape)} of {words}, and the module {tuple(wanted.shape)}"
            )
        gap = float((found.double() - wanted.double()).abs().max())
        difference, largest = max(difference, gap), max(largest, float(wanted.abs().max()))
        tried.append(words)
        if not gap <= Agreement(gap, float(wanted.abs().max()), words).allowed:
            raise ExportFailed(
                f"what was written differs from the module by {gap:.3g} on {words}, where values reach "
                f"{float(wanted.abs().max()):.3g}; nothing was kept"
            )
    return Agreement(difference, largest, "; ".join(tried))


def _cases(free: Mapping[str, int]) -> Iterator[tuple[int, dict[str, int]]]:
    """Rows and sizes: those of the training, and others."""
    few, many = ROWS_TRIED
    yield few, dict(free)
    yield many, dict(free)
    if free:
        # Between them every rest that a step of 4 leaves, since what is padded to whole steps is padded otherwise.
        for more in range(4):
            yield (
                few + more % 2,
                {axis: another(size) + more + place for place, (axis, size) in enumerate(free.items())},
            )

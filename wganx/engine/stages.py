"""The stages of a training that changes with the number of its step: a network that grows, a loss that sets in."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise


@dataclass(frozen=True)
class Stage:
    """Consecutive steps at which ``at(step)`` returns the same.

    Attributes:
        first: number of its first step.
        last: number of its last step.
        value: what ``at`` returns.
    """

    first: int
    last: int
    value: Hashable

    @property
    def steps(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


_LOOKS = 64


def stages_of(at: Callable[[int], Hashable], steps: int, most: int = 100) -> list[Stage]:
    """The stages of the first `steps` steps, in order; the first `most` of them.

    ``at`` is asked at evenly spread steps, and between two that differ where it changes; what is there for less than
    one part in 64 of all steps, between two equal values, may be missed.
    """
    marks = sorted({steps * look // _LOOKS for look in range(_LOOKS)} | {0, steps - 1})
    values = {step: at(step) for step in marks}
    changes = (step for low, high in pairwise(marks) for step in _changes(at, low, values[low], high, values[high]))
    starts = [0, *islice(changes, most), steps]
    return [Stage(first, after - 1, at(first)) for first, after in pairwise(starts)][:most]


def _changes(at: Callable[[int], Hashable], low: int, before: Hashable, high: int, after: Hashable) -> Iterator[int]:
    """The steps over `low`, up to `high`, whose value is another than that of the step before."""
    if before == after:
        return
    if high - low == 1:
        yield high
        return
    middle = (low + high) // 2
    value = at(middle)
    yield from _changes(at, low, before, middle, value)
    yield from _changes(at, middle, value, high, after)

"""Readings of one quantity, thinned as they come: what a chart shows of a million of them, in memory that stays small.

Of every stretch of readings the least, the greatest, the last and the first that was no number are kept, each at its
own step. Up to `MOST` readings nothing is left out; beyond, stretches double in length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MOST = 8_192
"""Readings that are all kept, and stretches of those that are not."""
BUFFER = 16_384
"""Readings that wait until they are thinned together."""


@dataclass(frozen=True)
class Curve:
    """One quantity over the steps: rising `steps` (K,) and `values` (K,), NaN where a reading was not finite.

    `left_out` tells how many more readings were not finite and are not among them.
    """

    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    left_out: int = 0

    @property
    def finite(self) -> NDArray[np.float64]:
        """The readings that are numbers."""
        return self.values[np.isfinite(self.values)]

    @property
    def missing(self) -> int:
        """How many readings were not finite."""
        return len(self.values) - len(self.finite) + self.left_out


@dataclass
class Thinned:
    """The readings of one quantity so far.

    Attributes:
        first: place in the file of its first reading.
        seen: how many readings there were; `missing` of them were not finite.
        every: readings a stretch.
        numbers: of the readings that are kept, which one of all it was, counted from 0.
        steps, values: theirs.
    """

    first: int
    seen: int = 0
    missing: int = 0
    every: int = 1
    numbers: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    steps: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    values: NDArray[np.float64] = field(default_factory=lambda: np.empty(0, dtype=np.float64))
    _waiting: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=list)

    def add(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """More readings, in the order of the file; NaN for what is no finite number."""
        self._waiting.append((np.arange(self.seen, self.seen + len(steps)), steps, values))
        self.seen += len(steps)
        self.missing += int(np.isnan(values).sum())
        if sum(len(waiting[1]) for waiting in self._waiting) >= BUFFER:
            self.settle()

    def settle(self) -> None:
        """Thin what waits."""
        if not self._waiting:
            return
        parts = zip((self.numbers, self.steps, self.values), *self._waiting)
        self.numbers, self.steps, self.values = (np.concatenate(each) for each in parts)
        self._waiting.clear()
        while self.seen > MOST * self.every:
            self.every *= 2
        if self.every > 1:
            # Of an earlier course nothing is left beyond the step at which a roll-back began the later one.
            later = np.append(np.minimum.accumulate(self.steps[:0:-1])[::-1], np.iinfo(np.int64).max)
            self._keep(self.steps < later, counted=True)
            self._keep(_worth_keeping(self.numbers // self.every, self.values))

    def _keep(self, kept: NDArray[np.bool_], *, counted: bool = False) -> None:
        """Only these; `counted` where what goes was never a reading of this course."""
        if counted:
            self.missing -= int(np.isnan(self.values[~kept]).sum())
        self.numbers, self.steps, self.values = self.numbers[kept], self.steps[kept], self.values[kept]

    def curve(self) -> Curve:
        """All of it over the steps. After a roll-back steps come twice: the later reading is the one that counts."""
        self.settle()
        steps, values = self.steps, self.values
        if (steps[1:] <= steps[:-1]).any():
            order = np.lexsort((np.arange(len(steps)), steps))
            steps, values = steps[order], values[order]
            latest = np.append(steps[1:] != steps[:-1], True)
            steps, values = steps[latest], values[latest]
        kept = int(np.isnan(self.values).sum())
        return Curve(steps, values, self.missing - kept)


def _worth_keeping(stretches: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Of each stretch, which comes in order: the least, the greatest, the first that is NaN, the last."""
    begins = np.flatnonzero(np.append(True, stretches[1:] != stretches[:-1]))
    lengths = np.diff(np.append(begins, len(values)))
    missing = np.isnan(values)
    kept = np.zeros(len(values), dtype=np.bool_)
    kept[begins + lengths - 1] = True
    for extreme, stand_in in ((np.minimum, np.inf), (np.maximum, -np.inf)):
        comparable = np.where(missing, stand_in, values)
        found = (comparable == np.repeat(extreme.reduceat(comparable, begins), lengths)) & ~missing
        kept[_first_of(found, stretches)] = True
    kept[_first_of(missing, stretches)] = True
    return kept


def _first_of(found: NDArray[np.bool_], stretches: NDArray[np.int64]) -> NDArray[np.intp]:
    places = np.flatnonzero(found)
    return places[np.unique(stretches[places], return_index=True)[1]]

"""Frames at any instant between two of a film, by a network that makes those of some instants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from wganx import UsageError

_FINE = 4
"""Where a wanted instant has to be approached, steps of the grid for each frame that is wanted."""
_HALF = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class Made:
    """A frame that the network makes.

    Attributes:
        gap: it lies between the kept frames of this number and the next.
        position: which of the frames that come out it is.
    """

    gap: int
    position: int


class Instants:
    """What a network of a game with `kept` and `missing` positions can make, and how others are approached.

    The kept frames are evenly spaced, and count as one apart. The frame at 1/3 is made at once by a network that makes
    those at 1/3; another makes the one at 1/2, then of the frames at 0 and 1/2 the one at 1/4, and so on, up to the one
    of the grid that is nearest.

    Args:
        kept, missing: positions in a clip of the training.
        any_time: the network is told for which instant between its middle frames, and makes a frame of any.

    Raises:
        UsageError: the kept frames are one, or unevenly spaced.
    """

    def __init__(self, kept: Sequence[int], missing: Sequence[int], *, any_time: bool = False) -> None:
        steps = {after - before for before, after in pairwise(kept)}
        if len(steps) != 1:
            raise UsageError(f"frames are made between evenly spaced ones, and this game keeps {tuple(kept)}")
        self.count, self.any_time = len(kept), any_time
        self.spacing = steps.pop()
        self.middle = (len(kept) - 2) // 2
        self._made: dict[Fraction, list[Made]] = {}
        for position, at in enumerate(missing):
            gap, within = divmod(at - kept[0], self.spacing)
            if 0 <= gap < len(kept) - 1 and within:
                self._made.setdefault(Fraction(within, self.spacing), []).append(Made(gap, position))
        self.bases = [
            base
            for base in range(2, self.spacing + 1)
            if all(Fraction(part, base) in self._made for part in range(1, base))
        ]

    def grid(self, ratio: Fraction) -> tuple[int, int]:
        """The base and the depth of the grid on which the instants lie that are made for `ratio` frames a frame.

        Raises:
            UsageError: the network makes no frame from which others could be made.
        """
        if ratio.denominator == 1 and int(ratio) in self.bases:
            return int(ratio), 1
        if not self.bases:
            at = ", ".join(map(str, sorted(self._made))) or "none"
            raise UsageError(f"this generator makes frames at {at} of the way between two alone, and never half-way")
        for base in self.bases:
            depth = 1
            while base**depth < ratio:
                depth += 1
            if base**depth == ratio:
                return base, depth
        base, depth = self.bases[0], 1
        while base**depth < _FINE * ratio:
            depth += 1
        return base, depth

    def choose(self, within: Fraction, exists: Callable[[int], bool]) -> Made:
        """Who makes the frame that lies `within` of the way: where the window has all of its frames, else the middle.

        Args:
            exists: whether a frame is there so many steps from the one before.
        """
        if self.any_time:
            return Made(self.middle, 0)

        def missing(made: Made) -> tuple[int, int]:
            absent = sum(not exists(place - made.gap) for place in range(self.count))
            return absent, abs(made.gap - self.middle)

        return min(self._made[within], key=missing)

"""Progress of a training in lines, and what a line is made of."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import IO

from wganx.engine.observer import Observer
from wganx.health import Finding
from wganx.names import visible

SHOWN = {
    "w1_raw": "W1 raw",
    "w1_corrected": "corrected",
    "w1_heldout": "held out",
    "distance": "distance",
    "distance_heldout": "held out",
    "score_gap": "score gap",
    "gradient_norm": "gradient norm",
    "penalty": "penalty",
}
"""What is shown of the readings, and what it is called."""
GAP = "  "


class Pace:
    """How long the rest of a training will take at the pace since it was last asked."""

    def __init__(self, start: int, until: int) -> None:
        self._until = until
        self._last = (start, time.perf_counter())
        self.left = "? left"
        self.rate = ""

    def advance(self, step: int) -> None:
        """The training is at `step` now."""
        now = time.perf_counter()
        rate = (step - self._last[0]) / max(now - self._last[1], 1e-9)
        self._last = (step, now)
        if rate > 0:
            self.expect(step, 1 / rate)

    def expect(self, step: int, seconds: float) -> None:
        """A step is known to take so many seconds."""
        self.left = f"{timedelta(seconds=round((self._until - step) * seconds))} left"
        self.rate = f"{1 / seconds:.1f} steps/s" if seconds < 1 else f"{seconds:.1f} s/step"


class Lines(Observer):
    """Says in lines how far a training is, how long it will take, and its readings.

    Args:
        say: takes a line; standard error by default.
        seconds: between two lines at least, but for the last one.
    """

    def __init__(self, say: Callable[[str], None] | None = None, *, seconds: float = 0.0) -> None:
        self._say = say or _to_standard_error
        self._seconds = seconds
        self._until = 0
        self._pace = Pace(0, 0)
        self._said = float("-inf")

    def started(self, step: int, until: int) -> None:
        self._until, self._pace, self._said = until, Pace(step, until), float("-inf")
        if step:
            self._say(f"resuming after step {step}")

    def paced(self, step: int, seconds: float) -> None:
        self._pace.expect(step, seconds)
        self._say(f"time  {self._pace.left}, at {self._pace.rate}")

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        now = time.perf_counter()
        if now - self._said < self._seconds and step < self._until:
            return
        self._said = now
        self._pace.advance(step)
        line = [f"step {step}/{self._until}", *readings(scalars), self._pace.rate, self._pace.left]
        self._say(GAP.join(filter(None, line)))


class Progress(Lines):
    """Says in lines how far a training is, how long it will take, its readings, and what the health checks find.

    Args:
        say: takes a line; standard error by default.
        seconds: between two lines at least, but for the last one; findings are said at once.
        notes: whether to say what a person should know, too; not where someone else does.
    """

    def __init__(self, say: Callable[[str], None] | None = None, *, seconds: float = 0.0, notes: bool = True) -> None:
        super().__init__(say, seconds=seconds)
        self._notes = notes

    def found(self, finding: Finding) -> None:
        self._say(f"step {finding.step}{GAP}{finding}")

    def noted(self, message: str) -> None:
        if self._notes:
            self._say(f"wganx: {message}")


def readings(scalars: Mapping[str, float]) -> list[str]:
    """What of the scalars is shown, each with its name."""
    return [f"{label} {scalars[name]:.3g}" for name, label in SHOWN.items() if name in scalars]


def is_terminal(stream: IO[str] | None) -> bool:
    """Whether a person looks at what is written there."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # it is closed
        return False


def _to_standard_error(line: str) -> None:
    with suppress(OSError):  # of a terminal that closed: not worth the training
        print(visible(line), file=sys.stderr, flush=True)

"""How long a training has trained: its own seconds, without those that went into looking at it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wganx.engine import Observer
from wganx.runs import RunFolder, read_lines

_OWN = ("data", "critic", "generator", "other")
"""The parts of the time that are the training's; whatever else is named only looks: previews, metrics, observers."""


@dataclass
class Clock:
    """Training seconds at every logging point.

    Attributes:
        steps: generator updates at the logging points.
        seconds: spent in training up to each: time for data, both players and logging; not for previews, metrics and
            observers.
    """

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    _total: float = 0.0

    def add(self, line: Mapping[str, Any]) -> None:
        """Take up the next line of ``timings.jsonl``."""
        looking = sum(share for name, share in line.items() if name.startswith("time/") and name[5:] not in _OWN)
        passed = max(line["seconds"] - self._total, 0.0)
        self._total = line["seconds"]
        self.steps.append(line["step"])
        self.seconds.append(self.spent + passed * (1 - min(looking, 1.0)))

    @property
    def spent(self) -> float:
        """Seconds of training so far."""
        return self.seconds[-1] if self.seconds else 0.0

    def at(self, step: float) -> float:
        """Seconds spent up to a step, between the logging points in proportion."""
        return float(np.interp(step, [0, *self.steps], [0.0, *self.seconds]))

    def per_step(self) -> list[float]:
        """Seconds a step, between each logging point and the next; the first, which also warms up, only if alone."""
        steps, seconds = [0, *self.steps], [0.0, *self.seconds]
        found = [
            (seconds[i] - seconds[i - 1]) / (steps[i] - steps[i - 1])
            for i in range(1, len(steps))
            if steps[i] > steps[i - 1]
        ]
        return found[1:] or found


def training_clock(timings: Iterable[Mapping[str, Any]]) -> Clock:
    """The clock of a run, from the lines of its ``timings.jsonl``."""
    clock = Clock()
    for line in timings:
        clock.add(line)
    return clock


class SecondsBudget(Observer):
    """Stops a training, as a request would, at the first logging point after so many seconds of it.

    Heard after the run's own recorder, from whose file it reads the time; a run that goes on goes on counting.

    Attributes:
        over: whether the seconds are spent.
    """

    def __init__(self, folder: RunFolder, seconds: float, stop: Callable[[], None]) -> None:
        self._folder, self._seconds, self._stop = folder, seconds, stop
        self._clock = Clock()
        self.over = False

    def started(self, step: int, until: int) -> None:
        self._clock = training_clock(read_lines(self._folder.timings))

    def rolled_back(self, step: int, reason: str) -> None:
        self._clock = training_clock(read_lines(self._folder.timings))

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        *_, last = read_lines(self._folder.timings)
        self._clock.add(last)
        if self._clock.spent >= self._seconds:
            self.over = True
            self._stop()

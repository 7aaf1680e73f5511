"""How long a training has trained: its own seconds, without those that went into looking at it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wganx.engine import Observer
from wganx.records import last_line, read_lines
from wganx.runs import RunFolder


def own_share(shares: Mapping[str, float], device: str) -> float:
    """The share of the time that is the training's own: for data and both players, not for looking at them.

    On a GPU these are the times of launching the work; the wait for it falls into ``other``, which counts there.
    """
    parts = ("data", "critic", "generator") if device == "cpu" else ("data", "critic", "generator", "other")
    return min(sum(shares.get(part, 0.0) for part in parts), 1.0)


@dataclass
class Clock:
    """Training seconds at every logging point.

    Attributes:
        steps: generator updates at the logging points.
        seconds: spent in training up to each, by `own_share`: logging, previews, metrics and checkpoints do not count.
        device: where it trains.
    """

    device: str = "cpu"
    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    _total: float = 0.0

    def add(self, line: Mapping[str, Any]) -> None:
        """Take up the next line of ``timings.jsonl``; one that says no time tells nothing."""
        if not math.isfinite(line.get("seconds", math.nan)):
            return
        shares = {name[5:]: share for name, share in line.items() if name.startswith("time/")}
        passed = max(line["seconds"] - self._total, 0.0)
        self._total = line["seconds"]
        self.steps.append(line["step"])
        self.seconds.append(self.spent + passed * own_share(shares, self.device))

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


def training_clock(folder: RunFolder) -> Clock:
    """The clock of a run, from its ``timings.jsonl``."""
    clock = Clock(str(folder.facts().get("device", "cpu")).partition(":")[0])
    for line in read_lines(folder.timings):
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
        self._clock = training_clock(self._folder)

    def rolled_back(self, step: int, reason: str) -> None:
        self._clock = training_clock(self._folder)

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        if (last := last_line(self._folder.timings)) is not None:
            self._clock.add(last)
        if self._clock.spent >= self._seconds:
            self.over = True
            self._stop()

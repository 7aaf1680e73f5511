"""Who is told what happens during training."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from wganx.health import Finding
from wganx.names import visible


class Observer:
    """Base of the observers: override what you want to hear about. Nothing is called between logging points.

    An observer only looks: what it is handed is its own copy, and torch's random streams are put back behind it.
    """

    def started(self, step: int, until: int) -> None:
        """Networks and data are checked; training goes on after `step` generator updates, up to `until`."""

    def paced(self, step: int, seconds: float) -> None:
        """Once, after the first few steps of a call of `fit`: how many seconds a step takes on this device."""

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        """A logging point after `step` generator updates."""

    def found(self, finding: Finding) -> None:
        """A health check begins to find something, or no longer does; told after `logged` of the same step.

        Where no observer listens, the logger ``wganx`` warns of what is amiss, once each."""

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        """Shares of the time since the last logging point: ``data``, ``critic``, ``generator`` and ``other``."""

    def saved(self, step: int, path: Path) -> None:
        """A checkpoint is on disk under its final name."""

    def rolled_back(self, step: int, reason: str) -> None:
        """Training returned to the checkpoint of `step`; whatever was recorded after it is void."""

    def noted(self, message: str) -> None:
        """Something a person should know: a step that could not be recorded, a batch taken in parts, a roll-back, a
        damaged checkpoint passed over. Each is said once; where no observer listens, the logger ``wganx`` warns."""


class Warnings(Observer):
    """Says what the health checks find amiss, each once, and nothing else."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[str] = set()

    def found(self, finding: Finding) -> None:
        if finding.text is not None and finding.level != "info" and finding.code not in self._said:
            self._said.add(finding.code)
            self._say(f"step {finding.step}: {finding}")


def log_note(message: str) -> None:
    """Where notes go when no observer listens."""
    logging.getLogger("wganx").warning("%s", visible(message))


class Audience(Observer):
    """All observers of a training; `aside` stands around whatever they do."""

    def __init__(self, observers: Sequence[Observer], aside: Callable[[], AbstractContextManager[object]]) -> None:
        self._observers: tuple[Observer, ...] = tuple(observers)
        self._aside = aside
        self._listening = any(type(observer).noted is not Observer.noted for observer in observers)
        if not any(type(observer).found is not Observer.found for observer in observers):
            self._observers += (Warnings(log_note),)

    def started(self, step: int, until: int) -> None:
        self._tell(lambda observer: observer.started(step, until))

    def paced(self, step: int, seconds: float) -> None:
        self._tell(lambda observer: observer.paced(step, seconds))

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        self._tell(lambda observer: observer.logged(step, dict(scalars)))

    def found(self, finding: Finding) -> None:
        self._tell(lambda observer: observer.found(finding))

    def timed(self, step: int, shares: Mapping[str, float]) -> None:
        self._tell(lambda observer: observer.timed(step, dict(shares)))

    def saved(self, step: int, path: Path) -> None:
        self._tell(lambda observer: observer.saved(step, path))

    def rolled_back(self, step: int, reason: str) -> None:
        self._tell(lambda observer: observer.rolled_back(step, reason))

    def noted(self, message: str) -> None:
        if self._listening:
            self._tell(lambda observer: observer.noted(message))
        else:
            log_note(message)

    def _tell(self, call: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            with self._aside():
                call(observer)


def mute(message: str) -> None:
    """Of several processes the first one speaks."""

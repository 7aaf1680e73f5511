"""What a bar in a terminal and one in a notebook have in common: where the training is, redrawn as it moves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

from wganx.engine.observer import Observer
from wganx.engine.progress.lines import Pace


class InPlace(Observer):
    """Keeps step, pace and readings, and shows itself anew whenever one of them changed."""

    def __init__(self, steps: int = 0) -> None:
        self._step, self._steps, self._pace = 0, steps, Pace(0, steps)
        self._scalars: dict[str, float] = {}

    @abstractmethod
    def _show(self) -> None:
        """Draw it as it stands."""

    def started(self, step: int, until: int) -> None:
        self._step, self._steps, self._pace = step, until, Pace(step, until)

    def paced(self, step: int, seconds: float) -> None:
        self._step = step
        self._pace.expect(step, seconds)
        self._show()

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        self._pace.advance(step)
        self._step, self._scalars = step, dict(scalars)
        self._show()

    def rolled_back(self, step: int, reason: str) -> None:
        self._step = step
        self._show()

"""How fast a training goes, from its first steps."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from wganx.devices import wait_for

_SECONDS = 1.0


class FirstPace:
    """Tells `paced` once how long a step takes, as soon as a second of steps has passed.

    The first two steps are left out: they also prepare what later ones use (kernels, records, caches).

    Attributes:
        known: whether it was told.
    """

    def __init__(self, device: torch.device, paced: Callable[[int, float], None]) -> None:
        self._device, self._paced = device, paced
        self._steps = 0
        self._begun = 0.0
        self.known = False

    def look(self, step: int) -> None:
        """A step ended, number `step`."""
        self._steps += 1
        if self._steps == 2:
            self._begun = self._now()
        elif self._steps > 2 and time.perf_counter() - self._begun > _SECONDS:
            self.known = True
            self._paced(step, (self._now() - self._begun) / (self._steps - 2))

    def _now(self) -> float:
        wait_for(self._device)  # steps are only queued on a GPU; twice in a training this waits for them
        return time.perf_counter()

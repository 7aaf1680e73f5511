"""Where the time of a training goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the time spent in named parts. On a GPU that is the time of launching work, not of doing it."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = defaultdict(float)
        self._begun = time.perf_counter()

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time spent inside belongs to `name`."""
        started = time.perf_counter()
        yield
        self._seconds[name] += time.perf_counter() - started

    def shares(self) -> dict[str, float]:
        """Each part's share of the time since the last call, and ``other`` for the rest."""
        now = time.perf_counter()
        whole = max(now - self._begun, 1e-9)
        shares = {name: seconds / whole for name, seconds in self._seconds.items()}
        self._seconds.clear()
        self._begun = now
        return {**shares, "other": max(0.0, 1 - sum(shares.values()))}

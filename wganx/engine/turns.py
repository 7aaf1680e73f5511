"""Threads take turns with what torch has once for the whole process: random streams, caches of weights, switches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """One thread at a time; a training lets others draw between two of its steps, and other trainings wait for its end.

    A thread that has its turn may take it again. One that waits gives up whatever it has, so that no two wait for
    each other.
    """

    def __init__(self) -> None:
        self._free = threading.Condition(threading.RLock())
        self._count = threading.Lock()
        self._waiting = 0
        self._training: int | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Around work that moves what there is once; waits for its turn."""
        with self._count:
            self._waiting += 1
        with self._free:
            with self._count:
                self._waiting -= 1
            try:
                yield
            finally:
                self._free.notify_all()

    @contextmanager
    def training(self, note: Callable[[str], None]) -> Iterator[None]:
        """Around a training; those of other threads wait for it, with a word to `note`."""
        me = threading.get_ident()
        with self.taken():
            outer = self._training
            if outer not in (None, me):
                note(
                    "another training goes on in another thread of this process; this one starts when it has ended "
                    "(two at once take two processes)"
                )
                self._free.notify_all()  # the training was stopped for this thread to come in
                self._free.wait_for(lambda: self._training is None)
                outer = None
            self._training = me
            try:
                yield
            finally:
                self._training = outer

    def offer(self) -> None:
        """Between two steps: whoever waits to draw does so now."""
        if self._waiting:
            self._free.wait_for(lambda: not self._waiting)


TURNS = Turns()
"""Those of this process."""

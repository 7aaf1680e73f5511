"""Whether the processes that train together live: each shows signs of life, and looks for those of another."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from itertools import count as numbers
from typing import TYPE_CHECKING

from wganx.errors import ProcessLost

if TYPE_CHECKING:  # a torch may be built without
    from torch._C._distributed_c10d import Store


BEAT = 2.0
"""Seconds between two signs of life."""
SILENCE = 120.0
"""Seconds without one after which a process counts as lost."""
AWAY = 3600.0
"""The same for the first process while it alone evaluates or draws, in code that may hold the interpreter for long."""
GRACE = 30.0
"""Seconds that a process has to end by itself once another is lost, where it may be waiting inside of its device."""

_STANDS = "stopped, swapped out, or cut off from the others"


class Pulse:
    """A thread that shows signs of life in the store by which the processes met, until it is ended.

    Each process looks for the signs of the next one by number, the last for those of the first, and whoever misses
    some tells all. What was never seen is not missed: it may still be getting ready.

    Attributes:
        lost: what was missed, in words; empty while all live.
        told: whether the lost one has said by itself why it ended.
        queued: whether work for all processes was queued on a device. Who waits for its device then waits for the
            others too, which nothing interrupts: where one is lost, it has `GRACE` seconds to end, and is ended.
    """

    def __init__(self, number: int, count: int, store: Store, meeting: str) -> None:
        self.number, self.count = number, count
        self.lost, self.told = "", False
        self.queued = self._late = False
        self._store, self._meeting = store, f"wganx/pulse/{meeting}"
        self._away = self._alone = False
        self._answered = self._moved = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="wganx pulse", daemon=True)
        self._thread.start()

    def away(self, away: bool) -> None:
        """This process does alone what may take long, or is back from it."""
        self._away = away

    def moved(self) -> None:
        """This process has come to do something together with the others."""
        self._moved = time.monotonic()

    def end(self, why: str = "") -> None:
        """The training is over here; `why` where it failed."""
        if self.queued and self.lost:
            return  # what is queued may keep this process from ending
        self._ended.set()
        self._thread.join(BEAT)
        if self._thread.is_alive() or self._alone:
            return  # it would not answer this either
        with suppress(RuntimeError):
            self._store.set(f"{self._meeting}/{self.number}", f"failed {why}" if why else "done")

    def missing(self) -> str:
        """Who is lost, in words; empty while all live."""
        if not self.lost and not self._alone and (silent := time.monotonic() - self._answered) > SILENCE + BEAT:
            self.lost = f"{self._keeper()} has given no answer for {silent:.0f} s ({_STANDS})"
        return self.lost

    def look(self) -> str:
        """Who is missing, in words, just after a connection was lost; waits for a few signs of life at most."""
        others = [number for number in range(self.count) if number != self.number]
        try:
            if self._alone or time.monotonic() - self._answered > 4 * BEAT:
                raise ConnectionError
            before = {number: self._heard(number) for number in others}
            until = time.monotonic() + 4 * BEAT
            while time.monotonic() < until and not self.lost:
                time.sleep(BEAT / 4)
                now = {number: self._heard(number) for number in others}
                for number, sign in now.items():
                    if sign.startswith("failed"):
                        self._lose(number, sign)
            silent = [number for number in others if now[number] == before[number] and now[number] != "done"]
        except (RuntimeError, ConnectionError):
            self.lost = self.lost or f"{self._keeper()} is gone"
            return self.lost
        if not self.lost and silent:
            self.lost = f"process {', '.join(map(str, silent))} of {self.count} is gone"
        return self.lost

    def _work(self) -> None:
        watched = (self.number + 1) % self.count
        last, since = "", time.monotonic()
        try:
            for beat in numbers():
                self._store.set(f"{self._meeting}/{self.number}", f"{'away' if self._away else 'here'} {beat}")
                sign = self._heard(watched)
                now = self._answered = time.monotonic()
                if sign != last:
                    last, since = sign, now
                if told := self._read(f"{self._meeting}/lost"):
                    self.told, self.lost = told.startswith("told "), told.partition(" ")[2]
                self._judge(watched, last, now - since)
                self._last_resort()
                if self._ended.wait(BEAT):
                    return
        except RuntimeError:  # the store went with the process that kept it; those that live still hear of each other
            self._alone = True
            while not self._ended.wait(BEAT):
                self._last_resort()

    def _last_resort(self) -> None:
        """End this process where it cannot: it waits inside of its device for one that is lost."""
        if not self.queued or self._away or not (self.lost or self._alone):
            return
        if self.lost and not self._late:
            self._late = True
            self.moved()
        still = time.monotonic() - self._moved
        if still > (GRACE if self.lost else SILENCE):
            if not self.told:
                what = self.lost or f"{self._keeper()} is gone"
                with suppress(OSError, ValueError):
                    sys.stderr.write(
                        f"wganx: {what}; process {self.number} waits for it inside of its device, which only its own "
                        "end ends: start all again with --resume\n"
                    )
                    sys.stderr.flush()
            os._exit(ProcessLost.exit_code)

    def _judge(self, number: int, sign: str, silent: float) -> None:
        if self.lost or not sign or sign == "done":
            return
        if sign.startswith("failed"):
            self._lose(number, sign)
        elif silent > (AWAY if sign.startswith("away") else SILENCE):
            self.lost = f"process {number} of {self.count} has shown no sign of life for {silent:.0f} s ({_STANDS})"
        if self.lost:
            with suppress(RuntimeError):
                self._store.set(f"{self._meeting}/lost", f"{'told' if self.told else 'seen'} {self.lost}")

    def _lose(self, number: int, sign: str) -> None:
        self.told = True
        self.lost = f"process {number} of {self.count} ended: {sign.partition(' ')[2]}"

    def _keeper(self) -> str:
        """Who keeps the store."""
        return f"process 0 of {self.count}, or what launched it,"

    def _heard(self, number: int) -> str:
        return self._read(f"{self._meeting}/{number}")

    def _read(self, key: str) -> str:
        """What stands there; empty where nothing does, which `get` alone would wait for."""
        if not self._store.check([key]):
            return ""
        text: str = self._store.get(key).decode("utf-8", "replace")
        return text

"""The line in which visitors wait: one at a time is served, in the order in which they came.

A line is bounded, and so is all that it keeps: how many wait, how long one may take, how long and how many results lie
there. A visitor is taken to be there as long as someone looks after the place; who left makes room at once, and what is
being made for them is broken off at the next call of a network.
"""

from __future__ import annotations

import secrets
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from typing import Generic, Literal, TypeVar

from wganx.errors import UsageError, WganxError
from wganx.plugins.guard import one_line

T = TypeVar("T")
State = Literal["waiting", "working", "done", "failed"]

LONGEST = 32
"""Visitors that wait or are served."""
PATIENCE = 30.0
"""Seconds without a look at a place before its visitor is taken to have left."""
KEPT = 600.0
"""Seconds that a result lies there after it was made."""
MOST_KEPT = 64
"""Results at once; the oldest makes room."""
_SWEEPS_EVERY = 1.0


class Full(WganxError):
    """So many wait already that nobody else is let in."""


class Left(WganxError):
    """Nobody waits for it any longer; the work in which it is raised is for nothing.

    One of wganx's own errors, so that it passes through the guards around plugins as it is.
    """


class TooLong(UsageError):
    """The work takes longer than a visitor may take."""


@dataclass(eq=False)
class Place(Generic[T]):
    """A visitor's place.

    Attributes:
        folder: where all of it lies, which goes when the place does.
        token: by which the visitor knows it, and nobody else does.
        state: where it stands.
        share: of the work that is done, in 0 .. 1, where that is known.
        outcome: what was made, once it is done.
        message: why nothing was, where it failed.
        since: when that began, by the clock of the line.
    """

    line: Line[T]
    work: Callable[[Place[T]], T]
    folder: Path
    token: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    state: State = "waiting"
    share: float | None = None
    outcome: T | None = None
    message: str = ""
    seen: float = 0.0
    since: float = 0.0

    def check(self) -> None:
        """Called in the midst of the work, again and again.

        Raises:
            Left: the visitor did, or the line was closed.
            TooLong: the work takes longer than it may.
        """
        self.line.check(self)

    def check_open(self) -> None:
        """The same in the midst of what is of use to all visitors, and so goes on when this one leaves.

        Raises:
            Left: the line was closed.
        """
        self.line.check_open()

    def tell(self, share: float) -> None:
        """Say how much of the work is done."""
        self.line.tell(self, share)

    def begin_anew(self) -> None:
        """Count the seconds of the work from here on."""
        self.line.begin_anew(self)


@dataclass(frozen=True, slots=True)
class View:
    """What a visitor sees of a place: its state, how many are served before it, how much of the work is done."""

    state: State
    before: int
    percent: int | None


class Line(Generic[T]):
    """Serves its visitors with a thread of its own, inside of ``with``.

    Args:
        seconds: that a visitor may take.
        clock: seconds from any moment on.
    """

    def __init__(
        self,
        *,
        seconds: float,
        longest: int = LONGEST,
        patience: float = PATIENCE,
        kept: float = KEPT,
        most_kept: int = MOST_KEPT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._longest, self._patience = seconds, longest, patience
        self._kept, self._most_kept, self._clock = kept, most_kept, clock
        self._places: dict[str, Place[T]] = {}
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._serve, name="wganx-demo", daemon=True)

    def __enter__(self) -> Line[T]:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()  # to its next look up: a process must not end under a thread that computes
        with self._changed:
            for place in list(self._places.values()):
                self._drop(place)

    def refuse_if_full(self) -> None:
        """Raises Full where nobody else is let in: asked before a visitor's file is received, too."""
        with self._changed:
            self._sweep()
            if self._closed or len(self._ahead()) >= self._longest:
                raise Full(f"{self._longest} visitors wait already; come back in a while")

    def join(self, work: Callable[[Place[T]], T], folder: Path) -> Place[T]:
        """A place at the end of the line, whose `folder` is removed with it.

        Raises:
            Full: there is none.
        """
        with self._changed:
            self.refuse_if_full()
            place = Place(self, work, folder, seen=self._clock())
            self._places[place.token] = place
            self._changed.notify_all()
            return place

    def find(self, token: str) -> Place[T] | None:
        """The place of a visitor who looks after it; None where it is gone."""
        with self._changed:
            place = self._places.get(token)
            if place is not None:
                place.seen = self._clock()
            return place

    def view(self, place: Place[T], known: View | None = None, wait: float = 0.0) -> View | None:
        """How a place stands: once that is another than what is `known`, or at most `wait` seconds later.

        None where the place is gone meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._view(place) != known, timeout=wait)
            place.seen = self._clock()
            return self._view(place)

    def leave(self, token: str) -> None:
        """The visitor goes: out of the line, and with all that was made."""
        with self._changed:
            if (place := self._places.get(token)) is not None:
                self._drop(place)

    def check(self, place: Place[T]) -> None:
        """As `Place.check`."""
        with self._changed:
            now = self._clock()
            if self._closed or place.token not in self._places or self._is_silent(place, now):
                raise Left("nobody waits for this any longer")
            if now - place.since > self._seconds:
                raise TooLong(
                    f"this takes longer than {self._seconds:g} seconds, which is all that a visitor may take here; ask "
                    "for less, or send a shorter or a smaller file"
                )

    def check_open(self) -> None:
        """As `Place.check_open`."""
        with self._changed:
            if self._closed:
                raise Left("the line is closed")

    def tell(self, place: Place[T], share: float) -> None:
        """As `Place.tell`."""
        with self._changed:
            place.share = share
            self._changed.notify_all()

    def begin_anew(self, place: Place[T]) -> None:
        """As `Place.begin_anew`."""
        with self._changed:
            place.since = self._clock()

    def _view(self, place: Place[T]) -> View | None:
        if place.token not in self._places:
            return None
        ahead = self._ahead()
        before = ahead.index(place) if place in ahead else 0
        return View(place.state, before, None if place.share is None else int(100 * place.share))

    def _ahead(self) -> list[Place[T]]:
        """Who waits or is served, in their order."""
        return [place for place in self._places.values() if place.state in ("waiting", "working")]

    def _is_silent(self, place: Place[T], now: float) -> bool:
        return now - place.seen > self._patience

    def _sweep(self) -> None:
        """Away with visitors who left without a word, and with results that lay there long enough."""
        now = self._clock()
        for place in self._ahead():
            # What is being worked on is broken off from within.
            if place.state == "waiting" and self._is_silent(place, now):
                self._drop(place)
        ended = [place for place in self._places.values() if place.state in ("done", "failed")]
        ended.sort(key=lambda place: place.since)
        for number, place in enumerate(ended):
            if now - place.since > self._kept or len(ended) - number > self._most_kept:
                self._drop(place)

    def _drop(self, place: Place[T]) -> None:
        if self._places.pop(place.token, None) is not None:
            # What is worked on still writes; whoever breaks it off removes it.
            if place.state != "working":
                _remove(place)
            self._changed.notify_all()

    def _serve(self) -> None:
        while (place := self._next()) is not None:
            outcome: T | None = None
            message = ""
            try:
                outcome = place.work(place)
            except Left:
                self.leave(place.token)
            except WganxError as error:
                message = str(error)
            except (Exception, SystemExit) as error:  # the others are served all the same
                message = one_line(error)
            with self._changed:
                place.state = "failed" if message else "done"
                place.outcome, place.message, place.since = outcome, message, self._clock()
                if place.token not in self._places:
                    _remove(place)
                self._changed.notify_all()

    def _next(self) -> Place[T] | None:
        """The first who waits, from now on served; None when the line is closed."""
        with self._changed:
            while not self._closed:
                self._sweep()
                if ahead := self._ahead():
                    place = ahead[0]
                    place.state, place.since = "working", self._clock()
                    self._changed.notify_all()
                    return place
                self._changed.wait(_SWEEPS_EVERY)
            return None


def _remove(place: Place[T]) -> None:
    shutil.rmtree(place.folder, ignore_errors=True)

"""A watchdog over reads that may get no answer: it ends the wait, or where nothing can, the process.

A batch that others read, a thread or a process, is waited for with a limit, by whoever waits. What this thread reads
itself has none: a read from a mount that is gone returns neither data nor an error. So a thread of this module looks at
such waits from outside, once a second.

The main thread is interrupted by a signal whose handler raises, out of whatever system call it is in. What is not
interrupted by that (a library that tries again, a disk that does not let go of the process, Windows) ends with its
process, where that is a command's own; elsewhere it is said. Other threads take no signals in Python: of them too it is
said, and the process ended only where it is one of several that train together, since the others depend on its end.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from wganx import memory, process
from wganx.data import patience
from wganx.errors import NoAnswer

if TYPE_CHECKING:
    from torch import Tensor

    from wganx.data.items import Items

log = logging.getLogger("wganx")

_PERIOD = 1.0
_GRACE = 10.0
"""Seconds that an interrupted read has to end, on a machine that is busy with others too."""
_BUSY = 0.1
"""Of a processor: who computes more than this is not waiting."""
_READ = 4096
"""Bytes a look: who reads more than this has answers."""
_KICK: int | None = getattr(signal, "SIGURG", None)
"""The signal: ignored where nobody handles it, and of no use to anybody else."""

_waits: dict[int, list[Wait]] = {}
"""Of every thread, the outermost first."""
_answers = 0
_thread: threading.Thread | None = None
_handled = False
_before: Any = None
"""Whether the signal has its handler, and the one that it had."""


def answered() -> None:
    """Something was read, by any thread: who waits is not waiting in vain."""
    global _answers
    _answers += 1


def read_item(items: Items, index: int) -> Mapping[str, Tensor]:
    """``items[index]``, which is not waited for without end.

    Raises:
        NoAnswer: it does not come.
    """
    with Wait("reading") as wait:
        wait.items, wait.index = items, index
        return items[index]


class _Unanswered(BaseException):
    """Raised out of a read by the signal's handler; no plugin takes it for an item that cannot be read."""

    def __init__(self, wait: Wait) -> None:
        super().__init__()
        self.wait = wait


class Wait:
    """Inside the ``with`` block this thread reads, and is not kept waiting for ever.

    The limit is `wganx.data.patience.LONGEST`, from the last answer on.

    Args:
        doing: in words, ``reading``.
        opaque: it is code of others, which may compute or read for long by itself: that counts as an answer.

    Attributes:
        items: what is read, where it is items.
        index: which of them; that it becomes another is an answer.

    Raises:
        NoAnswer: at the end, with what was waited for.
    """

    def __init__(self, doing: str, *, opaque: bool = False) -> None:
        self.doing, self.opaque = doing, opaque
        self.items: Items | None = None
        self.index = 0
        self.silent = 0.0
        self.struck = self.told = False
        self._seen, self._cpu, self._bytes = (-1, -1), 0.0, 0

    def __enter__(self) -> Wait:
        self._thread = threading.get_ident()
        answered()
        _waits.setdefault(self._thread, []).append(self)
        if not _handled or _thread is None or not _thread.is_alive():
            _start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        mine = _waits.get(self._thread)
        if mine:  # a process that was forked in the midst of it waits for nothing
            mine.pop()
            if not mine:
                del _waits[self._thread]
        answered()
        if isinstance(error, _Unanswered) and error.wait is self:
            item = None
            if self.items is not None and hasattr(self.items, "name"):
                with suppress(Exception):
                    item = str(self.items.name(self.index))
            raise NoAnswer(self._text(item)) from None

    def look(self, seconds: float) -> None:
        """One look of the watchdog, so many seconds after the one before."""
        if self._answered(seconds):
            self.silent, self.told, self.struck = 0.0, False, False
            return
        self.silent += seconds
        if self.silent >= patience.LONGEST + (_GRACE if self.struck else 0.0):
            if not self.struck:
                self.struck = True
                if _handled and self._in_main and _KICK is not None:
                    signal.pthread_kill(self._thread, _KICK)
                    return
            self._give_up()
        elif self.silent >= patience.TELL and not self.told and not self.struck:
            self.told = True
            log.warning(patience.waiting(self._what()))

    @property
    def _in_main(self) -> bool:
        return self._thread == threading.main_thread().ident

    def _text(self, item: str | None = None) -> str:
        """What to say at the end of it."""
        return patience.no_answer(patience.LONGEST, self._what(item))

    def _what(self, item: str | None = None) -> str:
        """By the item's number: a plugin's own name for it may be read from where nothing answers."""
        of = "" if self.items is None else f" {item or f'item {self.index:,}'}"
        return f"{self.doing}{of} has had no answer"

    def _answered(self, seconds: float) -> bool:
        """Whether there was an answer since the last look."""
        seen = _answers, self.index
        found, self._seen = seen != self._seen, seen
        if self.opaque:
            cpu, read = time.process_time(), _bytes_read()
            found |= cpu - self._cpu > _BUSY * seconds or read - self._bytes > _READ
            self._cpu, self._bytes = cpu, read
        return found

    def _give_up(self) -> None:
        """What cannot be interrupted."""
        if process.is_shared() or (process.is_own() and self._in_main):
            with suppress(OSError, ValueError):
                sys.stderr.write(f"wganx: {self._text()}\n")
                sys.stderr.flush()
            os._exit(NoAnswer.exit_code)
        if self.silent < 2 * patience.LONGEST:
            self.silent = 2 * patience.LONGEST  # said once
            log.warning("%s; nothing can end this wait but the end of the process", self._text())


def _interrupt(number: int, frame: FrameType | None) -> None:
    """In the main thread; a signal that comes late, or from elsewhere, finds nothing to interrupt."""
    mine = _waits.get(threading.get_ident())
    if mine and mine[-1].struck:
        raise _Unanswered(mine[-1])
    if callable(_before):
        _before(number, frame)


def _start() -> None:
    global _thread, _handled, _before
    if not _handled and _KICK is not None and threading.current_thread() is threading.main_thread():
        with suppress(ValueError):  # of another interpreter
            _before, _handled = signal.signal(_KICK, _interrupt), True
    if _thread is None or not _thread.is_alive():
        _thread = threading.Thread(target=_watch, name="wganx watchdog", daemon=True)
        _thread.start()


def _period() -> float:
    return min(_PERIOD, patience.TELL / 4, patience.LONGEST / 8)


def _watch() -> None:
    last, never = time.monotonic(), threading.Event()
    while not never.wait(_period()):  # a program may have put something else in the place of time.sleep
        now = time.monotonic()
        # A process that was stopped has waited for nothing in the meantime.
        seconds, last = min(now - last, 2 * _period()), now
        for mine in list(_waits.values()):
            with suppress(IndexError):  # it has just ended
                mine[-1].look(seconds)


def _bytes_read() -> int:
    """By this process so far, beside what it looks at once a second; 0 where that is not known."""
    try:
        facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines())
        return int(facts["rchar"]) + int(facts["read_bytes"]) - memory.bytes_read()
    except (OSError, ValueError, KeyError):
        return 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_waits.clear)

"""Whose this process is: a program's that uses wganx, or one that may be ended where nothing else ends what it does."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_MOMENT = 0.02
"""Seconds, in which a finalizer has ended."""

_own = False
_shared = False


@contextmanager
def own() -> Iterator[None]:
    """Inside, it is a command's own."""
    global _own
    before, _own = _own, True
    try:
        yield
    finally:
        _own = before


@contextmanager
def interrupts_kept() -> Iterator[None]:
    """Inside, a Ctrl-C that falls into a finalizer comes again after it; Python prints it there, and forgets it."""
    before = sys.unraisablehook

    def again(found: sys.UnraisableHookArgs) -> None:
        if not issubclass(found.exc_type, KeyboardInterrupt):
            before(found)
            return
        # Not from here, where it would be raised within this function, and be lost as well.
        later = threading.Timer(_MOMENT, _interrupt)
        later.daemon = True
        later.start()

    sys.unraisablehook = again
    try:
        yield
    finally:
        sys.unraisablehook = before


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Inside, Ctrl-C waits: where torch calls Python from its own code, an exception can end the process."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    asked: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: asked.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if asked:
            before(*asked[-1])


def _interrupt() -> None:
    """As Ctrl-C does; where there is such a signal, it ends a system call too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()


def is_own() -> bool:
    """Whether it is a command's own."""
    return _own


def share() -> None:
    """From now on it is one of several that train together: the others depend on its end."""
    global _shared
    _shared = True


def is_shared() -> bool:
    """Whether it is one of several that train together."""
    return _shared

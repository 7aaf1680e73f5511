"""Whose this process is: a program's that uses wganx, or one that may be ended where nothing else ends what it does."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

_MOMENT = 0.02
"""Seconds, in which a finalizer has ended."""

_WAIT = 0.5
"""Seconds after which Ctrl-C is looked for, where a wait cannot be interrupted."""

T = TypeVar("T")

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


def interruptible(work: Callable[[], T]) -> T:
    """What `work` returns or raises; Ctrl-C is heard meanwhile, however long one of its calls into C takes.

    It is done in a thread of its own, which must let Python go on. After a Ctrl-C nobody waits for it: it ends with
    the process.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()  # Ctrl-C is for the main thread alone
    returned: list[T] = []
    raised: list[BaseException] = []

    def do() -> None:
        try:
            returned.append(work())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(_WAIT)
    if raised:
        raise raised[0]
    return returned[0]


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

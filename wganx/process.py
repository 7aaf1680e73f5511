"""Whose this process is: a program's that uses wganx, or the command's own, which may end it where it must."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_own = False


def is_own() -> bool:
    """Whether it may be ended, where nothing else ends what it does."""
    return _own


@contextmanager
def own() -> Iterator[None]:
    """Inside, it may."""
    global _own
    before, _own = _own, True
    try:
        yield
    finally:
        _own = before


def own_from_now_on() -> None:
    """It may: others depend on its end, such as those that train with it."""
    global _own
    _own = True

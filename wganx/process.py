"""Whose this process is: a program's that uses wganx, or one that may be ended where nothing else ends what it does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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

"""The one guard around every call into a plugin."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from wganx.errors import PluginFailed, WganxError
from wganx.parts import Part
from wganx.switches import switches_kept


@contextmanager
def calling(part: Part, what: str) -> Iterator[None]:
    """Inside, whatever a plugin's code raises becomes one line that says whose it is.

    What wganx raises on purpose passes as it is, since it says all of that already; so does Ctrl-C. An attempt to end
    the interpreter does not.

    Raises:
        PluginFailed: from the error itself, which ``--debug`` shows.
    """
    try:
        with switches_kept():
            yield
    except (WganxError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        raise PluginFailed(f"{_whose(part)} failed in {what}: {one_line(error)}") from error


def call(part: Part, factory: str, /, *arguments: Any, returns: type | tuple[type, ...] = object) -> Any:
    """What a factory of `part` returns, checked to be of the class `returns`.

    Raises:
        PluginFailed: it raised, could not be imported, or returned something else.
    """
    with calling(part, factory):
        result = part.factory(factory)(*arguments)
    if not isinstance(result, returns):
        wanted = " or ".join(kind.__name__ for kind in (returns if isinstance(returns, tuple) else (returns,)))
        raise PluginFailed(f"{_whose(part)}: {factory} must return {wanted}, and returned {_shown(result)}")
    return result


def one_line(error: BaseException) -> str:
    """An exception's class and text in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _whose(part: Part) -> str:
    return f"{part.origin}: {part}" if part.origin else str(part)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"

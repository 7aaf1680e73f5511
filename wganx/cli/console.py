"""Where tables and progress are printed, and what happens when nobody reads it any longer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, cast

from rich.console import Console


def make_console(file: IO[str] | None = None) -> Console:
    """Standard output; wide enough for a table where nobody watches, so that no cell is cut in a log file."""
    console = Console(file=file)
    return console if console.is_terminal else Console(file=file, width=160)


class Reader:
    """Standard output as a file that never fails: a terminal that closed or a pipe's reader that left is told once.

    Python's own way, an error at the next line printed, would end a training at any place and unsaved.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self._file = sys.stdout
        self._gone: Callable[[], None] | None = gone

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            self._leave()
            return len(text)

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError:
            self._leave()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _leave(self) -> None:
        gone, self._gone = self._gone, None
        # What Python still holds for it goes nowhere, instead of failing once more when the interpreter ends.
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._file.fileno())
            os.close(nowhere)
        if gone is not None:
            gone()


def reader_console(gone: Callable[[], None]) -> Console:
    """A console on standard output that calls `gone` when nobody reads it any longer, and goes on."""
    return make_console(cast("IO[str]", Reader(gone)))

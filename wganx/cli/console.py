"""Where everything is printed: what a terminal would obey is shown instead, and nobody need read it to the end."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from wganx.names import visible

if TYPE_CHECKING:
    from rich.console import Console

_UPWARDS = re.compile(r"(\x1b\[A)+")
"""What progress bars of others write by itself, to get back to their line."""


class Shown:
    """A standard stream on which text is `visible`.

    The last place that all text passes, whoever prints it. What draws on a terminal takes `undisguised` instead, and
    sees to its text itself.
    """

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        if self.stream.isatty():
            if not _UPWARDS.fullmatch(text):
                text = "\r".join(map(visible, text.split("\r")))  # bars begin their line anew
        else:
            text = visible(text)
        self.stream.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextmanager
def shown() -> Iterator[None]:
    """Inside, whatever is written to the standard streams is `visible`."""
    out, err = (cast("IO[str]", Shown(undisguised(stream))) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        yield


@contextmanager
def as_it_is() -> Iterator[None]:
    """Inside, the standard streams are as they were before `shown`: for commands of plugins, who draw as they like."""
    with redirect_stdout(undisguised(sys.stdout)), redirect_stderr(undisguised(sys.stderr)):
        yield


def undisguised(stream: IO[str]) -> IO[str]:
    """The stream itself, on which rich may colour and move."""
    return stream.stream if isinstance(stream, Shown) else stream


def make_console(file: IO[str] | None = None, *, err: bool = False) -> Console:
    """Standard output, or with `err` standard error; wide enough for a table where nobody watches, so that no cell is
    cut in a log file. Text is `visible`; colours and moves are rich's own."""
    from wganx.cli.drawing import Drawing

    file = file or undisguised(sys.stderr if err else sys.stdout)
    # No emoji: ``z.npz:b`` is a file.
    console = Drawing(file=file, emoji=False)
    return console if console.is_terminal or err else Drawing(file=file, width=160, emoji=False)


class Reader:
    """Standard output as a file that never fails: a terminal that closed or a pipe's reader that left is told once.

    Python's own way, an error at the next line printed, would end a training at any place and unsaved.
    """

    def __init__(self, gone: Callable[[], None]) -> None:
        self._file = undisguised(sys.stdout)
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

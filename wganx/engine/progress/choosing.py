"""Which progress a call of `fit` or `wganx.train` shows: what fits the place where it is looked at."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from wganx.engine.observer import Observer
from wganx.engine.progress.lines import Lines, Progress, is_terminal
from wganx.errors import UsageError

Wanted = bool | Literal["auto", "lines"]
"""What ``progress=`` takes."""

SECONDS = 10.0
"""Between two lines where no bar can be."""


def in_a_cell() -> bool:
    """Whether this code runs in a cell of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


@contextmanager
def showing(wanted: Wanted, *, notes: bool = True) -> Iterator[list[Observer]]:
    """The observer that ``progress=`` asks for, which shows how it goes inside; none for False.

    ``auto`` (and True): a bar in a notebook or a terminal, lines on standard error elsewhere. ``lines``: lines, with
    findings and notes among them.

    Args:
        notes: whether it says what a person should know, too; not where someone else does.

    Raises:
        UsageError: it asks for something else.
    """
    if not isinstance(wanted, bool) and wanted not in ("auto", "lines"):
        raise UsageError(f'progress must be "auto", "lines", True or False, got {wanted!r}')
    if wanted is False:
        yield []
    elif wanted != "lines" and in_a_cell():
        from wganx.engine.progress.cell import CellProgress

        cell = CellProgress(notes=notes)
        try:
            yield [cell]
        finally:
            cell.close()
    elif wanted != "lines" and is_terminal(sys.stderr) and os.environ.get("TERM") != "dumb":
        from rich.console import Console

        from wganx.engine.progress.bar import BarProgress, make_bar

        bar = make_bar(Console(stderr=True, emoji=False))
        try:
            yield [BarProgress(bar, notes=notes)]
        finally:
            bar.stop()
    elif wanted == "lines" or not notes:
        yield [Progress(seconds=SECONDS, notes=notes)]
    else:  # nobody may be looking: what matters goes to the logger, as where no progress is shown
        yield [Lines(seconds=SECONDS)]

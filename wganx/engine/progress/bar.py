"""Progress of a training as a bar in a terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from wganx.engine.progress.in_place import InPlace
from wganx.engine.progress.lines import GAP, is_terminal, readings
from wganx.health import Finding
from wganx.names import visible


class BarProgress(InPlace):
    """A bar that moves on at every logging point: how far and how long first, then readings as far as they fit.

    Args:
        steps: how far it will go, where that is known before the start.
        notes: whether to say what a person should know, too; not where someone else does.
    """

    def __init__(self, bar: Bar, steps: int = 0, *, notes: bool = False) -> None:
        super().__init__(steps)
        self._bar, self._notes = bar, notes
        self._task = bar.add_task("training", total=steps or None, line="")
        self._wrong: set[str] = set()
        self._show()

    def started(self, step: int, until: int) -> None:
        super().started(step, until)
        self._bar.start()
        if step:
            say(self._bar.console, f"resuming after step {step}")
        self._show()

    def found(self, finding: Finding) -> None:
        say(self._bar.console, f"step {finding.step}{GAP}{finding}")
        if finding.text is None:
            self._wrong.discard(finding.code)
        elif finding.level != "info":
            self._wrong.add(finding.code)
        self._show()

    def noted(self, message: str) -> None:
        if self._notes:
            say(self._bar.console, f"wganx: {message}")

    def _show(self) -> None:
        # The bar and the space behind it are taken from the line; what does not fit whole is left out.
        room = self._bar.console.width - _bar_width(self._bar.console) - 1
        parts = [f"{self._step}/{self._steps}", self._pace.left]
        for part in (" ".join(sorted(self._wrong)), self._pace.rate, *readings(self._scalars)):
            if len(GAP.join([*parts, part])) > room:
                break
            parts += [part] if part else []
        self._bar.update(self._task, total=self._steps or None, completed=self._step, line=GAP.join(parts))


def make_bar(console: Console) -> Bar:
    """The bar, and one line of text behind it."""
    return Bar(
        BarColumn(bar_width=_bar_width(console)),
        TextColumn("{task.fields[line]}", markup=False),
        console=console,
        # What is printed beside the bar goes above it, but where standard output is a file it stays there.
        redirect_stdout=is_terminal(sys.stdout),
    )


def say(console: Console, text: str) -> None:
    """One line as it is: names of files and plugins may hold what looks like markup, or what a terminal obeys."""
    console.print(visible(text), highlight=False, markup=False, emoji=False, soft_wrap=True)


def _bar_width(console: Console) -> int:
    return 24 if console.width >= 100 else 12

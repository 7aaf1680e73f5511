"""Progress of a training below the cell of a notebook."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from wganx.engine.progress.in_place import InPlace
from wganx.engine.progress.lines import GAP, readings
from wganx.health import Finding

MOST_LINES = 20
"""Findings and notes that are kept in sight: the newest."""
_SECONDS = 0.2
"""Between two pictures of the bar, so that a front end keeps up."""


class CellProgress(InPlace):
    """A bar of HTML's own, with a line of text, findings and notes; needs no widgets, and stays when it is done.

    Args:
        notes: whether to say what a person should know, too; not where someone else does.
    """

    def __init__(self, *, notes: bool = True) -> None:
        super().__init__()
        self._notes = notes
        self._lines: list[str] = []
        self._handle: Any = None
        self._shown = float("-inf")

    def started(self, step: int, until: int) -> None:
        from IPython.display import display

        super().started(step, until)
        self._handle = display(self, display_id=True)  # type: ignore[no-untyped-call]

    def found(self, finding: Finding) -> None:
        self._say(f"step {finding.step}{GAP}{finding}")

    def noted(self, message: str) -> None:
        if self._notes:
            self._say(message)

    def close(self) -> None:
        """Show where it ended."""
        self._shown = float("-inf")
        self._show()

    def _say(self, line: str) -> None:
        self._lines = [*self._lines, line][-MOST_LINES:]
        self._show()

    def _show(self) -> None:
        if self._handle is not None and (now := time.monotonic()) - self._shown >= _SECONDS:
            self._shown = now
            self._handle.update(self)

    def _parts(self) -> list[str]:
        return [part for part in (self._pace.left, self._pace.rate, *readings(self._scalars)) if part]

    def _repr_html_(self) -> str:
        line = escape(" · ".join([f"{self._step}/{self._steps}", *self._parts()]))
        bar = f'<progress value="{self._step}" max="{max(self._steps, 1)}" aria-label="training"></progress>'
        said = "".join(f"<li>{escape(each)}</li>" for each in self._lines)
        return f"<div>{bar} {line}</div>" + (f"<ul>{said}</ul>" if said else "")

    def __repr__(self) -> str:
        return "\n".join([GAP.join([f"step {self._step}/{self._steps}", *self._parts()]), *self._lines])

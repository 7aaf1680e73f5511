"""Results as small tables: HTML for a notebook, text for everywhere else.

The HTML takes its colours from the notebook, light or dark, needs nothing from outside, and trusts no text.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Picture:
    """A picture below a table: PNG, and what it shows in words."""

    png: bytes
    words: str


@dataclass(frozen=True)
class Table:
    """A table with a title.

    Attributes:
        head: names of the columns; none for a table of facts.
        rows: as many cells each; the first one names its row.
        notes: sentences below it.
        picture: below these; in text its words alone.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    picture: Picture | None = None

    def html(self) -> str:
        """As a notebook shows it."""
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.head)
        rows = "".join(
            f'<tr><th scope="row">{escape(name)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
            for name, *cells in self.rows
        )
        parts = [
            f"<table><caption>{escape(self.title)}</caption>",
            f"<thead><tr>{head}</tr></thead>" if head else "",
            f"<tbody>{rows}</tbody></table>",
            *(f"<p>{escape(note)}</p>" for note in self.notes),
        ]
        if self.picture is not None:
            source = base64.b64encode(self.picture.png).decode("ascii")
            parts.append(f'<img src="data:image/png;base64,{source}" alt="{escape(self.picture.words)}">')
        return "".join(parts)

    def text(self) -> str:
        """As a terminal shows it: columns below each other."""
        lines = [list(self.head), *map(list, self.rows)] if self.head else [list(row) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines)] if lines else []
        body = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
        words = [self.picture.words] if self.picture is not None else []
        return "\n".join([self.title, *(f"  {line}" for line in body), *self.notes, *words])


def figure(value: float | None) -> str:
    """A number to four digits; a dash for none."""
    return "-" if value is None else f"{value:.4g}"


def between(low: float, high: float) -> str:
    """The ends of an interval, as they stand behind a number."""
    return f"[{low:.4g}, {high:.4g}]"

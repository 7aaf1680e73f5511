"""Where tables and progress are printed."""

from __future__ import annotations

from rich.console import Console


def make_console() -> Console:
    """Standard output; wide enough for a table where nobody watches, so that no cell is cut in a log file."""
    console = Console()
    return console if console.is_terminal else Console(width=160)

"""Paths on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class _Path(click.Path):
    """A `pathlib.Path`, of a name that a file can have."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if "\0" in str(value):
            self.fail("a path holds no NUL", param, ctx)
        return super().convert(value, param, ctx)


PATH = _Path(path_type=Path)

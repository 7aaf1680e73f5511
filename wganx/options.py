"""How the settings of a part are declared once, for Python callers and for the configuration alike.

A part is a frozen dataclass whose fields are made by `option`. Built from Python it checks its own bounds; the
configuration turns the same fields into a validated section.
"""

from __future__ import annotations

import operator
from dataclasses import field, fields
from typing import Any

_BOUNDS = {"ge": (operator.ge, "at least"), "gt": (operator.gt, "more than")}


def option(default: Any, description: str, *, kw_only: bool = False, **bounds: float) -> Any:
    """A dataclass field with a default, a description and bounds: `ge` (at least), `gt` (more than)."""
    return field(default=default, metadata={"description": description, **bounds}, kw_only=kw_only)


def check_options(part: Any) -> None:
    """Raise ValueError for the first field of a dataclass that lies outside the bounds its `option` declares."""
    for declared in fields(part):
        value = getattr(part, declared.name)
        for bound, (holds, words) in _BOUNDS.items():
            if bound in declared.metadata and value is not None and not holds(value, declared.metadata[bound]):
                limit = declared.metadata[bound]
                raise ValueError(f"{type(part).__name__}: {declared.name} must be {words} {limit}, got {value}")

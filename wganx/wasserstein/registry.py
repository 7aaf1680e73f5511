"""Parts that are found by their names: one name, one class."""

from __future__ import annotations

from typing import Any


def enter(table: dict[str, Any], kind: type, what: str) -> None:
    """Enter the class `kind` into `table` under the name it gives itself; without one of its own it stays out.

    Defining the very same class again, as a notebook does, replaces it.

    Raises:
        ValueError: another class has that name.
    """
    name = vars(kind).get("name")
    if not isinstance(name, str):
        return
    other = table.get(name, kind)
    if _place(other) != _place(kind):
        raise ValueError(
            f"{what} {name!r} of {_place(kind)} has the name of {_place(other)}; give it a name of its own"
        )
    table[name] = kind


def _place(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"

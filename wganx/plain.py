"""Strangers' values (labels, paths, plugin messages) made plain: what a page may hold of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 1_000
HUGE = 1e39  # beyond float32: such a reading is as unusable as an infinite one

_HOME = re.compile(r"(?i)(?:/home/|/Users/|[A-Z]:\\+Users\\+)[^/\\\s\"']+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printable(value: object) -> str:
    """`value` as text fit for a page: no control characters, no home folder, at most `LONGEST_TEXT` long."""
    text = str(value)
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + " …"
    text = _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
    return _HOME.sub("~", text).encode("utf-8", "replace").decode("utf-8")


def plugin_name(value: object) -> str:
    """How a plugin is named to a reader: one that is a file by the file's name, wherever it lay."""
    return re.split(r"[/\\]", str(value))[-1] if str(value).endswith(".py") else str(value)


def named(facts: Mapping[str, Any], *keys: str) -> list[str]:
    """What a run is of, for a heading: what its facts say under `keys`, without those that say nothing."""
    return [printable(plugin_name(facts[key])) for key in keys if facts.get(key)]


def number(value: object) -> float | None:
    """`value` if it is a finite number (a bool is none), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < HUGE:
        return None
    return float(value)


def mapping(value: object) -> Mapping[str, Any]:
    """`value` if it is a mapping, else an empty one: half-written facts must not stop the page."""
    return value if isinstance(value, dict) else {}


def first_line(error: BaseException) -> str:
    """What went wrong, without the path that an OSError repeats."""
    text = (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
    return printable(text.splitlines()[0])

"""What the records of a run say, checked as they are read: a value of another kind is as good as none."""

from __future__ import annotations

from typing import Any

from pydantic import Field, TypeAdapter

from wganx.stored import Count, Number, Record, checked


class _Plugin(Record):
    name: str
    version: str


class _Files(Record):
    count: Count
    bytes: Count


class _Described(Record):
    """What `wganx.data.describe_data` told."""

    fingerprint: str
    count: Count
    classes: dict[str, list[str]]
    files: dict[str, _Files] = Field(default_factory=dict)
    contents: Any


class _Data(Record):
    described: _Described = Field(default=None)  # type: ignore[assignment]  # earlier versions had none
    fingerprint: str = ""
    train: Count = 0
    heldout: Count = 0
    source: str | None = None
    licence: str | None = None


_KINDS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(kind)  # type: ignore[arg-type]
    for name, kind in {
        "commit": str | None, "error": str | None, "notice": str | None, "init": dict[str, Any] | None,
        "instead": dict[str, Any] | None,
        **dict.fromkeys(("wganx", "plugin", "scenario", "modality", "task", "status", "device"), str),
        **dict.fromkeys(("precision", "capture", "started", "command"), str),
        **dict.fromkeys(("step", "steps", "processes", "peak_memory"), Count),
        "seed": int, "seconds": Number, "versions": dict[str, str], "data": _Data, "plugins": list[_Plugin],
        "parameters": dict[str, Count], "origins": dict[str, str], "notes": list[str], "done": dict[str, Any],
    }.items()
}  # fmt: skip
"""Of ``run.json``, all by which others go."""


def known_facts(found: Any) -> dict[str, Any]:
    """Of what ``run.json`` says, all that is of its kind; what it holds beside is kept as it is."""
    facts = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in facts if name not in _KINDS or _is(_KINDS[name], value)}


def _is(kind: TypeAdapter[Any], value: Any) -> bool:
    try:
        checked(kind, value)
    except ValueError:
        return False
    return not isinstance(value, bool)

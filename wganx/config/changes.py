"""What a resumed run may change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wganx.errors import ConfigError

MAY_CHANGE = (
    "train.steps", "log", "preview", "checkpoint", "evaluate",
    "dataset.feed", "dataset.workers", "dataset.pack", "train.capture", "train.micro_batch", "extensions",
    "device", "dataset.root",
)  # fmt: skip
"""Settings and sections that leave the course of the weights as it was, but for the order of additions.

A moved dataset is compared with what the run was started on; on another kind of device random streams begin anew.
"""

_ABSENT = object()


def refuse_changes(stored: Mapping[str, Any], requested: Mapping[str, Any]) -> None:
    """Compare two dumps of a resolved run.

    Raises:
        ConfigError: `requested` changes what a resumed run must keep; lists every change with the old and new value.
    """
    old, new = dict(_flat(stored)), dict(_flat(requested))
    changed = [
        f"  {key}: {_shown(old, key)} -> {_shown(new, key)}"
        for key in {**old, **new}
        if old.get(key, _ABSENT) != new.get(key, _ABSENT) and not _may_change(key)
    ]
    if changed:
        raise ConfigError(
            "\n".join(
                [
                    "a resumed run keeps its settings; these differ from the stored configuration:",
                    *changed,
                    f"  may change: {', '.join(MAY_CHANGE)}; start a new run for anything else",
                ]
            )
        )


def in_place_of(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The values of another dump by dotted name where `own` has something else; keys that only one has are left out."""
    mine = dict(_flat(own))
    return {key: value for key, value in _flat(other) if key in mine and mine[key] != value}


def _may_change(key: str) -> bool:
    return any(key == free or key.startswith(f"{free}.") for free in MAY_CHANGE)


def _shown(values: Mapping[str, Any], key: str) -> str:
    return repr(values[key]) if key in values else "(not set)"


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value

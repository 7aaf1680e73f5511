"""The configurations of runs that an experiment starts: what was given beside the scenario, and when to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from wganx.config import Resolved, resolve
from wganx.errors import ConfigError, UsageError, did_you_mean

_LOOKS = {"preview.every": 4, "evaluate.every": 10, "log.every": 40}
"""How often each is done in a run of an experiment at least, unless the user says so himself."""


def rankable(resolved: Resolved) -> list[str]:
    """Every value ``metric/value`` of a run's evaluation that says which way is better."""
    return [f"{name}/{value}" for name, chosen in resolved.every_metric().items() for value in chosen.metric.better]


def full_name(name: str, offered: Sequence[str], option: str) -> str:
    """``metric/value``, of which the value alone is enough where it is the only one of its name.

    Raises:
        UsageError: there is no such value, or there are several.
    """
    if name in offered:
        return name
    found = [full for full in offered if full.rpartition("/")[2] == name]
    if len(found) == 1:
        return found[0]
    known = ", ".join(found or offered) or "none"
    what = f"{name!r} names several values" if found else f"no value {name!r} that can be ranked"
    raise UsageError(f"{option}: {what}; there are: {known}{did_you_mean(name, offered)}")


def given(resolved: Resolved) -> dict[str, Any]:
    """What was given beside the scenario, from file, environment and call, nested; all of it where that is not enough.

    With it the same run can be made anywhere, and each of its values still says whether it is the scenario's.
    """
    origins = resolved.merged.origins
    nested: dict[str, Any] = {"plugin": resolved.run.plugin, "scenario": resolved.run.scenario}
    for key, origin in origins.items():
        inner = any(other[: len(key)] == key and other != key for other in origins)
        if not inner and not origin.startswith("scenario "):
            value: Any = resolved.merged.values
            for name in key:
                value = value[name]
            _put(nested, key, value)
    nested = plain(nested)
    flat = {".".join(key): value for key, value in _leaves(nested)}
    try:
        again = resolve(overrides=flat, environ={}).dump()
    except ConfigError:
        again = {}
    return nested if again == resolved.dump() else resolved.dump()


def with_looks(config: Mapping[str, Any], steps: int) -> dict[str, Any]:
    """`config` with its last step, and with previews, evaluations and logging points where it does not say when."""
    found = dict(plain(config))
    found.setdefault("train", {})["steps"] = steps
    for key, times in _LOOKS.items():
        section, option = key.split(".")
        found.setdefault(section, {}).setdefault(option, max(1, steps // times))
    return found


def _put(nested: dict[str, Any], key: Sequence[str], value: Any) -> None:
    for name in key[:-1]:
        nested = nested.setdefault(name, {})
    nested[key[-1]] = value


def _leaves(nested: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in nested.items():
        if isinstance(value, Mapping) and not at:
            yield from _leaves(value, (*at, name))
        else:
            yield (*at, name), value


def plain(value: Any) -> Any:
    """As YAML knows it, copied."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return str(value) if isinstance(value, Path) else value

"""Merging layers: higher ones win, and a part's settings leave together with the part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from wganx.config.sources import Key, Layer
from wganx.names import shortened

_MOST_SOURCES = 20
"""That are named for one fault."""


@dataclass(frozen=True, slots=True)
class PartSection:
    """A section that names a part: `core` fields stay when another part is named, the others belong to the part."""

    core: Set[str]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """All layers as one: nested values, the source of each, and what was dropped on the way, in words."""

    values: dict[str, Any]
    origins: dict[Key, str]
    notes: tuple[str, ...]

    def origin(self, key: Key) -> str | None:
        """The source of a value, or of the list it stands in; None for a default."""
        if key in self.origins:
            return self.origins[key]
        value: Any = self.values
        for depth, name in enumerate(key, start=1):
            value = value.get(name)
            if not isinstance(value, dict):
                return self.origins.get(key[:depth])
        return None

    def sources_within(self, key: Key) -> str | None:
        """The sources of everything set inside a section, for a fault that lies between its values."""
        inside = (source for path, source in self.origins.items() if len(path) > len(key) and path[: len(key)] == key)
        sources = list(dict.fromkeys(inside))
        more = f" and {len(sources) - _MOST_SOURCES:,} more" if len(sources) > _MOST_SOURCES else ""
        return ", ".join(sources[:_MOST_SOURCES]) + more or None


def merge(layers: Sequence[Layer], parts: Mapping[str, PartSection]) -> Merged:
    """Lay `layers` over each other, the lowest first.

    When a layer's section names another part than the layers below it, the fields those layers set for the old part
    are dropped, each with a note; fields the core owns stay. Fields set in the naming layer itself, or above it, are
    never dropped: if the new part does not know them, validation says so.
    """
    values: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    notes: list[str] = []
    names = {section: part.default for section, part in parts.items()}
    for number, layer in enumerate(layers):
        for section, part in parts.items():
            below, above = values.get(section), layer.values.get(section)
            if not isinstance(above, dict) or "name" not in above or above["name"] == names[section]:
                continue
            if isinstance(below, dict):
                for option in sorted(set(below) - set(part.core)):
                    dropped = below.pop(option)
                    if not sets(layers[number:], section, option):  # whoever sets it anew knows already
                        said = f"{section}.{option}={shortened(str(dropped))}"
                        notes.append(
                            f"{said} (from {origins.get((section, option))}) was meant for {section} "
                            f"{names[section]!r} and is dropped: {layer.origins.get((section, 'name'))} names "
                            f"{shortened(repr(above['name']))}"
                        )
                    for path in _paths(dropped, (section, option)):
                        origins.pop(path, None)
            names[section] = above["name"]
        _overlay(values, layer.values, (), origins, layer.origins)
    return Merged(values, origins, tuple(notes))


def sets(layers: Sequence[Layer], section: str, option: str) -> bool:
    """Whether one of the layers sets an option."""
    return any(option in found for layer in layers if isinstance(found := layer.values.get(section), dict))


def _overlay(
    lower: dict[str, Any], upper: dict[str, Any], at: Key, origins: dict[Key, str], sources: Mapping[Key, str]
) -> None:
    for name, value in upper.items():
        key = (*at, name)
        if isinstance(value, dict) and isinstance(lower.get(name), dict):
            _overlay(lower[name], value, key, origins, sources)
            continue
        for path in _paths(lower.get(name), key):
            origins.pop(path, None)
        lower[name] = _copy(value)
        origins.update({path: sources[path] for path in _paths(value, key) if path in sources})


def _copy(value: Any) -> Any:
    return {name: _copy(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _paths(value: Any, key: Key) -> Iterator[Key]:
    """`key`, and those of everything inside; looked up one by one, since a file may have thousands."""
    yield key
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _paths(inner, (*key, name))

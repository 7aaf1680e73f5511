"""Merging layers: higher ones win, and a part's settings leave together with the part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from wganx.config.sources import Key, Layer


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
        return ", ".join(dict.fromkeys(inside)) or None


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
    for layer in layers:
        for section, part in parts.items():
            below, above = values.get(section), layer.values.get(section)
            if not isinstance(above, dict) or "name" not in above or above["name"] == names[section]:
                continue
            if isinstance(below, dict):
                for option in sorted(set(below) - set(part.core)):
                    value, origin = below.pop(option), origins.get((section, option))
                    _forget(origins, (section, option))
                    if _set_anew(layers, layer, section, option):
                        continue  # whoever set it knows that it is another value
                    notes.append(
                        f"{section}.{option}={value} (from {origin}) was meant for "
                        f"{section} {names[section]!r} and is dropped: {layer.origins.get((section, 'name'))}"
                        f" names {above['name']!r}"
                    )
            names[section] = above["name"]
        _overlay(values, layer.values, (), origins, layer.origins)
    return Merged(values, origins, tuple(notes))


def _set_anew(layers: Sequence[Layer], naming: Layer, section: str, option: str) -> bool:
    """Whether the naming layer, or one above it, sets the option itself."""
    higher = layers[next(place for place, layer in enumerate(layers) if layer is naming) :]
    return any(isinstance(layer.values.get(section), dict) and option in layer.values[section] for layer in higher)


def _overlay(
    lower: dict[str, Any], upper: dict[str, Any], at: Key, origins: dict[Key, str], sources: Mapping[Key, str]
) -> None:
    for name, value in upper.items():
        key = (*at, name)
        if isinstance(value, dict) and isinstance(lower.get(name), dict):
            _overlay(lower[name], value, key, origins, sources)
            continue
        _forget(origins, key)
        lower[name] = _copy(value)
        origins.update({path: source for path, source in sources.items() if path[: len(key)] == key})


def _copy(value: Any) -> Any:
    return {name: _copy(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _forget(origins: dict[Key, str], key: Key) -> None:
    for path in [path for path in origins if path[: len(key)] == key]:
        del origins[path]

"""Reading configuration: files, environment and settings become layers that know where each value stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wganx.errors import ConfigError
from wganx.names import shortened
from wganx.stored import read_at_most
from wganx.yaml_text import MOST_BYTES, Key, checked_text, parse

__all__ = ["Key", "Layer", "add_settings", "read_environment", "read_file", "read_value"]

PREFIX = "WGANX__"


@dataclass(slots=True)
class Layer:
    """Values of one level of precedence, nested, and the source of every key."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Key, str] = field(default_factory=dict)

    def put(self, key: Key, value: Any, origin: str) -> None:
        """Set one value; the keys inside a mapping get the same origin.

        Raises:
            ConfigError: the layer has a value there already, or it is text with the character U+0000.
        """
        holder = self.values
        for name in key[:-1]:
            inner = holder.setdefault(name, {})
            if not isinstance(inner, dict):
                raise self._twice(key, origin)
            holder = inner
        if key[-1] in holder:
            raise self._twice(key, origin)
        holder[key[-1]] = value
        self._note(key, value, origin)

    def drop(self, section: str, option: str) -> None:
        """Take an option out again; a mapping that was put in stays with its owner as it is."""
        self.values[section] = {name: value for name, value in self.values[section].items() if name != option}
        self.origins = {key: origin for key, origin in self.origins.items() if key[:2] != (section, option)}

    def _note(self, key: Key, value: Any, origin: str) -> None:
        if isinstance(value, str):
            checked_text(value, origin)
        self.origins[key] = origin
        if isinstance(value, Mapping):
            for name, inner in value.items():
                self._note((*key, str(name)), inner, origin)

    def _twice(self, key: Key, origin: str) -> ConfigError:
        given = next(source for other, source in self.origins.items() if _overlap(other, key))
        return ConfigError(f"{'.'.join(key)} is given twice: by {given} and by {origin}; give it once")


def _overlap(one: Key, other: Key) -> bool:
    return all(left == right for left, right in zip(one, other))


def read_file(path: Path, named: Callable[[int], str] | None = None) -> Layer:
    """A YAML file as a layer whose origins are ``file:line``.

    Args:
        named: makes an origin of a line number; for files that go by another name than their path.

    Raises:
        ConfigError: the file cannot be read, is no YAML, gives a key twice, or is not a mapping of sections.

    A section without content (``train:`` and nothing below) says nothing.
    """
    try:
        found = read_at_most(path, MOST_BYTES + 1)
        if len(found) > MOST_BYTES:
            raise ConfigError(f"{path} holds more than {MOST_BYTES:,} bytes, which no configuration does")
        text = found.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise ConfigError(f"cannot read the configuration {path}: it is not UTF-8 text") from error
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise ConfigError(f"cannot read the configuration {path}: {why}") from error
    layer = Layer()
    where = named or (lambda line: f"{path}:{line}")
    values = parse(text, where, layer.origins)
    if values is not None and not isinstance(values, dict):
        raise ConfigError(f"{path} holds no sections: expected lines like 'train:', got {shortened(repr(values))}")
    layer.values = {name: value for name, value in (values or {}).items() if value is not None}
    return layer


def read_environment(environ: Mapping[str, str]) -> Layer:
    """Every ``WGANX__SECTION__KEY=value`` as a layer; values are read as YAML.

    Raises:
        ConfigError: a name has an empty part, or a value is no YAML.
    """
    layer = Layer()
    for variable in sorted(environ):
        if variable.upper().startswith(PREFIX):
            origin = f"env {variable}"
            key = tuple(variable[len(PREFIX) :].lower().split("__"))
            if not all(key):
                raise ConfigError(f"{origin}: expected a name like {PREFIX}TRAIN__STEPS")
            layer.put(key, parse(environ[variable], _anywhere_in(origin), {}), origin)
    return layer


def add_settings(layer: Layer, settings: Iterable[str]) -> None:
    """Put every ``section.key=value`` of ``--set`` into `layer`; values are read as YAML.

    Raises:
        ConfigError: a setting has no ``=`` or an empty key, is given twice, or its value is no YAML.
    """
    for setting in settings:
        origin = f"--set {shortened(setting)}"
        key, equals, text = setting.partition("=")
        names = tuple(name.strip() for name in key.split("."))
        if not equals or not all(names):
            raise ConfigError(f"{origin}: expected section.key=value, like --set train.steps=500")
        layer.put(names, parse(text, _anywhere_in(origin), {}), origin)


def read_value(text: str, origin: str) -> Any:
    """A value as ``--set`` takes it: text read as YAML.

    Args:
        origin: where it stands, for the message.

    Raises:
        ConfigError: it is no YAML.
    """
    return parse(text, _anywhere_in(origin), {})


def _anywhere_in(origin: str) -> Callable[[int], str]:
    return lambda line: origin

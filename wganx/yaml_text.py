"""YAML as plain data: what a small text may stand for is limited, and every scalar is typed here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from wganx.errors import ConfigError
from wganx.names import shortened

Key = tuple[str, ...]

MOST_BYTES = 1_000_000
"""Of a configuration; that of a run with all its defaults has four thousand."""
MOST_VALUES = 5_000
"""With those that aliases repeat."""
DEEPEST = 32
"""Levels of lists and mappings within each other."""
LONGEST_KEY = 200
LONGEST_NUMBER = 100
"""Characters of a number: more than any float has, and fewer than what takes time to read and to print."""

_TAGS = "tag:yaml.org,2002:"
_NUMBERS = {"int": "whole number", "float": "number", "bool": "truth value"}
_AS_WRITTEN = ("str", "timestamp", "value", "merge")
"""Scalars that stay the text they are. A folder may be named 2001-12-14, and no setting takes a date."""
_OTHERS = ("map", "seq", "binary", "set", "omap", "pairs", "yaml")


def parse(text: str, where: Callable[[int], str], origins: dict[Key, str]) -> Any:
    """What YAML says: mappings, lists, text, numbers, truth values and None.

    Args:
        where: makes an origin of a line number.
        origins: is given the origin of every key.

    Raises:
        ConfigError: it is no YAML, gives a key twice, contains itself, has a tag that is no plain value, or more,
            deeper or longer values than a configuration has.
    """
    loader = None
    try:
        if len(text) > MOST_BYTES:
            raise ConfigError(f"{where(1)}: {len(text):,} characters; a configuration has at most {MOST_BYTES:,}")
        loader = _Loader(text, where)
        node = loader.get_single_node()
        return None if node is None else _Reader(where).plain(node, (), origins)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = error.problem or error.context
        raise ConfigError(f"{where(mark.line + 1 if mark else 1)}: this is no YAML: {problem}; quote text") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where(1)}: this is no YAML: {' '.join(str(error).split())}") from error
    except ValueError as error:  # a date such as 2001-99-99 is no matter here; an escape beyond Unicode is
        raise ConfigError(f"{where(1)}: this is no YAML: {error}") from error
    finally:
        if loader is not None:
            loader.dispose()


def checked_text(text: str, where: str) -> str:
    """`text`.

    Raises:
        ConfigError: it holds U+0000, at which every call of the system ends a path.
    """
    if "\0" in text:
        raise ConfigError(f"{where}: {shortened(repr(text), 40)} holds the character U+0000, which no setting takes")
    return text


class _Loader(yaml.SafeLoader):
    """Composes no more, and no deeper, than a configuration is."""

    def __init__(self, text: str, where: Callable[[int], str]) -> None:
        super().__init__(text)
        self._where = where
        self._depth = 0
        self._count = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
        self._count += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise _too_deep(self._where(line))
        if self._count > 2 * MOST_VALUES:  # a key is a node too
            raise _too_many(self._where(line))
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Reader:
    """Turns nodes into values and counts these: an alias is a few letters, and may stand for anything."""

    def __init__(self, where: Callable[[int], str]) -> None:
        self._where = where
        self._count = 0
        self._open: list[yaml.Node] = []

    def plain(self, node: yaml.Node, at: Key, origins: dict[Key, str]) -> Any:
        line = node.start_mark.line + 1
        self._count += 1
        if self._count > MOST_VALUES:
            raise _too_many(self._where(line))
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, self._where(line))
        if any(node is other for other in self._open):
            raise ConfigError(f"{self._where(line)}: the YAML contains itself")
        if len(self._open) >= DEEPEST:
            raise _too_deep(self._where(line))
        if node.tag not in (f"{_TAGS}map", f"{_TAGS}seq"):
            raise _not_allowed(node, self._where(line))
        self._open.append(node)
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.plain(item, at, {}) for item in node.value]
            return self._mapping(node, at, origins)
        finally:
            self._open.pop()

    def _mapping(self, node: yaml.Node, at: Key, origins: dict[Key, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        first: dict[str, int] = {}
        for name, value in node.value:
            line = name.start_mark.line + 1
            if not isinstance(name, yaml.ScalarNode):
                raise ConfigError(f"{self._where(line)}: a key must be text")
            text = checked_text(name.value, self._where(line))
            if len(text) > LONGEST_KEY:
                raise ConfigError(f"{self._where(line)}: a key of {len(text):,} characters: {text[:20]!r}...")
            key = (*at, text)
            if text in first:
                raise ConfigError(
                    f"{self._where(line)}: {'.'.join(key)} is given twice, first in line {first[text]}; give it once"
                )
            first[text] = line
            origins[key] = self._where(line)
            values[text] = self.plain(value, key, origins)
        return values


def _scalar(node: yaml.ScalarNode, where: str) -> Any:
    kind = node.tag.removeprefix(_TAGS)
    if kind in _AS_WRITTEN:
        return checked_text(node.value, where)
    if kind in _OTHERS:
        raise _not_allowed(node, where)
    if kind not in _NUMBERS:  # none, or a tag of somebody's own, which PyYAML refuses
        return yaml.constructor.SafeConstructor().construct_object(node)
    if len(node.value) > LONGEST_NUMBER:
        raise ConfigError(f"{where}: a number of {len(node.value):,} characters; quote text")
    try:
        return yaml.constructor.SafeConstructor().construct_object(node)
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ConfigError(f"{where}: {node.value!r} is no {_NUMBERS[kind]}; quote text") from error


def _too_deep(where: str) -> ConfigError:
    return ConfigError(f"{where}: lists and mappings lie more than {DEEPEST} deep in each other")


def _too_many(where: str) -> ConfigError:
    return ConfigError(f"{where}: more than {MOST_VALUES:,} values, those that aliases repeat among them")


def _not_allowed(node: yaml.Node, where: str) -> ConfigError:
    return ConfigError(f"{where}: the YAML tag {node.tag!r} is not allowed")

"""Whose word it is that code runs: what the call names is agreed to; what a file of it names must have been."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from wganx.config.sources import Layer
from wganx.names import at_home
from wganx.trust import SCRIPTS, agree, check_code

T = TypeVar("T")


def ask_for_code(config: Path | None, stored: Layer, said: Sequence[Layer], extensions: Sequence[str]) -> None:
    """Before any plugin is loaded.

    Args:
        stored: what the file `config` says.
        said: what environment and call say, which go before.
        extensions: what the call names beside them.

    Raises:
        UsageError: the file names another file of code, and the user has not agreed to that.
    """
    own = {
        path
        for name in [*extensions, *(name for layer in said for name in plugins_in(layer.values))]
        if (path := code_file(name)) is not None
    }
    for path in own.union(*(scripts_in(layer.values) for layer in said)):
        agree(path)
    left = {key: stored.values.get(key) for key in ("plugin", "extensions") if not any(key in s.values for s in said)}
    for path in filter(None, map(code_file, plugins_in(left))):
        if path not in own:
            check_code(path, str(config))


def plugins_in(values: Mapping[str, Any]) -> list[str]:
    """The plugins and extensions that plain values of a configuration name, if they are names at all."""
    extensions = values.get("extensions")
    named = [values.get("plugin"), *(extensions if isinstance(extensions, list | tuple) else ())]
    return [name for name in named if isinstance(name, str)]


def code_file(plugin: str) -> Path | None:
    """The file of a plugin that is one, absolute; None where it is an installed one's name."""
    if not plugin.endswith(".py"):
        return None
    try:
        return at_home(plugin).resolve()
    except (OSError, ValueError):  # which whoever looks for it says
        return None


def scripts_in(values: Any) -> set[Path]:
    """Networks as programs that plain values name: extractors of the user's own."""
    return {path for text in _texts(values) if (path := Path(text)).suffix.lower() in SCRIPTS and _is_file(path)}


def check_scripts(named: T) -> T:
    """`named`, values of a run's configuration.

    Raises:
        UsageError: they name a network as a program that was not agreed to.
    """
    for path in scripts_in(named):
        check_code(path, "the configuration of the run")
    return named


def agree_to_plugins(names: Sequence[str]) -> None:
    """The call itself names these plugins."""
    for path in filter(None, map(code_file, names)):
        agree(path)


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, str):
        yield values
    elif isinstance(values, Path):
        yield str(values)
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _texts(value)


def _is_file(path: Path) -> bool:
    try:
        return at_home(path).is_file()
    except (OSError, ValueError, RuntimeError):
        return False

"""What a run folder would execute: the files of code that its records name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wganx.config.consent import agree_to_plugins, code_file, plugins_in, scripts_in
from wganx.imports import with_imports
from wganx.runs.drawing import plugin_name
from wganx.runs.folder import RunFolder
from wganx.stored import read_json, read_yaml
from wganx.trust import agree, agreed


@dataclass(frozen=True)
class NamedCode:
    """A file of code that a record of a run names.

    Attributes:
        named_by: the record, within the run folder.
        agreed: whether the user has agreed to it, where it lies and as it is.
        imports: files below its folder that it imports, and that are agreed to with it.
    """

    path: Path
    named_by: str
    agreed: bool
    imports: tuple[Path, ...]


def code_of(folder: RunFolder) -> list[NamedCode]:
    """The files that opening this run would execute, in the order in which they are met; a missing one is among them.

    Plugins that are files, of ``config.yaml`` and of every checkpoint, and networks as programs among the extractors.
    """
    found: dict[Path, str] = {}
    for record, path in _named(folder):
        found.setdefault(path, record.relative_to(folder.path).as_posix())
    return [NamedCode(path, record, agreed(path), tuple(with_imports(path)[1:])) for path, record in found.items()]


def consent(folder: RunFolder, extensions: Sequence[str] = (), *, everything: bool = False) -> None:
    """Agree to the `extensions` that the call names, which the run may name too, and to `everything` that it names."""
    agree_to_plugins(extensions)
    for code in code_of(folder) if everything else ():
        agree(code.path)


def links_in(folder: RunFolder) -> list[Path]:
    """Links in the run folder, whatever they lead to; a run makes none."""
    return sorted(path for path in folder.path.rglob("*") if path.is_symlink())


def _named(folder: RunFolder) -> Iterator[tuple[Path, Path]]:
    """Each record, and a file of code that it names."""
    config = _mapping(folder.config)
    yield from ((folder.config, path) for path in map(code_file, plugins_in(config)) if path is not None)
    yield from ((folder.config, path) for path in sorted(scripts_in(config.get("evaluate"))))
    for record in sorted(folder.path.glob("checkpoints/*/state.json")):
        about = _mapping(record).get("about")
        plugins = about.get("plugins") if isinstance(about, dict) else None
        for plugin in plugins if isinstance(plugins, list) else ():
            name = plugin_name(plugin, folder) if isinstance(plugin, dict) else None
            if isinstance(name, str) and (path := code_file(name)) is not None:
                yield record, path


def _mapping(path: Path) -> Mapping[str, Any]:
    """What a record says; nothing where it cannot be read, for then it is not opened either."""
    try:
        found = read_json(path) if path.suffix == ".json" else read_yaml(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}

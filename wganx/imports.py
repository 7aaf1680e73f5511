"""What a file of code imports from its own folder, by its statements; nothing is executed."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, SOURCE_SUFFIXES
from pathlib import Path

_SUFFIXES = (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)
_NAMED = re.compile(r"(\w+(?:\.\w+)*):\w+(?:\.\w+)*")
"""``nets.small:Generator``, as a plugin names what is imported when it is used."""


def with_imports(path: Path) -> list[Path]:
    """The file of code `path`, then those below its folder that it imports, and what they import in their turn.

    What is imported by a computed name is not found.
    """
    found, left = {path}, [path]
    while left:
        new = set(_imported(left.pop(), path.parent)) - found
        found |= new
        left += new
    return [path, *sorted(found - {path})]


def _imported(file: Path, root: Path) -> Iterator[Path]:
    """Files that the statements of `file` import, of those below `root`."""
    if file.suffix not in SOURCE_SUFFIXES:
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of texts that Python would write otherwise
            tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):  # nor would it be executed
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files(root, alias.name.split("."))
        elif isinstance(node, ast.ImportFrom) and node.level <= len(file.relative_to(root).parts):
            start = file.parents[node.level - 1] if node.level else root
            for alias in node.names:
                yield from _files(start, [*filter(None, (node.module or "").split(".")), alias.name])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (named := _NAMED.fullmatch(node.value)):
            yield from _files(root, named[1].split("."))


def _files(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """All that is executed where the module of these names is imported: packages on the way, and the module."""
    for name in names:
        folder /= name
        yield from _alike(folder)
        yield from _alike(folder / "__init__")


def _alike(stem: Path) -> Iterator[Path]:
    for suffix in _SUFFIXES:
        if (file := stem.with_name(stem.name + suffix)).is_file():
            yield file

"""Plugins that are files run as they can be read, never from compiled files beside them, which may say something else.

Python takes ``__pycache__/x.cpython-313.pyc`` in the place of ``x.py`` where two numbers in it fit, or where it says
that they need not. What came with a stranger's folder would run, and not what was read and agreed to.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)  # fmt: skip
from pathlib import Path
from types import CodeType, ModuleType


class FromSource(SourceFileLoader):
    """Executes a file as its text says."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def add_folder(folder: Path) -> None:
    """Put `folder` at the end of ``sys.path``, behind all that is installed; its modules run as they can be read."""
    place = str(folder)
    if place not in sys.path:
        sys.path.append(place)
        sys.path_importer_cache[place] = _Finder(place)


class _Finder(FileFinder):
    def __init__(self, place: str) -> None:
        super().__init__(place, (ExtensionFileLoader, EXTENSION_SUFFIXES), (FromSource, SOURCE_SUFFIXES))

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = super().find_spec(fullname, target)
        for place in _places(spec):  # of a package: its own modules likewise
            sys.path_importer_cache.setdefault(place, _Finder(place))
        return spec


def _places(spec: ModuleSpec | None) -> Sequence[str]:
    return [*(spec.submodule_search_locations or ())] if spec is not None else ()

"""The extensions of the site, importable as they are when it is built; they need no Sphinx for what is tested here."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from tests.pages import ROOT, blocks

EXTENSIONS = ROOT / "docs" / "_ext"


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """``extension("from_code.hooks")`` imports that module of docs/_ext."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return import_module


@pytest.fixture
def files_of_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Write the files that a page shows, each headed by its name, where relative names find them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])  # a plugin's folder is put on it
    written: set[str] = set()

    def write(place: str) -> None:
        page = ROOT / place.rpartition(":")[0]
        for block in blocks(page) if page.suffix == ".md" else ():
            if named := re.match(r"# (\w+)\.py\n", block.text):
                (tmp_path / f"{named[1]}.py").write_text(block.text, encoding="utf-8")
                written.add(named[1])

    yield write
    for name in written:
        sys.modules.pop(name, None)

"""The extensions of the site, importable as they are when it is built; they need no Sphinx for what is tested here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

EXTENSIONS = Path(__file__).parents[2] / "docs" / "_ext"


@pytest.fixture
def extension(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """``extension("from_code.hooks")`` imports that module of docs/_ext."""
    monkeypatch.syspath_prepend(str(EXTENSIONS))
    return import_module

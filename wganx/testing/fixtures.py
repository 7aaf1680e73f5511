"""Fixtures for the tests of plugins; on request: ``pytest_plugins = ["wganx.testing.fixtures"]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from wganx.plugins import discovery


@pytest.fixture
def fake_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """A function that installs a distribution as far as ``importlib.metadata`` and ``import`` can tell.

    ``fake_distribution("wganx-tiny", "0.3", {"tiny": "wx_tiny"}, {"wx_tiny": source})`` writes a ``.dist-info`` folder
    and the modules, and puts them first on the path until the test ends.
    """
    made: list[str] = []

    def install(name: str, version: str, entry_points: Mapping[str, str], modules: Mapping[str, str]) -> Path:
        site = tmp_path / "site" / name
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        points = "".join(f"{point} = {target}\n" for point, target in entry_points.items())
        (info / "entry_points.txt").write_text(f"[{discovery.GROUP}]\n{points}", encoding="utf-8")
        for module, source in modules.items():
            (site / f"{module}.py").write_text(dedent(source), encoding="utf-8")
            made.append(module)
        monkeypatch.syspath_prepend(str(site))
        return site

    yield install
    for module in made:
        sys.modules.pop(module, None)

"""A package from outside: built as a wheel, installed, found by its entry points, and run from the command line.

What each of its plugins does is tested in ``tests/second_distribution``.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from wganx.parts import KINDS
from wganx.plugins import discover, load
from wganx.plugins.loading import declared_api

PACKAGE = Path(__file__).parents[1] / "second_distribution"
PLUGINS = ["films", "tones", "tones-domains", "tones-free", "tones-growing", "tones-rules", "tones-watch"]


@pytest.fixture
def wganx(site, tmp_path):
    """Run the command in a fresh interpreter that sees the installed package."""

    def run(*arguments: str) -> str:
        path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
        environ = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
        command = [sys.executable, "-c", "from wganx.cli import main; main()", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_its_plugins_are_found_with_version_and_api(site, monkeypatch):
    monkeypatch.syspath_prepend(str(site))
    found = [found for found in discover() if found.distribution == "wganx-tones"]
    assert [plugin.name for plugin in found] == PLUGINS
    assert {(plugin.version, declared_api(plugin)) for plugin in found} == {("0.1.0", 1)}


def test_none_of_them_imports_torch_to_be_listed(site, tmp_path):
    names = ", ".join(map(repr, PLUGINS))
    listing = f"""
import sys
sys.path.insert(0, {str(site)!r})
from wganx.plugins import load
for name in ({names}):
    load([name])
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", listing], check=True, capture_output=True, text=True, cwd=tmp_path)
    assert done.stdout.split() == ["False"]


def test_every_kind_of_part_is_offered_by_one_of_them_and_can_be_made(site, monkeypatch):
    """No section of the contracts without a user: health checks and layouts are pictures'; every factory resolves."""
    monkeypatch.syspath_prepend(str(site))
    offers = [offer for name in PLUGINS for offer in load([name]).plugins[0].offers]
    kinds = {type(offer).hook for offer in offers}
    assert set(KINDS) - kinds == {"wganx_health_checks", "wganx_layouts"}
    for offer in offers:
        for factory in type(offer).factories:
            if getattr(offer, factory) is not None:
                assert callable(offer.factory(factory)), (offer, factory)


def test_its_command_is_mounted(wganx):
    assert wganx("tones", "pitches").split("\n")[:3] == ["500 Hz", "1000 Hz", "1500 Hz"]


@pytest.mark.slow
def test_it_trains_from_the_command_line_of_a_fresh_interpreter(wganx, tmp_path):
    wganx("train", "--plugin", "tones", "--device", "cpu", "--out", "run", "--set", "train.steps=4")
    assert (tmp_path / "run" / "report.html").stat().st_size > 0
    assert "band_distance" in wganx("evaluate", "run", "--json")


def test_it_imports_only_public_names():
    """Every import of wganx is of a name that the package it comes from lists in ``__all__``."""
    checked = 0
    for file in (PACKAGE / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                assert not any(name.name.split(".")[0] == "wganx" for name in node.names), file
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "wganx":
                assert node.module in ("wganx", "wganx.nn", "wganx.data", "wganx.wasserstein"), file
                assert {name.name for name in node.names} <= set(import_module(node.module).__all__), file
                checked += 1
    assert checked > 20

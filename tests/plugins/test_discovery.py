"""Finding plugins by name without importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from wganx.plugins import PluginError, discover
from wganx.plugins.discovery import find

pytestmark = pytest.mark.usefixtures("only_fake_plugins")

EXPLODES = {"wx_explodes": "raise RuntimeError('imported')"}


def test_discovery_reads_names_and_versions_and_imports_nothing(fake_distribution):
    fake_distribution("wganx-tones", "0.3", {"tones": "wx_explodes", "bells": "wx_explodes:bells"}, EXPLODES)
    assert [(found.name, found.distribution, found.version, found.target) for found in discover()] == [
        ("bells", "wganx-tones", "0.3", "wx_explodes:bells"),
        ("tones", "wganx-tones", "0.3", "wx_explodes"),
    ]
    assert "wx_explodes" not in sys.modules


def test_without_plugins_nothing_is_found():
    assert discover() == []


def test_an_unknown_name_lists_what_is_installed(fake_distribution):
    fake_distribution("wganx-tones", "0.3", {"tones": "wx_explodes", "bells": "wx_explodes"}, EXPLODES)
    with pytest.raises(PluginError) as failure:
        find("tone")
    assert str(failure.value) == "no plugin named 'tone'; installed: bells, tones; did you mean 'tones'?"
    with pytest.raises(PluginError) as failure:
        find("nope")
    assert str(failure.value) == "no plugin named 'nope'; installed: bells, tones"


def test_an_unknown_name_where_nothing_is_installed():
    with pytest.raises(PluginError) as failure:
        find("nope")
    assert str(failure.value) == "no plugin named 'nope'; none is installed"


def test_two_distributions_with_one_name_are_both_named_and_can_be_told_apart(fake_distribution):
    fake_distribution("wganx-twin1", "0.3", {"twin": "wx_explodes"}, EXPLODES)
    fake_distribution("wganx-twin2", "0.4", {"twin": "wx_explodes"}, {})
    with pytest.raises(PluginError) as failure:
        find("twin")
    assert str(failure.value) == (
        "'twin' is offered by wganx-twin1 0.3 and wganx-twin2 0.4; say which, e.g. --plugin wganx-twin1:twin"
    )
    assert find("wganx-twin2:twin").version == "0.4"
    with pytest.raises(PluginError) as failure:
        find("wganx-twin:twin")
    assert str(failure.value) == (
        "no plugin named 'wganx-twin:twin'; installed: wganx-twin1:twin, wganx-twin2:twin;"
        " did you mean 'wganx-twin2:twin'?"
    )


def test_one_distribution_installed_twice_on_the_path_counts_once(fake_distribution, tmp_path, monkeypatch):
    site = fake_distribution("wganx-tones", "0.3", {"tones": "wx_explodes"}, EXPLODES)
    copy = tmp_path / "egg" / "wganx_tones.egg-info"
    copy.mkdir(parents=True)
    info = next(site.glob("*.dist-info"))
    (copy / "PKG-INFO").write_bytes((info / "METADATA").read_bytes())
    (copy / "entry_points.txt").write_bytes((info / "entry_points.txt").read_bytes())
    monkeypatch.syspath_prepend(str(copy.parent))
    assert [found.name for found in discover()] == ["tones"]


def test_a_file_goes_by_its_stem(tmp_path):
    (tmp_path / "mine.py").write_text("", encoding="utf-8")
    found = find(str(tmp_path / "mine.py"))
    assert (found.name, found.package) == ("mine", "")


def test_a_missing_file_is_named():
    with pytest.raises(PluginError, match=r"^no plugin file \./nowhere\.py$"):
        find("./nowhere.py")


def test_a_module_goes_by_its_last_name():
    found = find(ModuleType("lab.mine"))
    assert str(found) == "plugin 'mine' (lab.mine)"


def test_listing_costs_no_torch():
    script = "import sys, wganx.plugins; wganx.plugins.discover(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=Path.cwd(), check=False).returncode == 0


def test_entry_points_are_those_of_the_standard_library_whoever_else_is_about():
    """importlib_metadata, which MLflow and others import, answers for importlib.metadata from then on."""
    code = (
        "import importlib_metadata; from wganx.plugins import load; assert load(['points']).plugins[0].name == 'points'"
    )
    pytest.importorskip("importlib_metadata")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

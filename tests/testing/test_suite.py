"""How the kit is asked, and how it answers: in a loop, in pytest, on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from wganx.cli import main
from wganx.errors import PluginError, UsageError
from wganx.testing import iter_checks
from wganx.testing.check import streams_unmoved

COMPLETE = Path(__file__).with_name("complete_plugin.py")


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    path = tmp_path_factory.mktemp("asked") / "kit_asked.py"
    path.write_text(COMPLETE.read_text(encoding="utf-8").replace("kit-", "kit-asked-"), encoding="utf-8")
    return path


def test_ids_name_group_check_and_subject(plugin):
    checks = {check.id: check for check in iter_checks(str(plugin))}
    assert next(iter(checks)) == "plugin/loads/kit_asked"
    assert checks["dataset/labels/bits"].about.startswith("Labels are int64 scalars")
    assert checks["scenario/trains/bits"].trains
    assert not checks["critic/rows/small"].trains
    assert checks["critic/rows/small"].result().status == "ok"


def test_what_cannot_be_asked(plugin):
    with pytest.raises(PluginError, match="no plugin named 'nope'"):
        list(iter_checks("nope"))
    with pytest.raises(UsageError, match=r"no dataset .bit. to give a root to; datasets: bits; did you mean"):
        list(iter_checks(str(plugin), {"bit": "."}))


def test_a_plugin_that_does_not_load_has_one_check(tmp_path):
    path = tmp_path / "kit_broken.py"
    path.write_text("import nonexistent_dep", encoding="utf-8")
    (check,) = iter_checks(str(path))
    assert check.result().text == (
        "plugin/loads of plugin 'kit_broken': does not import: ModuleNotFoundError: No module named 'nonexistent_dep' "
        "(pip install nonexistent_dep); mend that first; the rest cannot be looked at"
    )


def test_streams_are_put_back():
    import torch

    torch.manual_seed(7)
    before = torch.get_rng_state()
    with streams_unmoved("this"):
        pass
    assert torch.equal(before, torch.get_rng_state())


def test_a_new_kind_gets_the_general_checks(plugin):
    """Whatever a descriptor is, its summary and factories are looked at."""
    groups = {check.group for check in iter_checks(str(plugin)) if check.name in ("summary", "factories", "signature")}
    assert {"constraint", "extractor", "health-check", "modality", "scenario"} <= groups


def test_the_command_prints_a_row_a_part(plugin):
    done = CliRunner().invoke(main, ["plugins", "check", str(plugin), "--only", "plugin"])
    assert done.exit_code == 1
    assert "plugin/light of plugin 'kit_asked': importing it imports torch" in " ".join(done.output.split())
    assert "1 failed" in done.output


def test_the_command_speaks_json_and_exits_with_0(plugin):
    done = CliRunner().invoke(main, ["plugins", "check", str(plugin), "--only", "dataset", "--json"])
    assert done.exit_code == 0, done.output
    results = json.loads(done.output)
    assert {"id": "dataset/opens/bits", "status": "ok", "text": "", "mend": ""} in results


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--only", "critics"], "no group 'critics'; groups: plugin, dataset"),
        (["--only", "critics"], "did you mean 'critic'?"),
        (["--root", "folder"], "--root wants DATASET=PATH, got 'folder'"),
    ],
)
def test_the_command_called_wrongly(plugin, arguments, says):
    done = CliRunner().invoke(main, ["plugins", "check", str(plugin), *arguments])
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.slow
def test_the_class_is_a_test_for_every_check(plugin, tmp_path):
    (tmp_path / "test_it.py").write_text(
        f"""
from wganx.testing import PluginConformance
class TestIt(PluginConformance):
    plugin = {str(plugin)!r}
""",
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "plugin/ or card or summary"]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "FAILED test_it.py::TestIt::test_conforms[plugin/light/kit_asked]" in done.stdout
    assert "plugin/light of plugin 'kit_asked': importing it imports torch" in done.stdout
    assert "1 failed" in done.stdout

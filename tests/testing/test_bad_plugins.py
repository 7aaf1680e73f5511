"""Every check catches a plugin that was made bad for it, and says how to mend it; the complete one passes."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from itertools import count
from pathlib import Path

import pytest

from wganx.testing import ConformanceError, iter_checks
from wganx.testing.check import BOOK

# Beside this file, and also a script: tests are no package.
_spec = spec_from_file_location("bad_plugins", Path(__file__).with_name("bad_plugins.py"))
bad_plugins = sys.modules["bad_plugins"] = module_from_spec(_spec)
_spec.loader.exec_module(bad_plugins)
BAD, COMPLETE, table = bad_plugins.BAD, bad_plugins.COMPLETE, bad_plugins.table

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "checking-plugins.md"
_number = count()


@pytest.fixture
def write_plugin(tmp_path):
    def write(source):
        path = tmp_path / f"kit_tried_{next(_number)}.py"
        # A constraint and an objective go by their names in one interpreter.
        path.write_text(source.replace('"kit-', f'"{path.stem.replace("_", "-")}-'), encoding="utf-8")
        return str(path)

    return write


def run(plugin, check):
    """The first failure of one check."""
    for found in iter_checks(plugin):
        if f"{found.group}/{found.name}" == check:
            found.run()


@pytest.mark.parametrize("bad", BAD, ids=[f"{bad.check}-{bad.what}".replace(" ", "-") for bad in BAD])
def test_a_bad_plugin_is_caught(write_plugin, bad):
    with pytest.raises(ConformanceError) as failure:
        run(write_plugin(bad.source), bad.check)
    text = str(failure.value)
    assert failure.value.check == bad.check
    assert bad.says in text
    assert "\n" not in text
    assert text == f"{bad.check} of {failure.value.subject}: {failure.value.seen}; {failure.value.mend}"


def test_every_check_has_a_bad_plugin():
    caught = {bad.check for bad in BAD}
    names = {}
    for rule in BOOK:
        names.setdefault(rule.function.__wrapped__, []).append((rule.group, rule.name))
    for function, ids in names.items():
        met = any(f"{group}/{name}" in caught for group, name in ids)
        everywhere = ids[0][0] == "part" and any(check.endswith(f"/{ids[0][1]}") for check in caught)
        assert met or everywhere, function


def test_the_complete_plugin_passes(write_plugin):
    checks = list(iter_checks(write_plugin(COMPLETE)))
    results = [check.result() for check in checks]
    # It keeps networks and declarations in one file, for brevity.
    assert [result.id.rpartition("/")[0] for result in results if result.status == "failed"] == ["plugin/light"]
    assert not [result for result in results if result.status == "skipped"]
    assert len({check.id for check in checks}) == len(checks)
    assert all(check.about for check in checks)


def test_the_page_shows_the_bad_plugins():
    assert table() in PAGE.read_text(encoding="utf-8"), "python tests/testing/bad_plugins.py prints the table"

"""The report of some thousand logging points; benchmarks/reliability.py has a million."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.reliability import records
from wganx.records import remembered


@pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")
def test_the_same_page_again_and_little_memory(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(remembered, "LEAST", 1 << 18)
    outcomes = list(records.of_a_run(tmp_path, 2_000, seed=0))
    assert [(each.kind, each.result) for each in outcomes] == [
        ("report, trained here", "survived"), ("report, from elsewhere", "survived"), ("report, again", "survived"),
        ("history", "survived"),
    ], outcomes  # fmt: skip
    for home in ("here", "elsewhere"):
        assert list((tmp_path / home / "wganx_cache" / "records").iterdir()), "it was from what was remembered"

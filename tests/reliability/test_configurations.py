"""A few of the cases of configurations, the same code as thousands of them in benchmarks/reliability.py."""

from __future__ import annotations

import sys

import pytest

from tests.reliability import configurations

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="children are forked and limited as Linux does it")


def test_nothing_that_a_configuration_says_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configurations, "STOPPED_AFTER", (1.0,))
    outcomes = list(configurations.cases(15, seed=17))
    assert [f"{outcome.result}: {outcome.case}\n{outcome.said}" for outcome in outcomes if not outcome.good] == []
    assert {outcome.kind for outcome in outcomes} == {
        "configuration files", "settings and options", "extreme values",
    }  # fmt: skip


def test_every_plugin_takes_part() -> None:
    assert {plugin for plugin, _, _ in configurations.scenarios()} == {"points", "image", "audio", "video"}

"""What ``wganx plugins`` shows."""

from __future__ import annotations

import pytest

from wganx.plugins import PluginError, describe, describe_all


def test_a_broken_plugin_is_a_row(install_tones, fake_distribution):
    install_tones()
    fake_distribution("wganx-broken", "1.2", {"broken": "wx_broken"}, {"wx_broken": "import nonexistent_dep"})
    fake_distribution("wganx-old", "0.1", {"old": "wx_old"}, {"wx_old": "WGANX_API = 0"})
    rows = [(row.name, row.distribution, row.version, row.api, row.status, row.provides) for row in describe_all()]
    assert rows == [
        (
            "broken",
            "wganx-broken",
            "1.2",
            None,
            "broken",
            "does not import: ModuleNotFoundError: No module named 'nonexistent_dep' (pip install nonexistent_dep)",
        ),
        (
            "old",
            "wganx-old",
            "0.1",
            0,
            "broken",
            "is written for plugin API 0, this wganx speaks 1; update wganx-old",
        ),
        (
            "tones",
            "wganx-tones",
            "0.3",
            1,
            "ok",
            "1 modality, 2 datasets, 1 task, 1 generator, 1 critic, 2 scenarios, 2 metrics, 1 health check",
        ),
    ]


def test_twins_are_two_rows(install_tones, fake_distribution):
    install_tones()
    fake_distribution("wganx-other", "1", {"tones": "wx_tones"}, {})
    assert [(row.distribution, row.status) for row in describe_all()] == [("wganx-other", "ok"), ("wganx-tones", "ok")]


def test_a_plugin_that_only_observes(fake_distribution, only_fake_plugins):
    fake_distribution("wganx-ear", "1", {"ear": "wx_ear"}, {"wx_ear": "WGANX_API = 1"})
    assert describe("ear").provides == "nothing"


def test_one_plugin_in_full(install_tones):
    description = describe(install_tones())
    assert description.target == "wx_tones"
    assert "sines" in [offer.name for offer in description.offers]


def test_one_plugin_that_is_not_there(install_tones):
    install_tones()
    with pytest.raises(PluginError, match=r"^no plugin named 'tunes'; installed: tones; did you mean 'tones'\?$"):
        describe("tunes")

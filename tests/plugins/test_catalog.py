"""Looking up what loaded plugins offer."""

from __future__ import annotations

import dataclasses

import pytest

from wganx.plugins import PluginError, load
from wganx.plugins.descriptors import Dataset


@pytest.fixture
def catalog(install_tones):
    return load([install_tones()])


@pytest.fixture
def pair(install_tones, tones):
    """Two plugins that offer the same names; the second brings a dataset of its own for another modality."""
    install_tones()
    install_tones("bells", tones.replace('name="saws", modality="tone"', 'name="chimes", modality="bell"'))
    return load(["tones", "bells"])


def said(look, *names: str) -> str:
    with pytest.raises(PluginError) as failure:
        look(*names)
    return str(failure.value)


def test_everything_is_found_by_name(catalog):
    assert catalog.modality("tone").axes == ("time",)
    assert catalog.dataset("saws").name == "saws"
    assert catalog.task("generate", "tone").name == "generate"
    assert catalog.architecture("generator", "small", "tone").role == "generator"
    assert catalog.architecture("critic", "small", "tone").role == "critic"
    assert catalog.metric("pitch", "tone").name == "pitch"
    assert catalog.scenario("second").name == "second"
    assert [dataset.name for dataset in catalog.offers(Dataset)] == ["sines", "saws"]
    assert catalog.owner(catalog.dataset("saws")).name == "tones"


def test_a_catalog_does_not_change(catalog):
    with pytest.raises(dataclasses.FrozenInstanceError):
        catalog.plugins = ()


def test_the_first_scenario_is_the_default(catalog):
    assert catalog.default_scenario.name == "first"


def test_a_plugin_without_scenarios(install_tones, tones):
    install_tones(source=tones.replace('for name in ("first", "second")', "for name in ()"))
    catalog = load(["tones"])
    with pytest.raises(PluginError) as failure:
        _ = catalog.default_scenario
    assert str(failure.value) == (
        "plugin 'tones' (wganx-tones 0.3, wx_tones) offers no scenario; say what to train with --config FILE"
    )


def test_what_is_not_offered(catalog):
    assert said(catalog.dataset, "sine") == (
        "no dataset named 'sine' in plugin 'tones'; offered: sines, saws; did you mean 'sines'?"
    )
    assert said(catalog.modality, "zzz") == "no modality named 'zzz' in plugin 'tones'; offered: tone"
    assert said(catalog.scenario, "frist") == (
        "no scenario named 'frist' in plugin 'tones'; offered: first, second; did you mean 'first'?"
    )
    assert said(catalog.architecture, "generator", "big", "tone") == (
        "no generator named 'big' in plugin 'tones' for modality 'tone'; offered: small"
    )


def test_what_belongs_to_another_modality(catalog):
    assert said(catalog.task, "generate", "image") == (
        "task 'generate' is for modality 'tone', not 'image'; none is offered"
    )
    assert said(catalog.architecture, "critic", "small", "image") == (
        "critic 'small' is for modality 'tone', not 'image'; none is offered"
    )


def test_two_plugins_with_one_name_are_both_named_and_can_be_told_apart(pair):
    assert said(pair.dataset, "sines") == (
        "dataset 'sines' is offered by plugin 'tones' (wganx-tones 0.3, wx_tones)"
        " and plugin 'bells' (wganx-bells 0.3, wx_bells); say which, e.g. tones:sines"
    )
    assert pair.owner(pair.dataset("bells:sines")).name == "bells"
    assert pair.owner(pair.architecture("critic", "tones:small", "tone")).name == "tones"
    assert pair.dataset("chimes").modality == "bell"
    assert said(pair.dataset, "gongs:sines").startswith("no dataset named 'gongs:sines' in plugin 'tones' and 'bells';")


def test_scenarios_are_the_primary_plugins(pair):
    assert pair.primary == "tones"
    assert pair.scenario("first").name == "first"


def test_metrics_that_apply_to_a_task(catalog):
    assert list(catalog.metrics("tone", "generate")) == ["pitch"]
    assert list(catalog.metrics("tone", "convert")) == ["pitch", "tempo"]
    assert list(catalog.metrics("image", "generate")) == []
    assert list(catalog.metrics("tone", "convert", ["tempo"])) == ["tempo"]


def test_metrics_that_do_not_apply(catalog):
    def look(name):
        return catalog.metrics("tone", "generate", [name])

    assert said(look, "tempo") == "metric 'tempo' is for task convert, not 'generate'"
    assert said(look, "pith") == (
        "no metric named 'pith' in plugin 'tones' for modality 'tone'; offered: pitch, tempo; did you mean 'pitch'?"
    )


def test_metrics_of_two_plugins_with_one_name_keep_both(pair):
    assert list(pair.metrics("tone", "generate")) == ["tones:pitch", "bells:pitch"]


def test_health_checks_belong_to_a_modality(catalog, install_tones, tones):
    assert [check.code for check in catalog.health_checks("tone")] == ["TN001"]
    assert catalog.health_checks("image") == []
    install_tones("any", tones.replace('summary="", modality="tone", mend', 'summary="", mend'))
    assert [check.code for check in load(["any"]).health_checks("image")] == ["TN001"]

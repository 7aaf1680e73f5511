"""``--data``: whose settings hold for the user's own files."""

from __future__ import annotations

import pytest

from wganx.config import resolve


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


def resolved(photos, **choice):
    return resolve(plugin="image", data=photos, environ={}, **choice)


def about_size(found):
    return [note for note in found.notes if "dataset.size" in note]


def test_a_scenario_that_is_named_says_the_size_of_own_files_too(photos):
    found = resolved(photos, scenario="faces-gpu")
    assert (found.run.dataset.name, found.run.dataset.size) == ("folder", 64)
    assert "faces-gpu" in found.merged.origins[("dataset", "size")]
    assert about_size(found) == []


def test_the_size_of_the_default_scenario_is_not_meant_for_own_files(photos):
    found = resolved(photos)
    assert (found.run.dataset.name, found.run.dataset.size, about_size(found)) == ("folder", "auto", [])
    assert found.origin("dataset.size") == "default"
    assert resolve(plugin="image", environ={}).run.dataset.size == 16  # the scenario itself is as it was


@pytest.mark.parametrize("scenario", [None, "faces-gpu"])
def test_whoever_sets_the_size_is_not_told_that_another_is_dropped(photos, tmp_path, scenario):
    found = resolved(photos, scenario=scenario, settings=["dataset.size=48"])
    assert (found.run.dataset.size, about_size(found)) == (48, [])
    file = tmp_path / "mine.yaml"
    file.write_text("dataset: {size: 40}\n")
    found = resolved(photos, scenario=scenario, config=file)
    assert (found.run.dataset.size, about_size(found)) == (40, [])

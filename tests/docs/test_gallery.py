"""The gallery: every scenario is shown or said why not, and what is shown is there and up to date."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wganx import Scenario
from wganx.config import resolve
from wganx.plugins import describe_all, load

REPOSITORY = Path(__file__).parents[2]
GALLERY = REPOSITORY / "docs" / "gallery"
RECORD = json.loads((GALLERY / "gallery.json").read_text(encoding="utf-8"))
RUNS = RECORD["runs"]
SCENARIOS = {
    f"{plugin.name}-{offer.name}": offer
    for plugin in describe_all()
    if plugin.distribution == "wganx"
    for offer in load([plugin.name]).offers(Scenario)
}


def test_every_scenario_and_recipe_is_shown_or_said_why_not() -> None:
    recipes = {path.relative_to(REPOSITORY).as_posix() for path in (REPOSITORY / "configs").rglob("*.yaml")}
    shown = [run["name"] for run in RUNS]
    assert sorted([*shown, *RECORD["not_run"]]) == sorted([*SCENARIOS, *recipes]), "python benchmarks/gallery.py"
    assert all(RECORD["not_run"].values())


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["name"])
def test_a_run_is_of_the_scenario_as_it_is_now(run: dict[str, Any]) -> None:
    train, evaluate = (command.split() for command in run["commands"])
    assert train[:6] == ["wganx", "train", "--plugin", run["plugin"], "--scenario", run["scenario"]]
    settings = [word for flag, word in pairwise(train) if flag == "--set"]
    own = [setting for setting in settings if not setting.startswith("train.steps")]
    for key, given in (("steps", settings), ("own_steps", own)):
        resolved = resolve(plugin=run["plugin"], scenario=run["scenario"], settings=given, environ={})
        assert resolved.run.train.steps == run[key]
    assert evaluate == ["wganx", "evaluate", train[-1]]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run["name"])
def test_a_run_has_its_seconds_its_numbers_and_what_it_made(run: dict[str, Any]) -> None:
    assert all(clocks["cpu"] > 0 and clocks["wall"] > 0 for clocks in run["seconds"].values())
    assert {"train", "evaluate"} == run["seconds"].keys()
    assert run["numbers"]
    assert any(row["floor"] is not None for row in run["numbers"])
    assert all(row["baselines"] for row in run["numbers"] if row["extractor"])
    kinds = [medium["kind"] for medium in run["media"]]
    assert "picture" in kinds
    assert ("sound" in kinds) == (run["plugin"] == "audio")
    assert ("clip" in kinds) == (run["plugin"] == "video")
    for medium in run["media"]:
        assert (GALLERY / medium["file"]).is_file()


def test_files_beside_the_page_are_few_and_used() -> None:
    files = {path.relative_to(GALLERY).as_posix(): path for path in GALLERY.rglob("*") if path.is_file()}
    used = {medium["file"] for run in RUNS for medium in run["media"]}
    assert files.keys() == used | {"index.md", "gallery.json"}
    assert sum(path.stat().st_size for path in files.values()) < 3_000_000


def test_the_page_has_all_of_it(extension: Callable[[str], ModuleType]) -> None:
    page = extension("from_code").fill((GALLERY / "index.md").read_text(encoding="utf-8"))
    assert "{from-code}" not in page
    for run in RUNS:
        section = page.partition(f"### {run['plugin']}: {run['scenario']}\n")[2].partition("\n### ")[0]
        for command in run["commands"]:
            assert command in section
        for medium in run["media"]:
            assert Path(medium["file"]).name in section
        for row in run["numbers"]:
            assert f"`{row['value']}`" in section
    for name, why in RECORD["not_run"].items():
        plugin, _, scenario = name.partition("-")
        part = page.partition(f"### {plugin}: not run here\n")[2].partition("\n## ")[0] if name in SCENARIOS else page
        (row,) = [line for line in part.splitlines() if f"`{scenario if name in SCENARIOS else name}`" in line]
        assert why.replace("_", "\\_") in row

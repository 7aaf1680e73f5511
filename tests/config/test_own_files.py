"""What a dataset finds suitable for the user's own files: asked when, laid under what, said how."""

from __future__ import annotations

import pytest

from wganx.config import choices, resolve
from wganx.errors import PluginFailed

PLUGIN = """
from pathlib import Path
from wganx import Architecture, Config, DataCard, DataError, Dataset, Modality, Scenario, Task, hookimpl

WGANX_API = 1


class Folder(Config):
    root: Path
    size: int = 16


class Net(Config):
    width: int = 32


def _never(*args, **kwargs):
    raise AssertionError("nothing is built when a configuration is resolved")


def suggest(config, context):
    if config.root.name == "gone":
        raise DataError("there is no such folder")
    if config.root.name == "strange":
        return {"train.steps": 12}
    return {
        "dataset.size": (2 * config.size, f"twice {config.size}"),
        "generator.width": (8, f"{context.device} of seed {context.seed}"),
        "train.steps": (77, "a minute"),
    }


@hookimpl
def wganx_modalities():
    return [Modality(name="tone", summary="", axes=("time",), write=_never, preview=_never)]


@hookimpl
def wganx_datasets():
    card = DataCard(source="made up", licence="none", offline=True)
    return [
        Dataset(name="sines", modality="tone", summary="", open=_never, card=card),
        Dataset(
            name="folder", modality="tone", summary="", config=Folder, open=_never, card=card, folder=True,
            scenario="own", suggest=suggest,
        ),
    ]


@hookimpl
def wganx_tasks():
    return [Task(name="generate", modality="tone", summary="", build=_never)]


@hookimpl
def wganx_architectures():
    return [
        Architecture(name="small", modality="tone", role=role, summary="", config=Net, build=_never)
        for role in ("generator", "critic")
    ]


@hookimpl
def wganx_scenarios():
    def make(name, dataset, steps):
        return Scenario(
            name=name, modality="tone", summary="",
            config={
                "dataset": {"name": dataset}, "task": {"name": "generate"}, "generator": {"name": "small"},
                "critic": {"name": "small"}, "train": {"steps": steps},
            },
        )
    return [make("first", "sines", 5), make("own", "folder", 6)]
"""


@pytest.fixture
def own(tmp_path):
    file = tmp_path / f"{tmp_path.name}.py"  # modules of one name would be the same
    file.write_text(PLUGIN)

    def resolved(folder="tones", *settings, **named):
        data = tmp_path / folder
        return resolve(
            **{"plugin": str(file), "data": data, "settings": settings, "device": "cpu", "environ": {}, **named}
        )

    return resolved


def test_own_files_have_a_scenario_of_their_own_and_what_suits_them_lies_over_it(own):
    found = own(seed=3)
    assert (found.run.scenario, found.run.dataset.name, found.run.dataset.size) == ("own", "folder", 32)
    assert (found.run.train.steps, found.run.generator.width, found.run.critic.width) == (77, 8, 32)
    assert found.origin("train.steps") == "by the data: a minute"
    assert choices(found)[:3] == [
        "dataset.size=32: twice 16", "generator.width=8: cpu of seed 3", "train.steps=77: a minute"
    ]  # fmt: skip
    assert found.notes == ()


def test_what_the_user_says_wins_and_is_known_to_what_looks(own):
    found = own("tones", "dataset.size=20", "train.steps=9", "generator.width=64")
    assert (found.run.dataset.size, found.run.train.steps, found.run.generator.width) == (20, 9, 64)
    assert len(choices(found)) == 2


@pytest.mark.parametrize("named", [{"scenario": "first"}, {"data": None}, {"data": None, "scenario": "first"}])
def test_another_scenario_keeps_its_values(own, named):
    assert own(**named).run.train.steps == 5


def test_where_a_dataset_is_named_nothing_is_looked_at(own):
    assert own("tones", "dataset.name=folder").run.train.steps == 5


def test_what_cannot_be_looked_at_is_left_to_who_opens_it(own):
    assert own("gone").run.train.steps == 6


def test_a_suggestion_without_a_reason_is_the_plugins_fault(own):
    with pytest.raises(PluginFailed, match=r"suggest must give \{'section\.option': \(value, why\)\}"):
        own("strange")


def test_the_scenario_may_be_named_too(own):
    assert own(scenario="own").run.train.steps == 77

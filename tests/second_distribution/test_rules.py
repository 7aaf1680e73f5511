"""A stranger's constraint, objective, optimizer and metric, chosen by name; what extends, migrates, or collides."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch
import yaml

import wganx
from wganx import ConfigError, PluginError, UsageError
from wganx.runs import RunFolder
from wganx.runs.drawing import catalog_of

RULES = {
    "constraint.name": "margin-penalty",
    "constraint.margin": 0.25,
    "objective.name": "tilted",
    "objective.tilt": 2.0,
    "optimizer.name": "nesterov",
    "optimizer.momentum": 0.7,
}


def _under(settings):
    return {name.replace(".", "__"): value for name, value in settings.items()}


def test_they_are_chosen_by_name_with_their_options_trained_and_resumed(tones, journey):
    found = journey("tones", "tiny", extensions=("tones-rules",), draw=False, **_under(RULES))
    resolved, trainer = found.resumed.resolved, found.resumed.assembly.trainer
    assert (resolved.constraint.margin, resolved.objective.tilt, resolved.optimizer.momentum) == (0.25, 2.0, 0.7)
    assert isinstance(trainer.steps.critic.optimizer, torch.optim.SGD)
    assert trainer.steps.critic.optimizer.defaults["momentum"] == 0.7


def test_an_option_out_of_bounds_and_one_unknown_are_refused_by_name(tones):
    settings = RULES | {"constraint.margin": -1.0, "objective.tilt": 0.0, "optimizer.momentun": 0.1}
    with pytest.raises(ConfigError) as refused:
        wganx.train("tones", extensions=["tones-rules"], overrides=settings, out="run")
    for name in ("constraint.margin", "objective.tilt", "optimizer.momentun"):
        assert name in str(refused.value)


def test_without_its_extension_a_name_is_unknown_and_the_others_are_listed(tones):
    with pytest.raises(ConfigError, match=r"no constraint named 'margin-penalty'; offered: .*gradient-penalty"):
        wganx.train("tones", overrides={"constraint.name": "margin-penalty"}, out="run")


def test_a_trainer_that_is_saved_keeps_them(tones, tmp_path):
    """`Trainer.load` builds the same rules again, options included."""
    from wganx_tones.rule_classes import MarginPenalty, Nesterov, Tilted

    networks = [torch.nn.Linear(2, 2), torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Flatten(0))]
    trainer = wganx.Trainer(
        *networks, noise=(2,), constraint=MarginPenalty(margin=0.3), objective=Tilted(tilt=3.0),
        optimizer=Nesterov(momentum=0.9), device="cpu",
    )  # fmt: skip
    trainer.save(tmp_path / "saved")
    again = wganx.Trainer.load(tmp_path / "saved", *networks, device="cpu")
    rules = again.training.rules
    assert (rules.constraint, rules.objective) == (MarginPenalty(margin=0.3), Tilted(tilt=3.0))
    assert rules.optimizer == Nesterov(momentum=0.9)


COLLIDING = """
from dataclasses import dataclass
import wganx
from wganx.wasserstein import {base}

WGANX_API = 1

@dataclass(frozen=True)
class Mine({base}):
    name = "{own}"
    {body}

@wganx.hookimpl
def {hook}():
    return [wganx.{part}(name="{name}", summary="", build=Mine)]
"""


@pytest.mark.parametrize(
    ("own", "name", "says"),
    [
        ("clip", "clip", "constraint 'clip' of .*Mine has the name of .*WeightClipping; give it a name of its own"),
        ("mine-one", "clip", "offers constraint 'clip', which is one of wganx's own; its author must rename it"),
        ("mine-two", "else", "is the class Mine, whose own name is 'mine-two'; give both the same"),
    ],
)
def test_a_name_of_wganx_s_own_is_refused(tones, plugin_file, own, name, says):
    source = COLLIDING.format(
        base="Constraint", own=own, body="", hook="wganx_constraints", part="ConstraintPart", name=name
    )
    with pytest.raises((PluginError, ConfigError), match=says):
        wganx.train(
            "tones", out="run", overrides={"constraint.name": name},
            extensions=[plugin_file(f"colliding_{own.replace('-', '_')}", source)],
        )  # fmt: skip


def test_a_metric_is_added_to_a_finished_run(tones, command):
    command("train", "--plugin", "tones", "--device", "cpu", "--out", "run", "--set", "train.steps=2")
    before = json.loads(command("evaluate", "run", "--json"))
    names = {row["metric"] for row in before["rows"]}
    assert "band-distance" in names
    after = json.loads(command("evaluate", "run", "--json", "--extension", "tones-rules"))
    assert {row["metric"] for row in after["rows"]} == {*names, "loudness"}
    only = command("evaluate", "run", "--json", "--extension", "tones-rules", "--metric", "loudness")
    assert {row["metric"] for row in json.loads(only)["rows"]} == {"loudness"}
    assert "tones-rules" not in (wganx.load_run("run").folder.config).read_text()


IMAGE_NETWORK = """
import torch
import wganx

WGANX_API = 1
WGANX_EXTENDS = ("image",)

class Flat(torch.nn.Module):
    def __init__(self, config, context):
        super().__init__()
        self.shape = context.sample.sizes
        self.layer = torch.nn.Linear(context.noise[0], context.sample.size)
    def forward(self, noise):
        return torch.tanh(self.layer(noise)).reshape(-1, *self.shape)

@wganx.hookimpl
def wganx_architectures():
    return [wganx.Architecture(name="flat", modality="image", role="generator", summary="one layer", build=Flat)]

@wganx.hookimpl
def wganx_scenarios():
    config = {
        "dataset": {"name": "digits"}, "task": {"name": "generate"}, "generator": {"name": "flat", "noise": 8},
        "critic": {"name": "dcgan"}, "train": {"steps": 2, "batch_size": 8, "critic_steps": 1},
        "preview": {"count": 4},
    }
    return [wganx.Scenario(name="flat", modality="image", summary="", config=config)]
"""


def test_a_plugin_builds_on_the_pictures_of_another(plugin_file):
    run = wganx.train(plugin_file("flat_pictures", IMAGE_NETWORK), out="run", device="cpu")
    assert [plugin.name for plugin in run.resolved.catalog.plugins] == ["flat_pictures", "image"]
    assert run.sample(2).shape[0] == 2


def test_a_plugin_s_file_that_moved_is_found_where_config_yaml_says(plugin_file, tmp_path):
    plugin = Path(plugin_file("flat_pictures", IMAGE_NETWORK))
    before = wganx.train(str(plugin), out="run", device="cpu").sample(2, seed=1)
    (tmp_path / "new").mkdir()
    moved = plugin.rename(tmp_path / "new" / plugin.name)
    del sys.modules["flat_pictures"]
    with pytest.raises(PluginError, match=r"no plugin file .*flat_pictures\.py; put it there, or say in run"):
        wganx.load_generator("run")
    with pytest.raises(PluginError, match=r"no plugin file flat_pictures\.py, which is looked for in"):
        catalog_of({"plugins": [{"name": "flat_pictures", "file": "flat_pictures.py"}]}, RunFolder(Path("exported")))
    config = Path("run", "config.yaml")
    config.write_text(config.read_text().replace(str(plugin), str(moved)))
    sys.path[:] = [place for place in sys.path if place != str(tmp_path)]
    with pytest.raises(UsageError, match=r"names .*new.flat_pictures\.py, a file of code"):
        wganx.load_generator("run")
    assert torch.equal(wganx.load_generator("run", trust=True).draw(2, seed=1), before)
    assert torch.equal(wganx.load_run("run").sample(2, seed=1), before)


WITH_EXTENSIONS = """
import wganx
WGANX_API = 1
WGANX_EXTENDS = ("tones",)

@wganx.hookimpl
def wganx_scenarios():
    config = {
        "dataset": {"name": "sines", "count": 32}, "task": {"name": "generate"},
        "generator": {"name": "small", "noise": 8}, "critic": {"name": "small"},
        "constraint": {"name": "margin-penalty"}, "train": {"steps": 2, "batch_size": 8},
    }
    return [wganx.Scenario(name="with", modality="tone", summary="", config=config, extensions=("tones-rules",))]
"""


def test_a_scenario_names_the_extensions_it_needs(tones, plugin_file, tmp_path):
    run = wganx.train(plugin_file("needing", WITH_EXTENSIONS), out="run", device="cpu")
    assert run.resolved.constraint.name == "margin-penalty"
    # What was stored finds them again: loaded, resumed, and drawn from.
    again = wganx.resume("run", settings=["train.steps=3"])
    assert again.assembly.trainer.step == 3
    assert wganx.load_generator("run").draw(2).shape[0] == 2


def test_a_renamed_option_of_a_stored_run_is_brought_to_its_new_name(tones):
    wganx.train("tones", out="run", device="cpu", overrides={"train.steps": 2, "dataset.pitches": [500.0, 700.0]})
    folder = wganx.load_run("run").folder
    config = yaml.safe_load(folder.config.read_text())
    config["dataset"]["frequencies"] = config["dataset"].pop("pitches")
    folder.config.write_text(yaml.safe_dump(config))
    facts = folder.facts()
    facts["plugins"][0]["version"] = "0.0.9"
    folder.record(plugins=facts["plugins"])

    run = wganx.resume("run", settings=["train.steps=4"])
    assert run.resolved.run.dataset.pitches == (500.0, 700.0)
    (note,) = [note for note in run.folder.facts()["notes"] if "begun with" in note]
    assert note.startswith("this run was begun with wganx-tones 0.0.9 and goes on with plugin 'tones' (wganx-tones 0.1")


def test_an_old_name_in_a_new_run_is_unknown(tones):
    with pytest.raises(ConfigError, match=r"dataset\.frequencies"):
        wganx.train("tones", out="run", overrides={"dataset.frequencies": [500.0]})

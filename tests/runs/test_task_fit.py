"""What a task fits to the training items, by its own options, and labels that only losses and metrics look at."""

import sys

import pytest
import torch

import wganx
from wganx import PluginFailed

PLUGIN = '''
from dataclasses import replace

import torch
import wganx
from wganx_points.configs import GenerateConfig
from wganx_points.tasks import Generate

WGANX_API = 1
WGANX_EXTENDS = ("points",)
FITS = []


class ScaledConfig(wganx.Config):
    """Points divided by `factor` times their deviation."""

    factor: float = 1.0
    labels: bool = True


def fit(config, formats, items):
    FITS.append(config.factor)
    points = torch.stack([items[index]["sample"] for index in range(len(items))])
    return {"deviation": points.std(0), "factor": config.factor, "seen": sorted(formats.fitted)}


class Scaled(Generate):
    def __init__(self, config, formats):
        super().__init__(GenerateConfig(), formats)
        self.scale = 1 / (formats.fitted["deviation"] * formats.fitted["factor"])
        self.sample = replace(self.sample, signal={"deviation": formats.fitted["deviation"].tolist()})
        self.known = {"label": formats.labels["label"]}

    def batch(self, items, rng, *, training):
        return wganx.Batch(items["sample"] * self.scale.to(items["sample"]), known={"label": items["label"]})

    def generator_losses(self, networks, fake, batch, step):
        assert batch.known["label"].shape == (len(fake),)
        assert not batch.context
        return {"labels": 0.0 * fake.sum() * batch.known["label"].sum()}


def shares(sides, context):
    """Of the labels alone, which neither player ever saw."""
    candidate, truth = sides.candidate.known["label"], sides.truth.known["label"]
    assert torch.equal(candidate, truth) and sides.candidate.real.is_meta
    return {"share_of_first": (candidate == 0).float().mean().item()}


@wganx.hookimpl
def wganx_tasks():
    return [
        wganx.Task(name="scaled", modality="points", summary="", config=ScaledConfig, build=Scaled, fit=fit),
    ]


@wganx.hookimpl
def wganx_metrics():
    return [wganx.Metric(name="shares", modality="points", summary="", compute=shares, looks_at="features")]


@wganx.hookimpl
def wganx_scenarios():
    config = {
        "dataset": {"name": "ring"}, "task": {"name": "scaled"}, "generator": {"name": "mlp", "noise": 2, "width": 8},
        "critic": {"name": "mlp", "width": 8}, "constraint": {"name": "gradient-penalty"},
        "train": {"steps": 2, "batch_size": 16}, "log": {"every": 1},
    }
    return [wganx.Scenario(name="scaled", modality="points", summary="", config=config)]
'''


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return written(tmp_path, PLUGIN)


def written(folder, text):
    """A module's name is taken once it is imported, so each test has one of its own."""
    path = folder / f"{folder.name}.py"
    path.write_text(text)
    return str(path)


def test_what_a_task_fits_is_found_once_stored_and_used_again(plugin, tmp_path):
    run = wganx.train(plugin, overrides={"task.factor": 2.0}, out="run", device="cpu")
    fitted = run.assembly.fitted
    assert fitted["factor"] == 2.0
    assert fitted["seen"] == []
    rows = torch.stack([run.assembly.train_items[index]["sample"] for index in range(len(run.assembly.train_items))])
    torch.testing.assert_close(fitted["deviation"], rows.std(0))

    again = wganx.resume("run", settings=["train.steps=3"])
    assert torch.equal(again.assembly.fitted["deviation"], fitted["deviation"])
    assert sys.modules[tmp_path.name].FITS == [2.0]
    assert again.assembly.game.sample.signal["deviation"] == fitted["deviation"].tolist()
    assert wganx.load_generator("run").sample.signal["deviation"] == fitted["deviation"].tolist()


def test_what_is_known_reaches_losses_and_metrics_and_no_player(plugin):
    run = wganx.train(plugin, out="run", device="cpu")
    found = run.evaluate(metrics=["shares"], n=100)
    assert not found.failures
    (row,) = [row for row in found.rows if row.value == "share_of_first"]
    assert 0 < row.generated < 0.5


def test_a_task_option_that_the_fit_depends_on_cannot_change_later(plugin):
    wganx.train(plugin, out="run", device="cpu")
    with pytest.raises(wganx.ConfigError, match=r"task\.factor"):
        wganx.resume("run", settings=["task.factor=3", "train.steps=3"])


@pytest.mark.parametrize(
    ("found", "said"),
    [("[1]", "fit must return names"), ('{"x": object()}', "fit must return names with tensors or plain data")],
)
def test_what_cannot_be_stored_is_the_plugins_fault(tmp_path, monkeypatch, found, said):
    monkeypatch.chdir(tmp_path)
    text = PLUGIN.replace("def fit(config, formats, items):", f"def fit(config, formats, items):\n    return {found}")
    with pytest.raises(PluginFailed, match=said):
        wganx.train(written(tmp_path, text), out="run", device="cpu")
    assert not (tmp_path / "run").exists()


def test_a_fit_that_found_nothing_is_remembered_too(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PLUGIN.replace("def fit(config, formats, items):", "def fit(config, formats, items):\n    return {}")
    text = text.replace('formats.fitted["deviation"] * formats.fitted["factor"]', "torch.ones(2)")
    text = text.replace('signal={"deviation": formats.fitted["deviation"].tolist()}', "signal={}")
    run = wganx.train(written(tmp_path, text), out="run", device="cpu")
    assert run.folder.fitted.exists()
    assert wganx.resume("run", settings=["train.steps=3"]).assembly.fitted == {}

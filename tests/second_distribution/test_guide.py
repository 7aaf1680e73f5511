"""The guide for plugin authors: every plugin in it is written to a file and trained, every mistake is made."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch

import wganx
from wganx.testing import iter_checks
from wganx.wasserstein import CONSTRAINTS, OBJECTIVES

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "plugins.md").read_text(encoding="utf-8")
BLOCKS = {
    match.group(1): match.group(0).split("\n", 1)[1].removesuffix("```")
    for match in re.finditer(r"```python\n# (\w+)\.py\n.*?```", GUIDE, re.DOTALL)
}
SMALL = {"train.steps": 3, "train.batch_size": 16, "train.critic_steps": 1, "preview.count": 4, "log.every": 1}
RUNS = {
    "spiral": ("points", None, {"dataset.name": "spiral"}),
    "flat": ("image", "digits", {"generator.name": "flat", "task.labels": False}),
    "curves": (None, None, {}),
    "refine": (
        "curves", None,
        {"task.name": "refine", "generator.name": "refine", "generator.noise": 0, "critic.name": "refine"},
    ),
    "told": ("points", "ring", {"task.name": "told", "dataset.count": 64}),
    "rules": (
        "points", "ring",
        {"constraint.name": "above", "constraint.limit": 1.2, "objective.name": "heavier", "optimizer.name": "sgd"},
    ),
    "hum": (None, None, {}),
}  # fmt: skip


@pytest.fixture
def write(plugin_file):
    def named(name, source=None):
        sys.modules.pop(name, None)
        return plugin_file(name, BLOCKS[name] if source is None else source)

    yield named
    for name in BLOCKS:
        sys.modules.pop(name, None)
    for registry in (CONSTRAINTS, OBJECTIVES):  # other tests go through everything that is registered
        for name in [name for name, kind in registry.items() if kind.__module__ in BLOCKS]:
            del registry[name]


def train(write, name, **settings):
    primary, scenario, own = RUNS[name]
    base = {} if primary is None else {"extensions": [write(name)]}
    plugin = write(name) if primary is None else write(primary) if primary in BLOCKS else primary
    overrides = {**SMALL, **own, **settings}
    return wganx.train(plugin, scenario, overrides=overrides, out="run", device="cpu", **base)


def test_the_guide_has_a_plugin_of_each_kind():
    assert set(BLOCKS) == set(RUNS)


@pytest.mark.parametrize(("name", "most"), [("spiral", 30), ("flat", 30), ("curves", 105)])
def test_the_smallest_plugins_are_small(name, most):
    assert len([line for line in BLOCKS[name].splitlines() if line.strip()]) <= most


@pytest.mark.parametrize("name", RUNS)
def test_it_is_trained_resumed_and_drawn_from(write, name):
    run = train(write, name)
    assert run.folder.facts()["status"] == "finished"
    assert [note for note in run.folder.facts()["notes"] if "preview" in note] == []
    again = wganx.resume("run", settings=["train.steps=4"])
    assert again.assembly.trainer.step == 4
    samples = again.sample(3)
    assert again.assembly.game.sample.fits(tuple(samples.shape[1:]))
    if name != "refine":  # whose context comes from data
        assert torch.equal(wganx.load_generator("run").draw(3), samples)
    assert again.evaluate(n=16).failures == {}


def test_the_metric_with_a_truth_takes_its_option(write):
    one = train(write, "refine", **{"evaluate.metrics": [{"name": "psnr", "peak": 2.0}]}).evaluate(n=16)
    (row,) = one.rows
    assert row.generated < row.floor
    assert row.baselines["repeat"] > 5


def test_a_class_is_chosen_by_the_label_s_name(write):
    run = train(write, "told")
    assert run.sample(2, given={"label": "mode 3"}).shape == (2, 2)


def test_what_is_written_is_what_was_stored(write, tmp_path):
    """A held-out hum through task, stored format and writer is the hum again, to a step of 16 bits."""
    import json
    import wave

    import numpy as np

    run = train(write, "hum")
    format = json.loads((run.folder.checkpoints / "step-000003" / "state.json").read_text())["about"]["sample"]
    items = run.assembly.heldout_items
    batch = run.assembly.game.batch({"sample": items[0]["sample"][None]}, torch.Generator(), training=False)
    (path,) = sys.modules["hum"].write(batch, wganx.SampleFormat.from_json(format), tmp_path, "x")
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == 4000
        sound = np.frombuffer(file.readframes(128), "<i2").astype(int)
    assert np.abs(sound - items[0]["sample"].numpy()).max() <= 1


def test_the_parts_of_no_modality_do_what_the_guide_says(write):
    run = train(write, "rules", **{"evaluate.every": 3, "evaluate.n": 16, "evaluate.metrics": ["polar-gap"]})
    assert run.assembly.trainer.constraint.limit == 1.2
    assert "polar-gap/gap" in (run.folder.path / "evaluations.txt").read_text(encoding="utf-8")
    vitals = wganx.Vitals(step=1, scalars={}, real=torch.zeros(4, 2), fake=torch.full((4, 2), 3.0))
    assert sys.modules["rules"].off_centre(vitals) == "the middle of the fakes lies 4.2 away from that of real points"


@pytest.mark.parametrize("name", ["curves", "rules", "hum"])
def test_it_passes_the_checks_that_train_nothing(write, name):
    """All but the one that the guide names: it is one file, and imports torch at once."""
    checks = [check for check in iter_checks(write(name)) if not check.trains]
    failed = [result.id for result in (check.result() for check in checks) if result.status == "failed"]
    assert failed == [f"plugin/light/{name}"]


TANH = "torch.nn.Linear(32, size), torch.nn.Tanh()"
SCORE = "torch.nn.LeakyReLU(0.2), torch.nn.Linear(32, 1))"
MISTAKES = [
    ("WGANX_API = 1\n", "", "declares no plugin API: it needs a line WGANX_API = 1"),
    ("def wganx_datasets", "def wganx_dataset", "unknown hook 'wganx_dataset'; did you mean 'wganx_datasets'?"),
    (".float() / 127.5 - 1", ".float()", "their format says -1 to 1; mend the normalisation of the task"),
    (
        '["sample"].float() / 127.5 - 1', '["sample"]',
        "samples arrive as torch.uint8; the task must turn them into floating point",
    ),
    (', "periods": periods_N - 1}', ', "periods": periods_N - 1, "phase": phase_N}',
     "every tensor of an item needs a format and every format a tensor"),
    ("@wganx.hookimpl\ndef wganx_datasets", "def wganx_datasets",
     "wganx_datasets is not marked; write @wganx.hookimpl above it"),
    (TANH, TANH.replace("Tanh", "Sigmoid"), "the generator ends in sigmoid, which reaches 0 to 1"),
    (SCORE, SCORE[:-1] + ", torch.nn.Sigmoid())",
     "WX004 the critic ends in sigmoid: its scores are bounded and the reading of W1 is void"),
    (SCORE, "torch.nn.BatchNorm1d(32), " + SCORE,
     "WX003 the critic couples the samples of a batch (batch norm in layers.1)"),
    ("self.layers(x)[:, 0]", "self.layers[:-1](x)", "the critic returns shape (4, 32) for 4 samples, expected (4,)"),
    ("    count: int", "    name: str = ''\n    count: int",
     "has a configuration field 'name', which the core owns; rename it"),
    ("open=open_waves,", "open=open_waves, fit=lambda config, context: {'mean': object()},",
     "fit must return names with tensors or plain data, and did not"),
    ('summary="from noise", build=Generate', 'summary="", build="nowhere:Generate"',
     "failed in build: ModuleNotFoundError: No module named 'nowhere'"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "says"), MISTAKES, ids=[says[:30] for _, _, says in MISTAKES])
def test_a_mistake_is_answered_as_the_guide_says(write, right, wrong, says):
    assert says in GUIDE
    assert right in BLOCKS["curves"]
    plugin = write("curves", BLOCKS["curves"].replace(right, wrong, 1))
    with pytest.raises(wganx.WganxError) as refused:
        wganx.train(plugin, overrides=SMALL, out="run", device="cpu")
    assert says in str(refused.value)
    assert "\n" not in str(refused.value) or "problem" in str(refused.value)


def test_a_preview_that_is_no_picture_costs_only_itself(write):
    says = "a preview's picture is uint8 (C, H, W) with 1 or 3 channels"
    assert says in GUIDE
    source = BLOCKS["curves"].replace("wganx.Preview(picture[None]", "wganx.Preview(picture.float()[None]")
    run = wganx.train(write("curves", source), overrides=SMALL, out="run", device="cpu")
    assert run.folder.facts()["status"] == "finished"
    assert any(says in note for note in run.folder.facts()["notes"])


def test_every_mistake_of_the_guide_is_tried():
    table = GUIDE.partition("## Mistakes that are caught")[2].partition("\n## ")[0]
    said = re.findall(r"\| `([^`]+)` \|$", table, re.MULTILINE)
    tried = [says for _, _, says in MISTAKES]
    assert [text for text in said if text not in tried] == [
        "a preview's picture is uint8 (C, H, W) with 1 or 3 channels"
    ]

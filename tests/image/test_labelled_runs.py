"""Runs with several labels: drawn by every one of them, refused in one line, and measured label by label."""

from __future__ import annotations

import json

import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx import UsageError
from wganx.cli import main
from wganx.runs import Run

SHORT = {"train.steps": 4, "checkpoint.every": 4, "log.every": 2, "preview.every": 4, "preview.walk": 0}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    out = tmp_path_factory.mktemp("faces") / "run"
    return wganx.train("image", "faces-tiny", overrides=SHORT, out=out, device="cpu")


def sample(run: Run, *options: object):
    return CliRunner().invoke(main, ["sample", str(run.folder.path), *map(str, options)])


def test_every_label_can_be_chosen(run, tmp_path):
    drawn = sample(run, "--given", "smile=smiling", "--given", "glasses=dark", "-n", 4, "--out", tmp_path / "out")
    assert drawn.exit_code == 0, drawn.output
    assert len(list((tmp_path / "out").iterdir())) == 5
    torch.testing.assert_close(
        run.sample(3, given={"smile": "laughing", "glasses": "none"}), run.sample(3, given={"smile": 2, "glasses": 0})
    )
    _, batch = run.draw(9)
    assert len(set(zip(batch.context["smile"].tolist(), batch.context["glasses"].tolist()))) == 9


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["smile=smilin"], "smile: no class 'smilin'; classes: serious, smiling, laughing; did you mean 'smiling'?"),
        (["glasses=smiling"], "glasses: no class 'smiling'; classes: none, clear, dark"),
        (["hair=red"], "this generator takes no label 'hair'; labels: smile, glasses"),
        (["smile"], "--given smile: write it as LABEL=CLASS, for example --given speaker=anna"),
        (["smile=smiling", "smile=serious"], "--given smile is there twice, with smiling and serious; give it once"),
    ],
)
def test_what_is_wrong_about_a_choice_is_one_line(run, given, message):
    told = sample(run, *(word for each in given for word in ("--given", each)))
    assert told.exit_code == 2
    assert told.output == f"wganx: {message}\n"


def test_truncation_is_chosen_where_samples_are_drawn(run, tmp_path):
    assert torch.equal(run.sample(4, truncation=1.0), run.sample(4))
    assert run.sample(64, truncation=0.2).std(0).mean() < run.sample(64).std(0).mean()
    drawn = sample(run, "--truncation", 0.7, "-n", 2)
    assert drawn.exit_code == 0, drawn.output
    assert (run.folder.samples / "drawn-step-000004-seed-0-truncation-0.7").is_dir()
    told = sample(run, "--truncation", 0)
    assert (told.exit_code, told.output.count("\n")) == (2, 1)
    assert told.output.startswith("wganx: truncation is a number above 0, where 1 leaves samples as they are")
    picture = tmp_path / "picture.png"
    picture.touch()
    told = sample(run, "--truncation", 0.7, "--source", picture, "--out", tmp_path / "out.png")
    assert told.output == "wganx: --truncation is for samples that are made of noise; leave it out with --source\n"


def test_the_short_form_is_for_one_label(run):
    with pytest.raises(
        UsageError, match=r"takes several labels, so say which: --given smile=\.\.\. or --given glasses"
    ):
        run.sample(1, class_name="dark")


def test_a_label_that_is_not_there_costs_no_training(tmp_path):
    with pytest.raises(wganx.ConfigError, match=r"task\.labels names beard, and the labels of this dataset are: smile"):
        wganx.train("image", "faces-tiny", overrides={**SHORT, "task.labels": ["beard"]}, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_labels_by_a_classifier_are_chosen_like_others_and_resumed_with_it(tmp_path):
    told = {**SHORT, "task.conditioning": "classifier", "task.classifier": 4}
    run = wganx.train("image", "faces-tiny", overrides=told, out=tmp_path / "run", device="cpu")
    logged = [json.loads(line) for line in run.folder.metrics.read_text().splitlines()]
    named = {name for line in logged for name in line}
    assert {"extra/critic/classifier_smile", "extra/target_glasses"} <= named
    assert run.sample(2, given={"smile": "laughing"}).shape == (2, 3, 16, 16)
    half = {**told, "train.steps": 2, "checkpoint.every": 2}
    wganx.train("image", "faces-tiny", overrides=half, out=tmp_path / "half", device="cpu")
    on = wganx.resume(tmp_path / "half", settings=["train.steps=4"])
    assert on.step_of("last") == 4


def test_labels_are_measured_one_by_one(run):
    found = run.evaluate(n=64, metrics=["class-score"], repeats=1).scalars()
    names = {name.rpartition("/")[2] for name in found}
    assert {"label_match", "label_match_smile", "label_match_glasses"} <= names
    values = {name.rpartition("/")[2]: value for name, value in found.items()}
    assert values["label_match"] == pytest.approx((values["label_match_smile"] + values["label_match_glasses"]) / 2)

"""Drawing from a run folder: what it needs, and what it says where something is missing."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx.cli import main
from wganx.errors import CheckpointError, UsageError


def forget(run, *names):
    """The checkpoints as an earlier wganx wrote them: without what it did not know."""
    for state in run.folder.checkpoints.glob("step-*/state.json"):
        facts = json.loads(state.read_text())
        state.write_text(json.dumps({name: fact for name, fact in facts.items() if name not in names}))


@pytest.fixture
def labelled(train):
    return train(scenario="ring-labels", checkpoint__best="w1", evaluate__every=4)


def test_a_folder_of_its_own_is_enough(labelled, tmp_path):
    expected = {which: labelled.sample(9, checkpoint=which) for which in ("last", "best", 4)}
    moved = tmp_path / "elsewhere" / "picked"
    shutil.copytree(labelled.folder.path, moved)
    shutil.rmtree(labelled.folder.path)
    for training in moved.glob("checkpoints/*/training.safetensors"):
        training.unlink()
    for which, samples in expected.items():
        sampler = wganx.load_generator(moved, checkpoint=which)
        assert torch.equal(sampler.draw(9), samples)
        assert not sampler.module.training
        assert not any(weight.requires_grad for weight in sampler.module.parameters())


def test_classes_are_chosen_by_name(labelled):
    sampler = wganx.load_generator(labelled.folder.path)
    one = sampler.draw(6, given={"label": "mode 3"})
    assert torch.equal(one, sampler.draw(6, given={"label": 3}))
    assert torch.equal(one, labelled.sample(6, class_name="mode 3"))
    assert not torch.equal(one, sampler.draw(6))
    with pytest.raises(UsageError, match=r"no class 'mode 9'; classes: mode 0, .*did you mean 'mode"):
        sampler.draw(6, given={"label": "mode 9"})
    with pytest.raises(
        UsageError, match=r"this generator takes no label 'lable'; labels: label; did you mean 'label'\?"
    ):
        sampler.draw(6, given={"lable": "mode 3"})


def test_a_run_of_an_earlier_wganx_is_drawn_from_with_its_data(labelled):
    expected = labelled.sample(5, class_name="mode 2")
    forget(labelled, "about")
    with pytest.raises(CheckpointError, match=r"step 12 of .* does not say how to build its generator.*wganx resume"):
        wganx.load_generator(labelled.folder.path)
    assert torch.equal(wganx.load_run(labelled.folder.path).sample(5, class_name="mode 2"), expected)
    assert wganx.load_run(labelled.folder.path).evaluate(n=20).rows


def test_a_damaged_checkpoint_is_passed_over_by_name(labelled, capsys):
    weights = labelled.folder.checkpoints / "step-000012" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    run = wganx.load_run(labelled.folder.path)
    assert torch.equal(run.sample(4), run.sample(4, checkpoint=8))
    assert "passing over a damaged checkpoint" in capsys.readouterr().err
    with pytest.raises(CheckpointError, match="is damaged: its content does not match"):
        run.sample(4, checkpoint=12)


def test_the_command(labelled, tmp_path):
    folder = str(labelled.folder.path)

    def call(*arguments, code=0):
        result = CliRunner().invoke(main, ["sample", folder, "-n", "3", *arguments])
        assert result.exit_code == code, result.output
        return result.output

    out = tmp_path / "drawn"
    assert "3 samples in 2 files" in call("--given", "label=mode 1", "--out", str(out))
    assert {path.name for path in out.iterdir()} == {"sample.csv", "sample.npy", "grid.png"}
    one = np.load(out / "sample.npy")
    call("--class", "mode 1", "--out", str(tmp_path / "again"))
    assert np.array_equal(np.load(tmp_path / "again" / "sample.npy"), one)
    assert "--given label: write it as LABEL=CLASS" in call("--given", "label", code=2)
    assert "--source needs --out" in call("--source", str(out), code=2)
    assert "has no files that can be read and written as a stream" in call(
        "--source", str(out), "--out", str(tmp_path / "x"), code=2
    )


def test_an_evaluation_says_that_the_data_changed(tmp_path, capsys):
    points, rng = tmp_path / "points", np.random.default_rng(0)
    points.mkdir()
    np.save(points / "a.npy", rng.normal(size=(60, 2)).astype("float32"))
    overrides = {"train.steps": 2, "train.batch_size": 8, "generator.width": 4, "critic.width": 4}
    run = wganx.train("points", data=points, out=tmp_path / "run", overrides=overrides, device="cpu")
    np.save(points / "b.npy", rng.normal(size=(60, 2)).astype("float32"))
    capsys.readouterr()
    assert wganx.load_run(run.folder.path).evaluate(n=5).rows
    assert "the data changed since" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"the data changed since .*there are 108 items, and were 54.*restore it"):
        wganx.resume(run.folder.path, settings=["train.steps=4"])


def test_classes_that_were_renamed_are_compared_by_name(tmp_path):
    points, rng = tmp_path / "points", np.random.default_rng(0)
    for index, name in enumerate(("anna", "ben")):
        (points / name).mkdir(parents=True)
        np.save(points / name / "a.npy", (rng.normal(size=(60, 2)) + 9 * index).astype("float32"))
    overrides = {"train.steps": 60, "train.batch_size": 16, "task.labels": True, "optimizer.lr": 5e-3}
    run = wganx.train("points", data=points, out=tmp_path / "run", overrides=overrides, device="cpu")
    ben = run.sample(50, class_name="ben")
    (points / "anna").rename(points / "zoe")
    renamed = wganx.load_run(run.folder.path)
    assert torch.equal(renamed.sample(50, class_name="ben"), ben), "the run keeps the names it was trained with"
    for attempt in (lambda: renamed.evaluate(), lambda: wganx.resume(run.folder.path, settings=["train.steps=80"])):
        with pytest.raises(UsageError, match=r"label was one of anna, ben and is one of ben, zoe"):
            attempt()


def test_two_draws_never_lie_in_one_folder(labelled, tmp_path):
    def call(*arguments, code=0):
        result = CliRunner().invoke(main, ["sample", str(labelled.folder.path), *map(str, arguments)])
        assert result.exit_code == code, result.output
        return result.output

    call("-n", 4, "--class", "mode 1")
    call("-n", 2, "--class", "mode 3")
    first, second = sorted(labelled.folder.samples.glob("drawn-*"), key=lambda path: len(path.name))
    assert (first.name, second.name) == ("drawn-step-000012-seed-0", "drawn-step-000012-seed-0-2")
    assert [len(np.load(folder / "sample.npy")) for folder in (first, second)] == [4, 2]

    out = tmp_path / "picked"
    call("-n", 4, "--out", out)
    said = call("-n", 2, "--out", out, code=2)
    assert f"{out} holds grid.png already" in said
    assert "give another --out, or --overwrite" in said
    assert len(np.load(out / "sample.npy")) == 4
    call("-n", 2, "--out", out, "--overwrite")
    assert len(np.load(out / "sample.npy")) == 2

    (out / "thesis.txt").write_text("all my work")
    assert "thesis.txt, which no draw wrote; nothing was removed" in call("--out", out, "--overwrite", code=2)
    assert len(list(out.iterdir())) == 4
    assert "thesis.txt is a file" in call("--out", out / "thesis.txt", "--overwrite", code=2)

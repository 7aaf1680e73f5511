"""A run on another machine: another device, its data elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx.cli import main
from wganx.errors import UsageError

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="the device that is missing is there")


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


@no_cuda
def test_a_run_from_a_machine_with_cuda_is_drawn_from_evaluated_and_resumed_without(train, tmp_path):
    run = train()
    expected = run.sample(3)
    config = run.folder.config
    config.write_text(config.read_text().replace("device: cpu", "device: cuda"))
    folder = run.folder.path
    for command in (["sample", folder, "-n", 2], ["evaluate", folder, "-n", 20]):
        said = call(*command)
        assert "trained on another machine: device 'cuda' cannot be used" in said
        assert said.count("computing on cpu") == 1
        assert "another machine" not in call(*command, "--device", "cpu")
    assert torch.equal(wganx.load_run(folder).sample(3), expected)
    refused = call("resume", folder, "--set", "train.steps=16", code=2)
    assert "device 'cuda' cannot be used" in refused
    assert "name one that can with --device (device= in Python): cpu, or auto for what is there" in refused
    assert "finished 16 steps" in call("resume", folder, "--set", "train.steps=16", "--device", "cpu")
    assert "device: cpu" in config.read_text()


def test_a_dataset_that_was_moved_is_named(tmp_path):
    points = tmp_path / "points"
    points.mkdir()
    np.save(points / "a.npy", np.random.default_rng(0).normal(size=(60, 2)).astype("float32"))
    overrides = {"train.steps": 2, "train.batch_size": 8, "generator.width": 4, "critic.width": 4, "log.every": 2}
    run = wganx.train("points", data=points, out=tmp_path / "run", overrides=overrides, device="cpu")
    moved = tmp_path / "elsewhere"
    points.rename(moved)
    folder = run.folder.path
    assert str(points) in call("evaluate", folder, "-n", 5, code=2)
    call("evaluate", folder, "-n", 5, "--data", moved)
    call("sample", folder, "-n", 2, "--data", moved)
    assert str(points) in call("resume", folder, "--set", "train.steps=4", code=2)
    call("resume", folder, "--set", "train.steps=4", "--data", moved)
    assert run.folder.facts()["step"] == 4
    assert str(moved) in run.folder.config.read_text()
    call("evaluate", folder, "-n", 5)
    np.save(moved / "b.npy", np.zeros((60, 2), "float32"))
    with pytest.raises(UsageError, match="the data changed since"):
        wganx.resume(folder, settings=["train.steps=6"], data=moved)

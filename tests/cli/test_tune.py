"""``wganx tune`` on the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wganx.cli import main

SMALL = [
    "--plugin", "points", "--scenario", "ring", "--set", "train.steps=20", "--set", "train.batch_size=16",
    "--set", "dataset.count=200", "--set", "generator.width=8", "--set", "critic.width=8", "--set", "evaluate.n=20",
    "--set", "evaluate.metrics=[exact-w1]", "--device", "cpu",
]  # fmt: skip


def call(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_wrong_call_says_so_and_ends_with_2(tmp_path: Path) -> None:
    assert "nothing to search: --search" in call("tune", *SMALL, code=2)
    output = call(
        "tune", *SMALL, "--search", "constraint.weight=1..2", "--metric", "w2", "--trials", 1, "--out",
        tmp_path / "s", code=2,
    )  # fmt: skip
    assert "no value 'w2' that can be ranked; there are: exact-w1/w1" in output
    assert not (tmp_path / "s").exists()


@pytest.mark.slow
def test_two_trials_and_a_recipe_that_trains(tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    out = tmp_path / "s"
    output = call(
        "tune", *SMALL, "--search", "constraint.weight=log:0.1..10.0", "--metric", "w1", "--trials", 2, "--out", out
    )
    assert "trial-000: done, step 20 of 20" in output
    assert "exact-w1/w1: lower is better; seed 0" in output
    assert "which flatters it: measure it anew with other seeds" in output
    told = json.loads(call("tune", "--resume", out, "--json"))
    assert [trial["state"] for trial in told["trials"]] == ["finished", "finished"]
    assert told["best"] in (0, 1)
    assert "constraint:" in call("config", "show", "--config", out / "best.yaml")

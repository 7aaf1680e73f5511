"""``wganx train --dry-run``: the plan, and nothing else."""

import pytest
from click.testing import CliRunner

import wganx.runs.dry_run
from wganx.cli import main


def call(*arguments, code=0):
    result = CliRunner().invoke(main, ["train", "--plugin", "points", "--device", "cpu", *arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.iterdir())  # no run folder, whatever happened


def rows(output):
    return [line.strip() for line in output.splitlines()]


def test_prints_the_plan_and_leaves_nothing(elsewhere):
    output = call("--dry-run", "--set", "dataset.count=500", "--out", "somewhere")
    lines = rows(output)
    assert lines[0].startswith("points / ")
    for name in ("generator", "critic", "gradients", "optimizer", "weight average", "dataset", "peak", "free"):
        assert any(line.startswith(f"{name} ") and "B" in line for line in lines), name
    assert any(line.startswith("dataset") and "8.0 kB" in line for line in lines)
    assert "data  resident: 500 items" in output
    assert "batch  the whole batch of" in output
    assert "nothing was trained and nothing written" in output


def test_says_in_how_many_parts_a_batch_would_be_taken(monkeypatch):
    monkeypatch.setattr(wganx.runs.dry_run, "free_memory", lambda device: 800_000)
    output = call(
        "--dry-run", "--set", "train.batch_size=128", "--set", "generator.width=64", "--set", "critic.width=64"
    )
    assert "rows at once, the whole batch of 128 in " in output


def test_refuses_what_a_training_would_refuse(monkeypatch):
    assert "no such option" in call("--dry-run", "--set", "train.step=5", code=2)
    assert "leave --resume out" in call("--dry-run", "--resume", code=2)
    monkeypatch.setattr(wganx.runs.dry_run, "free_memory", lambda device: 1000)
    assert "with 2 rows at once, and 1.0 kB are free" in call("--dry-run", code=2)

"""One errand in this process: trained, measured, reported; stopped and gone on with; ended by its seconds."""

import json

import pytest
import yaml

from wganx.errors import ConfigError, WganxError
from wganx.experiments import PaceErrand, RunErrand
from wganx.experiments.carrying_out import Stopped, carry_out
from wganx.records import read_lines
from wganx.runs import RunFolder

SMALL = {
    "plugin": "points", "scenario": "ring", "device": "cpu",
    "train": {"steps": 12, "batch_size": 16, "critic_steps": 1}, "dataset": {"count": 200},
    "generator": {"width": 8}, "critic": {"width": 8}, "log": {"every": 2}, "preview": {"every": 50, "count": 9},
    "checkpoint": {"every": 4}, "evaluate": {"n": 20, "metrics": ["modes"]},
}  # fmt: skip


def errand(tmp_path, seconds=None, **changes):
    config = {name: dict(value) if isinstance(value, dict) else value for name, value in SMALL.items()}
    for section, values in changes.items():
        config[section] = {**config.get(section, {}), **values}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    return RunErrand("job", str(tmp_path / "config.yaml"), str(tmp_path / "run"), 3, seconds)


def test_a_run_is_trained_measured_and_reported_once(tmp_path):
    assert carry_out(errand(tmp_path))
    folder = RunFolder(tmp_path / "run")
    assert folder.facts()["status"] == "finished"
    assert folder.facts()["seed"] == 3
    assert folder.facts()["peak_memory"] > 10_000_000
    assert json.loads(folder.evaluation.read_text())["seed"] == 3
    before = {path: path.stat().st_mtime_ns for path in (folder.evaluation, folder.metrics)}
    assert "exact" not in folder.evaluation.read_text()
    assert carry_out(errand(tmp_path))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert folder.report.is_file()


def test_one_that_was_stopped_goes_on_to_the_same_end(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    assert carry_out(errand(whole))
    stop = Stopped()
    stop.ask()
    assert not carry_out(errand(tmp_path), stop)
    folder = RunFolder(tmp_path / "run")
    assert folder.facts()["status"] == "interrupted"
    assert not folder.evaluation.is_file()
    assert carry_out(errand(tmp_path))
    assert list(read_lines(folder.metrics)) == list(read_lines(RunFolder(whole / "run").metrics))


def test_one_ended_by_its_seconds_is_finished_and_shows_what_it_came_to(tmp_path):
    job = errand(tmp_path, seconds=1e-4, train={"steps": 5000})
    assert carry_out(job)
    folder = RunFolder(tmp_path / "run")
    facts = folder.facts()
    assert facts["status"] == "finished"
    assert facts["step"] == facts["steps"] < 5000
    assert any(note.endswith("its 0.0001 seconds of training were spent") for note in facts["notes"])
    assert (folder.samples / f"step-{facts['step']:06d}.png").is_file()
    assert json.loads(folder.evaluation.read_text())["step"] == facts["step"]
    assert list(folder.checkpoints.glob(f"step-*{facts['step']}"))


def test_one_that_fails_says_why_and_is_tried_anew(tmp_path):
    with pytest.raises(WganxError, match="WX021"):
        carry_out(errand(tmp_path, optimizer={"lr": 1e30}))
    folder = RunFolder(tmp_path / "run")
    assert folder.facts()["status"] == "failed"
    assert folder.report.is_file()


def test_a_configuration_that_changed_is_refused(tmp_path):
    carry_out(errand(tmp_path))
    with pytest.raises(ConfigError, match="a resumed run keeps its settings"):
        carry_out(errand(tmp_path, constraint={"weight": 3.0}))


def test_the_pace_of_a_configuration(tmp_path):
    job = errand(tmp_path)
    out = tmp_path / "pace.json"
    assert carry_out(PaceErrand("pace", job.config, 0, 0.2, str(out)))
    assert 1e-5 < json.loads(out.read_text())["seconds_per_step"] < 5
    assert not (tmp_path / "run").exists()

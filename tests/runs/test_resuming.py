"""Going on with a run: from what, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from datetime import datetime

import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx import lock
from wganx.cli import main
from wganx.engine import read_checkpoint
from wganx.errors import CheckpointError, PreflightError, UsageError
from wganx.lock import locked
from wganx.records import remembered


def cut(run, name="training.safetensors", steps=(4, 8, 12)):
    for step in steps:
        path = run.folder.checkpoints / f"step-{step:06d}" / name
        path.write_bytes(path.read_bytes()[:500])


def everything(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != ".lock"}


def resume(*arguments, code=0):
    result = CliRunner().invoke(main, ["resume", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


def test_a_run_without_a_whole_training_state_is_refused_and_left_as_it_is(train):
    run = train()
    cut(run)
    before = everything(run.folder.path)
    said = resume(run.folder.path, "--set", "train.steps=16", code=1)
    assert "cannot go on: no checkpoint is whole" in said
    for step in (4, 8, 12):
        assert f"step-{step:06d}/training.safetensors is damaged" in said
    assert "whole are the weights of steps 4, 8, 12" in said
    assert f"wganx sample {run.folder.path} --checkpoint 12" in said
    assert f"wganx resume {run.folder.path} --from 12" in said
    assert everything(run.folder.path) == before
    assert wganx.load_run(run.folder.path).sample(3).shape == (3, 2)


def test_whole_weights_go_on_with_new_optimizer_states(train):
    run = train()
    weights = read_checkpoint(run.store.path(8)).weights
    cut(run)
    said = resume(run.folder.path, "--from", 8)
    assert "goes on from the networks of step 8 alone, with new optimizer states" in said
    assert "training.safetensors is damaged" in said
    assert run.folder.facts()["step"] == 12
    assert any("networks of step 8 alone" in note for note in run.folder.facts()["notes"])
    steps = [json.loads(line)["step"] for line in run.folder.metrics.read_text().splitlines()]
    assert steps == [2, 4, 6, 8, 10, 12]
    assert not all(
        torch.equal(weights[name], value) for name, value in read_checkpoint(run.store.path(12)).weights.items()
    )


def test_nothing_whole_at_all_names_the_way_to_start_anew(train):
    run = train()
    cut(run)
    cut(run, "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"no weights are whole either; start a new run: wganx train --config"):
        wganx.resume(run.folder.path)
    with pytest.raises(CheckpointError, match=r"step-000008/weights.safetensors is damaged"):
        wganx.resume(run.folder.path, from_step=8)


def test_a_run_whose_checkpoints_are_gone_is_refused(train):
    run = train()
    shutil.rmtree(run.folder.checkpoints)
    before = everything(run.folder.path)
    for settings in ((), ("train.steps=16",)):
        with pytest.raises(
            CheckpointError, match=r"its records reach step 12, and there is no checkpoint in .*put that"
        ):
            wganx.resume(run.folder.path, settings=settings)
    assert everything(run.folder.path) == before


def test_going_on_from_an_earlier_step_takes_the_same_course(train, tmp_path):
    run, whole = train(), train("whole", checkpoint__keep=5)
    end = read_checkpoint(run.store.path(12))
    wganx.resume(run.folder.path, from_step=4)
    again = read_checkpoint(run.store.path(12))
    assert all(torch.equal(end.training[name], again.training[name]) for name in end.training)
    assert run.folder.metrics.read_bytes() == whole.folder.metrics.read_bytes()
    with pytest.raises(CheckpointError, match=r"no checkpoint '5'; there are last, best and the steps 4, 8, 12"):
        wganx.resume(run.folder.path, from_step=5)


def test_a_damaged_later_checkpoint_does_not_crowd_out_the_one_just_written(train):
    run = train(checkpoint__keep=2)
    cut(run, steps=(12,))
    store = wganx.load_run(run.folder.path).store
    store.keep = 1
    store.save(read_checkpoint(run.store.path(8)), 9)
    assert store.steps() == [9, 12], "what was passed over stays, and counts for nothing"


@pytest.mark.parametrize(
    "fails", ["wganx.engine.training.Training.check", "wganx.runs.recorder.Recorder.compared_with"]
)
def test_a_resume_that_fails_before_its_first_step_cuts_no_records(train, monkeypatch, fails):
    run = train()
    shutil.rmtree(run.store.path(12))
    before = [path.read_bytes() for path in (run.folder.metrics, run.folder.timings)]

    def refuse(*anything):
        raise PreflightError("not to be trained")

    with monkeypatch.context() as patched:
        patched.setattr(fails, refuse)
        with pytest.raises(PreflightError):
            wganx.resume(run.folder.path)
    assert [path.read_bytes() for path in (run.folder.metrics, run.folder.timings)] == before
    assert wganx.resume(run.folder.path).folder.metrics.read_bytes() == before[0]


def test_a_folder_beside_the_checkpoints_is_none_of_them(train):
    run = train()
    shutil.copytree(run.store.path(8), run.folder.checkpoints / "step-000008-copy")
    (run.folder.checkpoints / "step-000099").write_text("a file")
    assert run.store.steps() == [4, 8, 12]
    resume(run.folder.path, "--set", "train.steps=16")
    assert (run.folder.checkpoints / "step-000008-copy").is_dir()


def test_a_run_in_use_names_who_uses_it(train):
    run = train()
    code = (
        "import sys; from pathlib import Path; from wganx.lock import locked\n"
        "with locked(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    before = everything(run.folder.path)
    process = subprocess.Popen(
        [sys.executable, "-c", code, run.folder.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout.readline() == b"held\n"
        said = resume(run.folder.path, "--set", "train.steps=16", code=2)
        assert f"is in use by process {process.pid} on " in said
        assert f" since {datetime.now():%Y-}" in said
        assert everything(run.folder.path) == before
        run.folder.record(status="running")
        assert run.folder.facts()["status"] == "running"
    finally:
        process.kill()
        process.communicate()
    facts = run.folder.facts()
    assert facts["status"] == "interrupted", "whoever was killed runs no longer"
    assert facts["error"].startswith("it ended without a word")
    assert "finished 16 steps" in resume(run.folder.path, "--set", "train.steps=16"), "a crash frees the lock"


def test_whoever_only_asks_keeps_nobody_from_training(tmp_path, monkeypatch):
    """A look at the lock takes it for an instant: the one who comes then tries again."""
    (tmp_path / ".lock").write_text("left by one that was killed")
    looking = (tmp_path / ".lock").open("rb")
    monkeypatch.setattr("wganx.lock.time.sleep", lambda seconds: looking.close())
    assert lock._free(looking)
    with locked(tmp_path):
        assert lock.held(tmp_path)
    assert not lock.held(tmp_path)
    assert not lock.held(tmp_path / "nowhere")


def test_what_cannot_be_told_is_believed(tmp_path, monkeypatch):
    (tmp_path / ".lock").write_text("a file system without locks")

    def without(*anything):
        raise OSError("no locks here")

    monkeypatch.setattr("fcntl.flock", without)
    facts = {"status": "running", "step": 3}
    assert lock.as_they_are(facts, tmp_path) == facts


def test_a_folder_that_is_gone_is_not_written_to(tmp_path):
    """A mount that goes leaves an empty folder; on file systems without locks somebody else may take it."""
    folder, away = tmp_path / "run", tmp_path / "away"
    folder.mkdir()
    with locked(folder) as held:
        held.check()
        folder.rename(away)
        for left in ("nothing", "an empty folder", "another's"):
            if left != "nothing":
                folder.mkdir(exist_ok=True)
            if left == "another's":
                (folder / ".lock").write_text('{"process": 1}')
            with pytest.raises(lock.FolderGone, match=r"run is not the folder any more .* bring it back, then go on"):
                held.check()
        shutil.rmtree(folder)
        away.rename(folder)
        held.check()


def test_a_lock_is_free_after_its_block(tmp_path):
    with locked(tmp_path), pytest.raises(UsageError, match="in use by process"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_a_resumed_run_says_of_its_settings_what_it_said_before(train):
    run = train()
    before = run.folder.facts()["origins"]
    resume(run.folder.path, "--set", "train.steps=16")
    after = run.folder.facts()
    assert after["origins"] == {**before, "train.steps": "--set train.steps=16"}, "defaults stay defaults"


def test_a_long_record_is_read_while_it_is_written(train, monkeypatch, tmp_path):
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(remembered, "LEAST", 300)
    starts = defaultdict(list)
    original = remembered.blocks_of

    def blocks_of(path, problems, start=0):
        starts[path.name].append(start)
        return original(path, problems, start)

    monkeypatch.setattr(remembered, "blocks_of", blocks_of)
    run = train(**{"log.every": 1})
    for record in (run.folder.metrics, run.folder.timings):
        begins = starts[record.name]
        assert begins[0] == 0
        assert begins == sorted(set(begins))
        assert len(begins) == 3, "at each checkpoint, and not for the report any more"

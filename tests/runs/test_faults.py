"""What surrounds a run and goes wrong: disks, names, records that are missing. One line each, nothing lost."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors import SafetensorError

import wganx
from wganx.cli import main
from wganx.engine import CheckpointStore, checkpoint, read_checkpoint
from wganx.errors import CheckpointError
from wganx.runs import training

FULL = Path("/dev/full")


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.skipif(os.name != "posix", reason="limits as POSIX has them")
def test_a_disk_that_is_full_while_a_checkpoint_is_written_costs_only_that_one(small, tmp_path):
    import resource

    # The optimizer states come with the first steps, and with them a file that is too large.
    settings = {**small, "generator.width": 64, "critic.width": 64, "preview.count": 4}
    out = tmp_path / "run"
    command = [sys.executable, "-m", "wganx.cli", "train", "--plugin=points", f"--out={out}", "--device=cpu"]
    ended = subprocess.run(
        [*command, *(f"--set={name}={value}" for name, value in settings.items())],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000)),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 1
    (line,) = [line for line in ended.stderr.splitlines() if "checkpoints" in line]
    assert line == (
        f"wganx: {out}/checkpoints/step-000004 could not be written: File too large; the checkpoints of 0 are kept; "
        "make room on that disk, then go on with wganx resume"
    )
    assert "Traceback" not in ended.stderr
    facts = json.loads((out / "run.json").read_text())
    assert facts["status"] == "failed"
    assert "could not be written: File too large" in facts["error"]
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["step-000000"]
    assert wganx.resume(out).folder.facts()["status"] == "finished"


def test_a_disk_without_room_for_the_records_does_not_hide_why_a_run_failed(train, tmp_path, monkeypatch):
    def full(*anything, **named):
        raise OSError(28, "No space left on device")

    def diverge(self):
        monkeypatch.setattr("wganx.runs.folder.write_whole", full)
        raise wganx.TrainingDiverged("the numbers broke")

    monkeypatch.setattr("wganx.engine.loop.Loop._log", diverge)
    with pytest.raises(wganx.TrainingDiverged, match="the numbers broke"):
        train()


@pytest.mark.parametrize(
    ("reason", "mend"),
    [
        (errno.ENOSPC, "make room on that disk"),
        (errno.EDQUOT, "make room on that disk"),
        (errno.ELOOP, "put a file of its own in the link's place"),
        (errno.ENOENT, "bring that folder, or the disk it is on, back"),
        (errno.ESTALE, "bring that folder, or the disk it is on, back"),
        (errno.EROFS, "that disk is read-only, make it writable"),
        (errno.EACCES, "see to the rights of that folder"),
        (errno.EIO, "see to that disk"),
    ],
)
def test_the_mend_of_what_cannot_be_written_is_that_of_its_cause(train, tmp_path, monkeypatch, reason, mend):
    run = train()
    found = read_checkpoint(run.store.path(12))
    words = os.strerror(reason)
    for error in (
        OSError(reason, words),
        SafetensorError(f"Error while serializing: I/O error: {words} (os error {reason})"),
    ):

        def refuse(tensors, path, error=error):
            raise error

        monkeypatch.setattr(checkpoint, "save_file", refuse)
        with pytest.raises(CheckpointError) as raised:
            run.store.save(found, 13)
        assert str(raised.value) == (
            f"{run.store.path(13)} could not be written: {words}; the checkpoints of 4, 8, 12 are kept; {mend}, then "
            "go on with wganx resume"
        )


def test_a_checkpoint_that_cannot_be_written_names_those_that_are_kept(train, tmp_path, monkeypatch):
    run = train()
    found = read_checkpoint(run.store.path(12))

    def full(tensors, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(CheckpointError, match=r"step-000013 could not be written: No space left.*s of 4, 8"):
        run.store.save(found, 13)
    assert run.store.steps() == [4, 8, 12]
    with pytest.raises(CheckpointError, match="there is none before it"):
        CheckpointStore(tmp_path / "none").save(found, 1)


def test_a_folder_name_that_looks_like_markup_is_printed_as_it_is(small, tmp_path):
    out = tmp_path / "a[/b] [v1] :smile:"
    settings = [text for name, value in small.items() for text in ("--set", f"{name}={value}")]
    said = call("train", "--plugin", "points", *settings, "--device", "cpu", "--out", out)
    assert f"run folder  {out}\n" in said
    assert f"report  {out}/report.html\n" in said
    call("evaluate", out, "-n", 20)
    assert str(out) in call("sample", out, "-n", 2)
    other = tmp_path / "z[bold]:b.npy"
    np.save(other, np.zeros((40, 2), "float32"))
    assert "z[bold]:b.npy" in call("distance", out, other, "--n", 10, "--repeats", 2).replace("\n", "")


def test_a_run_without_its_run_json_is_drawn_from_and_resumed(train):
    run = train()
    run.folder.facts_file.unlink()
    folder = run.folder.path
    call("sample", folder, "-n", 2)
    assert "finished 12 steps" in call("resume", folder)
    assert "finished 14 steps" in call("resume", folder, "--set", "train.steps=14")
    assert run.folder.facts()["status"] == "finished"
    assert run.folder.facts()["step"] == 14


@pytest.mark.skipif(not FULL.exists(), reason="needs a file that is always full")
def test_events_that_cannot_be_written_are_said_once_and_cost_nothing_else(train, monkeypatch, capfd):
    monkeypatch.setattr("wganx.runs.events._new_file", lambda folder: FULL.open("wb"))
    facts = train().folder.facts()
    assert facts["status"] == "finished"
    (note,) = [note for note in facts["notes"] if "TensorBoard" in note]
    assert note == "no more TensorBoard events are written for this run: [Errno 28] No space left on device"
    assert "Traceback" not in capfd.readouterr().err


def test_a_torn_mark_of_the_best_checkpoint_is_none(train):
    run = train()
    (run.folder.checkpoints / "best.json").write_text('{"step": ')
    assert run.store.best() is None
    with pytest.raises(CheckpointError, match="has no best checkpoint"):
        run.sample(2, checkpoint="best")


@pytest.mark.parametrize("named", [None, 7, "elsewhere/file"])
def test_an_error_that_names_no_file_of_the_run_stays_what_it_is(train, monkeypatch, named):
    """Also where the run lies around the working folder, in which a name of nothing is a place."""
    run = train()
    monkeypatch.chdir(run.folder.path)
    if isinstance(named, str):
        named = str(run.folder.path.parent / named)
    raised = OSError(5, "Input/output error", named)
    with pytest.raises(OSError) as found, training._naming_the_disk(run):
        raise raised
    assert found.value is raised


def test_a_note_is_one_line_whatever_names_it_holds(train, monkeypatch):
    monkeypatch.setattr(training, "remarks_on", lambda items: ["a\nwganx: all is well.png is odd"])
    assert "a\\nwganx: all is well.png is odd" in train().folder.facts()["notes"]

"""Who gets which run folder."""

from __future__ import annotations

import json
import os
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wganx import lock
from wganx.engine.training import Training
from wganx.errors import PreflightError, UsageError
from wganx.lock import FolderGone
from wganx.runs import RunFolder, train_run


def test_runs_that_start_in_one_second_get_folders_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        claimed = list(pool.map(lambda _: RunFolder.claim("points", "ring", tmp_path / "runs").path, range(24)))
    assert len(set(claimed)) == 24
    assert all(path.is_dir() and "-points-ring" in path.name for path in claimed)


def test_a_failed_start_makes_room_for_the_mended_command(train, tmp_path, monkeypatch):
    def refuse(self, batch):
        raise PreflightError("the critic ends in a sigmoid")

    with monkeypatch.context() as patch:
        patch.setattr(Training, "check", refuse)
        with pytest.raises(PreflightError):
            train(seed=1)
    folder = tmp_path / "run"
    assert json.loads((folder / "run.json").read_text())["error"] == "the critic ends in a sigmoid"
    assert (folder / "report.html").exists(), "until then it says what went wrong"
    (folder / "thesis.txt").write_text("all my work")
    with pytest.raises(UsageError, match="run is not empty; give another --out"):
        train()
    assert (folder / "run.json").exists()
    (folder / "thesis.txt").unlink()
    run = train()
    facts = run.folder.facts()
    assert (facts["status"], facts["step"], facts["seed"], facts["error"]) == ("finished", 12, 0, None)
    with pytest.raises(UsageError, match="holds a run already"):
        train()


def test_a_folder_that_is_refused_is_left_as_it_is(train, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.txt").write_text("all my work")
    with pytest.raises(UsageError, match="other is not empty"):
        train("other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("asked", "mend"),
    [
        ("runs/fist", "; did you mean runs/first?"),
        ("first", "; did you mean runs/first?"),
        ("runs", "; the newest near it is runs/second"),
        ("runs/...", "; the newest near it is runs/second"),
        ("runs/first/report.html", "; the run is runs/first"),
        ("runs/first/samples", "; the run is runs/first"),
    ],
)
def test_the_run_that_was_meant_is_named(asked, mend, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for second, name in enumerate(["first", "second"]):
        run = RunFolder(Path("runs", name))
        run.samples.mkdir(parents=True)
        run.config.touch()
        run.facts_file.touch()
        os.utime(run.facts_file, (second, second))
    (tmp_path / "runs/first/report.html").touch()
    with pytest.raises(UsageError) as refused:
        RunFolder(Path(asked)).check_run()
    assert str(refused.value) == f"there is no run in {asked}: it has no config.yaml{mend}"


@pytest.mark.skipif(sys.platform == "win32", reason="quotes are others there")
def test_a_command_that_is_told_can_be_pasted(tmp_path):
    folder = RunFolder(tmp_path / "my runs" / "it's 1")
    assert shlex.split(f"wganx resume {folder.typed}") == ["wganx", "resume", str(folder.path)]
    assert RunFolder(Path("runs/first-1")).typed == "runs/first-1"


def test_a_name_of_several_lines_is_refused(tmp_path):
    folder = RunFolder(tmp_path / "fine\nwganx: nothing in it would be executed")
    refusal = r"the name of the run folder fine\\nwganx: nothing .* holds control characters or line breaks; rename it"
    with pytest.raises(UsageError, match=refusal):
        folder.begin("plugin: points\n")
    assert not folder.path.exists()
    folder.path.mkdir()
    folder.config.write_text("plugin: points\n", encoding="utf-8")
    with pytest.raises(UsageError, match=refusal):
        folder.check_run()


@pytest.mark.parametrize("writer", ["_clear", "record", "store_config"])
def test_a_disk_that_goes_while_a_run_is_begun_is_seen(tmp_path, monkeypatch, writer):
    folder = RunFolder(tmp_path / "run")
    written = getattr(RunFolder, writer)

    def gone(self, *arguments, **facts):
        written(self, *arguments, **facts)
        self.path.rename(tmp_path / "away")
        self.path.mkdir()  # as a mount that goes leaves it

    monkeypatch.setattr(RunFolder, writer, gone)
    with pytest.raises(FolderGone, match="is not the folder any more in which this began"):
        folder.begin("plugin: points\n")
    assert not folder.holds_run()


def test_a_run_whose_folder_is_empty_by_now_is_not_trained(train, tmp_path):
    run = train()
    run.folder.path.rename(tmp_path / "away")
    run.folder.path.mkdir()
    with pytest.raises(UsageError, match=r"there is no run in .*: it has no config\.yaml"):
        train_run(run)
    assert not run.folder.metrics.exists()


def test_a_lock_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """As on a disk that is read-only since it was opened."""
    (tmp_path / lock.NAME).touch()
    monkeypatch.setattr(lock, "open_to_add", lambda path: os.fdopen(os.open(path, os.O_RDONLY), "ab"))
    with pytest.raises(OSError, match=r"\.lock") as refusal, lock.locked(tmp_path):
        pass
    assert refusal.value.filename == str(tmp_path / lock.NAME)

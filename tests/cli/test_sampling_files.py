"""``wganx sample --source``: flags that only the run's task knows, and how far it is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

import wganx
from wganx.cli import main
from wganx.cli.passing import watching_files
from wganx.runs import Passage

RIBBONS = Path(__file__).parents[1] / "runs" / "ribbons.py"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ribbons") / "run"
    wganx.train(str(RIBBONS), out=folder, device="cpu", progress=False)
    return folder


@pytest.fixture
def source(tmp_path):
    np.save(tmp_path / "in.npy", np.zeros((25, 4), dtype=np.float32))
    return tmp_path / "in.npy"


def call(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


@pytest.mark.parametrize("flags", [("--repeat", "3", "--by-piece", "4"), ("--by-piece=4", "--repeat=3")])
def test_the_options_of_the_task_are_flags_wherever_they_stand(run, source, tmp_path, flags):
    out = tmp_path / "out.npy"
    assert "1 file written" in call("sample", *flags, run, "--source", source, "--out", out, "--seed", 1)
    assert len(np.load(out)) == 75


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--factor", "3"), "task 'louden' has no option --factor for files; for files it has --repeat, --by-piece"),
        (("--repeat", "much"), "--repeat much: Input should be a valid integer"),
        (("--repeat", "2", "--repeat", "3"), "--repeat is given twice; give it once"),
        (("--repeat",), "--repeat needs a value"),
        (("--class-name", "x"), "wganx sample has no option --class-name"),
    ],
)
def test_a_wrong_flag_is_named_with_those_that_there_are(run, source, tmp_path, flags, message):
    told = call("sample", run, "--source", source, "--out", tmp_path / "out.npy", *flags, code=2)
    assert message in told
    assert not (tmp_path / "out.npy").exists()


def test_without_a_source_options_for_files_are_refused(run):
    told = call("sample", run, "--repeat", "3", code=2)
    assert "has no option --repeat; an option of the task is for files: give --source too" in told
    assert "no option --sed; did you mean '--seed'?" in call("sample", run, "--sed", "3", code=2)
    # One that is near to another flag may be the task's all the same.
    told = call("sample", run, "--gives", "3", code=2)
    assert "did you mean '--given'? An option of the task is for files: give --source too" in told


def test_a_value_may_be_nothing(run, source, tmp_path):
    call("sample", run, "--source", source, "--out", tmp_path / "out.npy", "--by-piece", "null")
    assert len(np.load(tmp_path / "out.npy")) == 25


def passages(done, number=1, files=1, length=100):
    return [Passage(file=Path("film.npy"), number=number, files=files, done=each, length=length) for each in done]


def shown(told, seconds, *, terminal, monkeypatch):
    """What is printed of passages, each so many seconds after the one before."""
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    file = io.StringIO()
    with watching_files(Console(file=file, force_terminal=terminal, width=100, emoji=False)) as watch:
        for passage in told:
            watch(passage)
            now[0] += seconds
    return file.getvalue()


def test_lines_say_how_much_and_how_long_every_ten_seconds(monkeypatch):
    told = shown(passages([0, 10, 20, 30, 40, 100]), 5, terminal=False, monkeypatch=monkeypatch)
    assert told.splitlines() == ["film.npy  20%  0:00:40 left", "film.npy  40%  0:00:30 left"]


def test_a_line_for_each_file_of_a_folder(monkeypatch):
    told = [*passages([0, 50, 100], 1, 2), *passages([0, 100], 2, 2)]
    lines = shown(told, 1, terminal=False, monkeypatch=monkeypatch).splitlines()
    assert lines == ["1/2  film.npy  done", "2/2  film.npy  done"]


def test_what_is_read_twice_begins_anew(monkeypatch):
    told = shown(passages([0, 50, 90, 0, 10, 20]), 10, terminal=False, monkeypatch=monkeypatch)
    assert told.splitlines()[2:] == ["film.npy  10%  0:01:30 left", "film.npy  20%  0:01:20 left"]


def test_a_person_sees_a_bar(monkeypatch):
    told = shown(passages([0, 50, 100]), 1, terminal=True, monkeypatch=monkeypatch)
    assert "film.npy  100%" in told
    assert "left" in told
    assert "━" in told

"""Storage that gives no answer, wherever a training reads in its own thread: an error, and the run goes on later."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import wganx
from wganx.cli import main
from wganx.data import patience
from wganx.errors import NoAnswer

PLUGIN = str(Path(__file__).with_name("unanswering.py"))
LONGEST = 1.0
pytestmark = pytest.mark.skipif(os.name != "posix", reason="reads are interrupted by a signal")


@pytest.fixture(autouse=True)
def pipe(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("PIPE", str(tmp_path / "pipe"))
    monkeypatch.setattr(patience, "LONGEST", LONGEST)
    monkeypatch.setattr(patience, "TELL", LONGEST / 2)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("open", "opening dataset 'rows'"),
        ("fit", "fitting dataset 'rows'"),
        ("first", "reading item 0"),
        ("train", r"reading item \d+"),
        ("heldout", r"reading item \d+"),
    ],
)
def test_a_command_ends_and_says_so(tmp_path, monkeypatch, place, said):
    monkeypatch.setenv("STANDS", place)
    command = ["train", "--plugin", PLUGIN, "--out", str(tmp_path / "run"), "--resume"]
    begun = time.monotonic()
    ended = CliRunner().invoke(main, command)
    assert time.monotonic() - begun < 30
    assert ended.exit_code == 1, ended.output
    last = ended.stderr.splitlines()[-1]
    assert "has had no answer for 1 s: a file does not answer" in last
    assert last.startswith("wganx: ")
    assert last.endswith("see that the data can be read, then resume")
    assert re.search(said, last)

    monkeypatch.setenv("STANDS", "nowhere")
    assert CliRunner().invoke(main, command).exit_code == 0
    facts = wganx.load_run(tmp_path / "run").folder.facts()
    assert (facts["status"], facts["step"]) == ("finished", 24)


def test_a_run_that_had_begun_says_how_it_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("STANDS", "train")
    with pytest.raises(NoAnswer, match="has had no answer"):
        wganx.train(PLUGIN, out=tmp_path / "run")
    facts = wganx.load_run(tmp_path / "run").folder.facts()
    assert facts["status"] == "failed"
    assert "has had no answer for 1 s" in facts["error"]
    assert facts["step"] > 2


@pytest.mark.slow
@pytest.mark.parametrize(("place", "rank"), [("open", "0"), ("train", "1")])
def test_one_of_several_processes_ends_all(tmp_path, place, rank):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "STANDS": place, "STANDS_RANK": rank, "LONGEST": "2"}
    command = [sys.executable, "-m", "wganx.cli", "train", "--plugin", PLUGIN, "--out", str(tmp_path / "run")]

    def train(*more, **changed):
        return subprocess.run(
            [*command, "--resume", *more], env={**environment, **changed}, capture_output=True, text=True, timeout=200,
            check=False,
        )  # fmt: skip

    ended = train("--nproc", "2")
    assert ended.returncode == 1, ended.stderr
    assert "wganx: " in ended.stderr
    assert "has had no answer for 2 s: a file does not answer" in ended.stderr
    assert "all start again" not in ended.stderr
    assert "Traceback" not in ended.stderr

    ended = train(STANDS="nowhere")
    assert ended.returncode == 0, ended.stderr

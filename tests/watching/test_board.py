"""TensorBoard is given every run by name, every step, and this machine alone."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request

import pytest
from click.testing import CliRunner

from wganx.cli import main
from wganx.runs.events import Events
from wganx.watching.board import board_arguments


def test_every_run_goes_by_the_name_of_its_folder(tmp_path):
    runs = [tmp_path / name for name in ("a/run", "b/run", "c:d")]
    for run in runs:
        run.mkdir(parents=True)
    arguments = board_arguments(runs, 7000)
    told = dict(zip(arguments[::2], arguments[1::2]))
    assert told == {
        "--logdir_spec": f"run:{runs[0]},run-2:{runs[1]},c-d:{runs[2]}",
        "--samples_per_plugin": "images=0,audio=0",
        "--host": "127.0.0.1",
        "--port": "7000",
    }
    assert "--port" not in board_arguments(runs)


@pytest.mark.parametrize(("name", "words"), [("nowhere", "it is no folder"), ("a,b", "takes the comma")])
def test_what_cannot_be_shown_is_refused(tmp_path, name, words):
    (tmp_path / "a,b").mkdir()
    done = CliRunner().invoke(main, ["board", str(tmp_path / name)])
    assert done.exit_code == 2
    assert words in done.output


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_it_serves_what_a_run_recorded_until_ctrl_c(tmp_path):
    run = tmp_path / "first"
    run.mkdir()
    events = Events(run, print)
    events.numbers(1, {"w1_raw": 2.0})
    events.close()
    command = [sys.executable, "-c", "from wganx.cli import main; main()", "board", str(run), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://\S+", line)))
        assert "://127.0.0.1:" in address
        with urllib.request.urlopen(f"{address}data/runs", timeout=60) as answer:
            assert b"first" in answer.read()
        with urllib.request.urlopen(f"{address}data/plugin/scalars/tags", timeout=60) as answer:
            assert b"w1_raw" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.communicate()

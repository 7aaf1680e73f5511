"""Errands in processes of their own, with a small program in place of a training."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wganx.experiments import RunErrand, Watch, carry_out_all
from wganx.experiments.errand import PaceErrand, from_text, to_text
from wganx.experiments.processes import _environment

# What an errand's `config` says is done: it may wait for its standard input to be closed, fail, or be killed.
PROGRAM = """
import json, os, sys, time
errand = json.loads(sys.argv[1])
do, _, rest = errand["config"].partition(" ")
print("begins", errand["name"], "threads", os.environ.get("OMP_NUM_THREADS"), flush=True)
if do == "fail":
    print("wganx: the data is gone\\nand its second line", file=sys.stderr)
    sys.exit(1)
if do == "raise":
    raise KeyError("something")
if do == "kill":
    os.kill(os.getpid(), 9)
if do == "deaf":
    import signal
    signal.signal(signal.SIGTERM, lambda *_: (open(rest, "w").write("told"), sys.exit(3)))
    print("listens", flush=True)
    time.sleep(60)
if do == "wait":
    while os.read(0, 1):
        pass
    sys.exit(3)
if do == "sleep":
    open(rest, "a").write(f"{time.time()} ")
    time.sleep(0.3)
    open(rest, "a").write(f"{time.time()}\\n")
"""


class Heard(Watch):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def began(self, errand):
        self.lines.append(f"began {errand.name}")

    def ended(self, errand, ending):
        self.lines.append(f"{ending.state} {errand.name}: {ending.said}")

    def stopping(self):
        self.lines.append("stopping")


def errands(*does: str) -> list[RunErrand]:
    return [RunErrand(f"job-{number}", does, "nowhere", 0) for number, does in enumerate(does)]


def send(tmp_path: Path, *does: str, parallel: int = 1):
    heard = Heard()
    program = (sys.executable, "-S", "-c", PROGRAM)
    endings = carry_out_all(errands(*does), tmp_path / "jobs", parallel=parallel, watch=heard, program=program)
    return endings, heard.lines


def test_one_that_breaks_takes_none_with_it_and_is_said_at_once(tmp_path):
    endings, lines = send(tmp_path, "fail", "raise", "kill", "nothing")
    assert [ending.state for ending in endings] == ["failed", "failed", "failed", "done"]
    assert lines[1] == "failed job-0: the data is gone\nand its second line"
    assert lines[3] == "failed job-1: KeyError: 'something'"
    assert lines[5] == "failed job-2: its process was ended by SIGKILL; was there too little memory?"
    assert lines[6:] == ["began job-3", "done job-3: "]
    assert (tmp_path / "jobs" / "job-3.log").read_text(encoding="utf-8").startswith("begins job-3")


def test_a_second_attempt_says_its_own_reason(tmp_path):
    send(tmp_path, "fail")
    endings, _ = send(tmp_path, "raise")
    assert endings[0].said == "KeyError: 'something'"
    log = (tmp_path / "jobs" / "job-0.log").read_text(encoding="utf-8")
    assert log.count("begins job-0") == 2


@pytest.mark.parametrize(("parallel", "most"), [(1, 1), (2, 2)])
def test_no_more_at_a_time_than_were_asked_for(tmp_path, parallel, most):
    times = tmp_path / "times"
    send(tmp_path, *[f"sleep {times}"] * 4, parallel=parallel)
    moments = sorted(
        (float(moment), change)
        for line in times.read_text(encoding="ascii").splitlines()
        for moment, change in zip(line.split(), (1, -1))
    )
    if len(moments) != 8:  # two wrote into one line: they were at it together
        assert parallel == 2
        return
    running = [sum(change for _, change in moments[: i + 1]) for i in range(8)]
    assert max(running) <= most


def test_on_request_those_on_their_way_are_recalled_and_no_other_begins(tmp_path):
    threading.Timer(0.7, os.kill, (os.getpid(), signal.SIGINT)).start()
    endings, lines = send(tmp_path, "wait", "wait", "nothing", parallel=2)
    assert [ending.state for ending in endings] == ["stopped", "stopped"]
    assert "stopping" in lines
    assert "began job-2" not in lines


def test_who_watches_may_have_seen_enough(tmp_path):
    class Satisfied(Heard):
        def enough(self, errand):
            return errand.name == "job-0"

    heard = Satisfied()
    program = (sys.executable, "-S", "-c", PROGRAM)
    endings = carry_out_all(errands("wait", "nothing"), tmp_path / "jobs", watch=heard, program=program)
    assert [(ending.name, ending.state) for ending in endings] == [("job-0", "enough"), ("job-1", "done")]
    assert "stopping" not in heard.lines


def test_a_second_request_ends_them_at_once(tmp_path):
    def ask_twice():
        while "listens" not in (tmp_path / "jobs" / "job-0.log").read_text(encoding="utf-8"):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.4)
        os.kill(os.getpid(), signal.SIGINT)

    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "job-0.log").touch()
    threading.Thread(target=ask_twice, daemon=True).start()
    started = time.monotonic()
    endings, _ = send(tmp_path, f"deaf {tmp_path / 'heard'}", "nothing")
    assert [(ending.name, ending.state) for ending in endings] == [("job-0", "stopped")]
    assert (tmp_path / "heard").read_text() == "told"
    assert time.monotonic() - started < 50


def test_who_is_killed_leaves_nobody_behind(tmp_path):
    """The other end of a child's standard input closes with the process that sent it."""
    told = json.dumps([PROGRAM, str(tmp_path)])
    code = (
        "import json, sys; from pathlib import Path; from wganx.experiments import RunErrand, carry_out_all\n"
        "program, folder = json.loads(sys.argv[1])\n"
        'own = \'open(errand["folder"], "w").write(str(os.getpid())); \'\n'
        "tell = program.replace('print(\"begins\"', own + 'print(\"begins\"')\n"
        "errand = RunErrand('job', 'wait', folder + '/pid', 0)\n"
        "carry_out_all([errand], Path(folder), program=(sys.executable, '-S', '-c', tell))\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, told]) as sender:
        deadline = time.monotonic() + 120
        while not ((tmp_path / "pid").is_file() and (tmp_path / "pid").read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        child = int((tmp_path / "pid").read_text())
        sender.kill()
    while is_there(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_there(process: int) -> bool:
    try:
        # A child that nobody awaits any longer may stay as a zombie where the container has no init.
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_several_share_the_threads(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert _environment(4)["OMP_NUM_THREADS"] == "2"
    assert _environment(16)["OMP_NUM_THREADS"] == "1"
    assert "OMP_NUM_THREADS" not in _environment(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # who says so himself is heard
    assert _environment(4)["OMP_NUM_THREADS"] == "3"


def test_an_errand_is_told_as_text():
    for errand in (RunErrand("ä", "c.yaml", "f", 3, 1.5), PaceErrand("p", "c.yaml", 0, 2.0, "o.json")):
        assert from_text(to_text(errand)) == errand

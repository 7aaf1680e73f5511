"""However a training ends, its folder says so, and so does the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

import wganx
from wganx.engine import Observer
from wganx.errors import INTERRUPTED

ENDLESS = ["train.steps=1000000", "train.batch_size=16", "train.critic_steps=1", "dataset.count=200",
           "generator.width=8", "critic.width=8", "log.every=5", "preview.every=1000000", "preview.count=4",
           "checkpoint.every=20"]  # fmt: skip

posix = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as POSIX has them")


@contextmanager
def endless(out, stdout):
    """A training that only what the test does to it ends, and the end of the test."""
    command = [sys.executable, "-m", "wganx.cli", "train", "--plugin=points", f"--out={out}", "--device=cpu"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    # Tests that run behind nohup or in the background would hand on that these are ignored.
    heard = {each: signal.signal(each, signal.SIG_DFL) for each in (signal.SIGHUP, signal.SIGINT)}
    try:
        process = subprocess.Popen(
            [*command, *(f"--set={each}" for each in ENDLESS)], stdout=stdout, stderr=subprocess.PIPE, env=environment
        )
    finally:
        for each, handler in heard.items():
            signal.signal(each, handler)
    with process:
        try:
            yield process
        finally:
            process.kill()


def under_way(out, process):
    deadline = time.monotonic() + 120
    while not (out / "checkpoints/step-000020").exists():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def assert_saved(out):
    run = wganx.load_run(out)
    facts = run.folder.facts()
    assert (facts["status"], facts["error"]) == ("interrupted", None)
    assert facts["step"] == run.store.steps()[-1] >= 20


@posix
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_a_signal_ends_a_training_saved_and_with_a_code_of_its_own(tmp_path, name):
    out = tmp_path / "run"
    with endless(out, subprocess.DEVNULL) as process:
        under_way(out, process)
        process.send_signal(getattr(signal, name))
        if name == "SIGHUP":
            process.send_signal(signal.SIGHUP)  # the shell and the system both say so
        assert process.wait(60) == INTERRUPTED, process.stderr.read()
    assert_saved(out)


@posix
def test_a_pipe_whose_reader_left_ends_a_training_saved(tmp_path):
    out = tmp_path / "run"
    with endless(out, subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"points / ring")
        process.stdout.close()
        assert process.wait(120) == INTERRUPTED
        assert b"Traceback" not in (said := process.stderr.read()), said
        assert b"Broken pipe" not in said
    facts = wganx.load_run(out).folder.facts()
    assert (facts["status"], facts["error"]) == ("interrupted", None)


class Exits(Observer):
    def __init__(self, error):
        self.error = error

    def logged(self, step, scalars):
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (SystemExit(5), "interrupted", "the process was ended from within: SystemExit: 5"),
        (KeyboardInterrupt(), "interrupted", None),
        (GeneratorExit("odd"), "failed", "GeneratorExit: odd"),
    ],
    ids=["SystemExit", "KeyboardInterrupt", "GeneratorExit"],
)
def test_whatever_an_observer_raises_the_folder_says_how_it_ended(tmp_path, small, error, status, said):
    with pytest.raises(type(error)):
        wganx.train("points", overrides=small, out=tmp_path / "run", device="cpu", observers=[Exits(error)])
    facts = wganx.load_run(tmp_path / "run").folder.facts()
    assert (facts["status"], facts["error"]) == (status, said)


def test_stop_from_another_thread_and_before_the_first_step(tmp_path, small):
    from wganx.api import complete, open_run

    run = open_run(plugin="points", overrides={**small, "train.steps": 100_000}, out=tmp_path / "run", device="cpu")
    trainer = run.assembly.trainer

    class Tells(Observer):
        def logged(self, step, scalars):
            threading.Thread(target=trainer.stop).start()

    complete(run, [Tells()])
    first = run.folder.facts()["step"]
    assert 0 < first < 100_000
    assert run.folder.facts()["status"] == "interrupted"
    again = wganx.load_run(tmp_path / "run")
    again.assembly.trainer.stop()
    complete(again)
    assert again.folder.facts()["step"] == first, "it was asked before it began"


def test_ctrl_c_in_a_cell_of_a_notebook_leaves_a_run_to_go_on_with_and_stops_the_cells_below(
    tmp_path, small, monkeypatch
):
    monkeypatch.setattr("wganx.engine.trainer.in_a_cell", lambda: True)

    class Presses(Observer):
        def logged(self, step, scalars):
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "run"
    with pytest.raises(wganx.Interrupted) as stopped:
        wganx.train("points", overrides=small, out=out, device="cpu", observers=[Presses()], progress=False)
    step = stopped.value.result.step
    assert str(stopped.value) == f"stopped after step {step} of 12, and saved; wganx.resume({str(out)!r}) goes on"
    facts = wganx.load_run(out).folder.facts()
    assert (facts["status"], facts["step"], facts["error"]) == ("interrupted", step, None)
    assert "interrupted at step" in (out / "report.html").read_text(encoding="utf-8")
    assert wganx.resume(out, progress=False).result.status == "finished"


def test_what_is_amiss_is_said_in_python_too_where_nobody_shows_the_progress(tmp_path, small, capsys):
    settings = {**small, "constraint.name": "none", "optimizer.critic_lr": 0.5, "optimizer.lr": 1e-4}
    run = wganx.train("points", overrides=settings, out=tmp_path / "run", device="cpu", progress=False)
    said = [line for line in capsys.readouterr().err.splitlines() if "WX002" in line]
    assert len(said) == 1
    assert said[0].startswith("wganx: step ")
    assert "WX002" in {finding.code for finding in run.result.findings}
    assert not any("WX002" in note for note in run.folder.facts()["notes"]), "the report has its own place for it"

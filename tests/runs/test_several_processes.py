"""Runs in several processes: the same weights as in one, and a killed process costs nothing but time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from wganx.cli import main
from wganx.records import read_lines

WORKER = Path(__file__).with_name("scenario_rank.py")
SCENARIOS = ("points/ring-labels", "points/moons-to-ring", "image/digits")
ALONE = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("scenarios")
    processes = [
        subprocess.Popen(
            [sys.executable, str(WORKER), str(number), str(count), str(out / "meeting"), str(out), *SCENARIOS],
            env=ALONE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for number, count in ((0, 2), (1, 2), (0, 1))
    ]  # fmt: skip
    try:
        for process in processes:
            said, _ = process.communicate(timeout=500)
            assert process.returncode == 0, said
    finally:
        for process in processes:  # those that wait for one that failed
            process.kill()
            process.communicate()
    return lambda scenario, number, count: load_file(
        out / f"{scenario.replace('/', '-')}-{number}-of-{count}.safetensors"
    )


@pytest.mark.slow
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_two_processes_train_a_scenario_as_one_does(trained, scenario):
    """Twenty steps in float64 on batches of 9: labels, a task with a context, batch norm and flips among them."""
    alone, first, second = trained(scenario, 0, 1), trained(scenario, 0, 2), trained(scenario, 1, 2)
    assert alone.keys() == first.keys() == second.keys()
    for name, expected in alone.items():
        assert (first[name].double() - expected.double()).abs().max() <= 1e-12 * (1 + expected.abs().max()), name
    for name, value in second.items():
        if not name.startswith("training/readings"):
            assert torch.equal(value, first[name]), f"the processes hold different {name}"


def start(out):
    """``wganx train --nproc 2``, slow enough to be killed on the way."""
    return subprocess.Popen(
        [
            sys.executable, "-m", "wganx.cli", "train", "--plugin", "points", "--nproc", "2", "--out", str(out),
            "--set", "train.steps=60", "--set", "checkpoint.every=10", "--set", "log.every=5",
            "--set", "preview.every=20", "--set", "train.critic_steps=2",
        ],
        env=ALONE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def workers(out):
    """Process numbers of the ranks that train into `out`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue
            if str(out) in words and "--nproc" not in words:
                found.append(int(entry.name))
    return sorted(found)


def latest(out):
    steps = sorted(int(path.name.removeprefix("step-")) for path in (out / "checkpoints").glob("step-*"))
    return steps[-1] if steps else -1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the processes to kill in /proc")
def test_a_killed_process_costs_nothing_but_time(tmp_path):
    calm, struck = tmp_path / "calm", tmp_path / "struck"
    said, _ = (process := start(calm)).communicate(timeout=300)
    assert process.returncode == 0, said
    process = start(struck)
    deadline = time.monotonic() + 200
    while not 20 <= latest(struck) < 60:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(workers(struck)[-1], signal.SIGKILL)
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "resuming after step" in said
    for name in ("weights", "training"):
        ours, theirs = (
            load_file(out / "checkpoints" / "step-000060" / f"{name}.safetensors") for out in (calm, struck)
        )
        assert ours.keys() == theirs.keys()
        for key in ours:
            assert torch.equal(ours[key], theirs[key]), key
    assert list(read_lines(calm / "metrics.jsonl")) == list(read_lines(struck / "metrics.jsonl"))
    facts = json.loads((struck / "run.json").read_text())
    assert (facts["status"], facts["processes"]) == ("finished", 2)


def test_a_wrong_call_is_refused_before_any_process_starts(tmp_path):
    called = CliRunner().invoke(
        main, ["train", "--plugin", "points", "--nproc", "2", "--set", "train.stepz=5", "--out", str(tmp_path / "x")]
    )
    assert called.exit_code == 2
    assert "train.stepz" in called.output
    assert not (tmp_path / "x").exists()

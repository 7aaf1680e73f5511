"""``wganx compare`` on the terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from wganx.cli import main
from wganx.errors import INTERRUPTED

SMALL = [
    "--set", "train.batch_size=16", "--set", "train.critic_steps=1", "--set", "dataset.count=200",
    "--set", "generator.width=8", "--set", "critic.width=8", "--set", "preview.count=9", "--set", "evaluate.n=20",
    "--set", "evaluate.metrics=[modes]", "--device", "cpu",
]  # fmt: skip


def call(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def test_a_wrong_call_says_so_and_ends_with_2(tmp_path: Path) -> None:
    assert "nothing to compare" in call("compare", code=2)
    assert "there is no run in" in call("compare", tmp_path / "a", tmp_path / "b", code=2)
    assert "no variant" in call(
        "compare", "--plugin", "points", "--vary", "constraint.name=clip,r1", "--baseline", "x", "--out",
        tmp_path / "c", code=2,
    )  # fmt: skip


@pytest.mark.slow
def test_two_at_a_time_stopped_gone_on_with_and_compared(tmp_path: Path) -> None:
    out = tmp_path / "c"
    start = ["compare", "--plugin", "points", "--scenario", "ring", *SMALL, "--set", "train.steps=200", "--seeds", "1"]
    start += ["--vary", "constraint.name=clip,none", "--parallel", "2", "--out", str(out)]
    with subprocess.Popen([sys.executable, "-m", "wganx.cli", *start], stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 180
        while not any(out.glob("runs/*/timings.jsonl")):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        told, _ = process.communicate(timeout=180)
    assert process.returncode == INTERRUPTED
    assert "stopping: what is on its way is saved" in told
    assert "stopped and saved" in told
    output = call("compare", "--resume", out, "--parallel", 2)
    assert "clip-seed0: done, step 200 of 200" in output
    assert "modes/high_quality: higher is better; floor" in output
    assert "too few" in output
    assert "Not shown: how they would compare once each is tuned" in output
    told = json.loads(call("compare", "--resume", out, "--json"))
    assert {run["status"] for run in told["runs"]} <= {"done", "failed"}  # so small, either may have collapsed
    assert [run["cost"]["steps"] for run in told["runs"]] == [200, 200]
    assert call("compare", "--resume", out, "--csv").startswith("variant,seed,status,reason,steps")
    assert "2 runs of 2 variants" in call("compare", *sorted(out.glob("runs/*")))
    assert not [pid for pid in _children(os.getpid()) if "wganx.experiments" in _command(pid)]


def _children(parent: int) -> list[int]:
    return [
        int(path.name)
        for path in Path("/proc").iterdir()
        if path.name.isdigit() and f"PPid:\t{parent}\n" in _read(path / "status")
    ]


def _command(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cmdline"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""

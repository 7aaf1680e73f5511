"""Runs that die at any step of writing, and are gone on with: they end bit for bit as one that never died."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from wganx.engine import read_checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="forks processes, as POSIX has it"),
]

STEPS, KILLS, KILLED = 4, 5, 9
SHORT = {"train.steps": STEPS, "train.batch_size": 4, "checkpoint.every": 2, "log.every": 1, "preview.every": 4,
         "preview.count": 2, "preview.walk": 0}  # fmt: skip
SCENARIOS: dict[tuple[str, str], dict[str, Any]] = {
    ("points", "ring"): {"generator.width": 8, "critic.width": 8, "dataset.count": 32},
    # Moments are fitted when the run starts; a helper learns with the critic, and a loss changes at step 3.
    ("audio", "digits-tiny"): {"dataset.count": 16},
    ("audio", "voice-conversion-tiny"): {"dataset.count": 16, "task.settle": 3},
    # A helper beside a source picture, and a preview of other rows than the batch has.
    ("image", "style-transfer-tiny"): {"dataset.count": 16, "preview.count": 3},
}


class Mortal:
    """The process of killing.py, told when its children die."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self.folder = process, folder
        self.points = int(self._answer())

    def train(self, name: str, point: int = 0) -> int:
        assert self._process.stdin is not None
        print(name, point, file=self._process.stdin, flush=True)
        return int(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@pytest.fixture(scope="module", params=SCENARIOS, ids="-".join)
def mortal(request, tmp_path_factory) -> Iterator[Mortal]:
    (plugin, scenario), folder = request.param, tmp_path_factory.mktemp("runs")
    settings = json.dumps({**SHORT, **SCENARIOS[plugin, scenario]})
    command = [sys.executable, str(Path(__file__).with_name("killing.py")), plugin, scenario, settings, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Mortal(process, folder)


def state(run: Path) -> dict[str, torch.Tensor]:
    checkpoint = read_checkpoint(run / "checkpoints" / f"step-{STEPS:06d}")
    return {**checkpoint.weights, **checkpoint.training}


def shown(run: Path) -> dict[str, bytes]:
    """What a writer that died left of its own is hidden, and nobody reads it."""
    return {path.name: path.read_bytes() for path in (run / "samples").iterdir() if not path.name.startswith(".")}


def assert_same_end(one: Path, other: Path) -> None:
    left, right = state(one), state(other)
    assert left.keys() == right.keys()
    assert [name for name in left if not torch.equal(left[name], right[name])] == []
    assert (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    assert shown(one) == shown(other)
    assert (one / "report.html").exists()
    assert (other / "report.html").exists()


def test_a_run_that_dies_at_any_step_of_writing_ends_as_one_that_never_died(mortal):
    """At points spread over the whole run; each is gone on with by itself."""
    for number in range(KILLS):
        point = 1 + int((number + 0.5) * mortal.points / KILLS)
        assert mortal.train(f"killed-{point}", point) == KILLED
        assert mortal.train(f"killed-{point}") == 0, f"died at step {point} of {mortal.points}"
        assert_same_end(mortal.folder / "whole", mortal.folder / f"killed-{point}")


def test_a_run_that_dies_again_and_again_gets_there(mortal):
    """Each attempt dies a little later than the last; the same folder is gone on with every time."""
    deaths = 0
    while mortal.train("killed", point=11 + 9 * deaths) == KILLED:
        deaths += 1
        assert deaths < mortal.points
    assert deaths >= 3
    assert_same_end(mortal.folder / "whole", mortal.folder / "killed")

"""Runs that die at any step of writing, and are gone on with: they end bit for bit as one that never died."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from wganx_video.datasets.film_tree import FilmTree
from wganx_video.video.streams import VideoSource
from wganx_video.video.writing import write_video

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
    # A mean frame is fitted when the run starts; several futures are drawn in a step, and films are among the previews.
    ("video", "prediction-tiny"): {"dataset.count": 16, "generator.noise": 2, "task.futures": 2},
    # A time is drawn for every clip, or what is done to it before it is given.
    ("video", "interpolation-tiny"): {"dataset.count": 16, "task.time": "any", "task.kept": [0, 4]},
    ("video", "super-resolution-tiny"): {"dataset.count": 16, "task.blur": 1.0, "task.noise": 0.1},
    # The checkpoint of step 2 lies inside a fade of three steps.
    ("image", "growing"): {
        "generator.width": 4,
        "critic.width": 4,
        "train.batch_size": 8,
        "task.first_steps": 1,
        "task.stage_steps": 3,
        "task.fade_steps": 3,
    },
    # A helper for two labels, and a change that follows the critic, which it reads after 16 and 32 of its updates.
    ("image", "faces-tiny"): {
        "train.critic_steps": 8,
        "task.conditioning": "classifier",
        "task.augment": ["colour"],
        "task.augment_probability": "adaptive",
    },
    # A helper beside a source picture, and a preview of other rows than the batch has.
    ("image", "style-transfer-tiny"): {"dataset.count": 16, "preview.count": 3},
}


class Mortal:
    """The process of killing.py, told when its children die."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self.folder = process, folder
        self.points = int(self._answer())

    def train(self, name: str, point: int = 0) -> int:
        return self._ask(name, point)

    def send(self, source: Path, name: str, point: int = 0) -> int:
        return self._ask(name, point, source)

    def _ask(self, *words: object) -> int:
        assert self._process.stdin is not None
        print(*words, file=self._process.stdin, flush=True)
        return int(self._answer())

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextmanager
def started(plugin: str, scenario: str, settings: dict[str, Any], folder: Path) -> Iterator[Mortal]:
    script = str(Path(__file__).with_name("killing.py"))
    command = [sys.executable, script, plugin, scenario, json.dumps({**SHORT, **settings}), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Mortal(process, folder)


@pytest.fixture(scope="module", params=SCENARIOS, ids="-".join)
def mortal(request, tmp_path_factory) -> Iterator[Mortal]:
    with started(*request.param, SCENARIOS[request.param], tmp_path_factory.mktemp("runs")) as process:
        yield process


@pytest.fixture(scope="module")
def sender(tmp_path_factory) -> Iterator[Mortal]:
    """One that has a network for films, and a film beside."""
    pytest.importorskip("av", reason="needs the extra video")
    folder = tmp_path_factory.mktemp("films")
    frames_TCHW = torch.randint(0, 256, (40, 3, 16, 24), dtype=torch.uint8)
    write_video(folder / "in.mp4", frames_TCHW)
    settings = {"train.steps": 1, "dataset.count": 16}
    with started("video", "super-resolution-tiny", settings, folder) as process:
        yield process


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


@pytest.mark.parametrize("ending", [".mp4", ".gif", ".npy", ""])
def test_a_film_that_dies_while_it_is_written_is_not_there_and_the_next_one_is(sender: Mortal, ending: str) -> None:
    """At every piece that is read, and before the name is given; what was left is in nobody's way."""
    source, deaths = sender.folder / "in.mp4", 0
    for point in count(1):
        name = f"made-{ending.removeprefix('.')}/{point}{ending}"
        out, died = sender.folder / name, sender.send(source, name, point)
        if died == 0:
            break
        assert died == KILLED
        deaths += 1
        assert not out.exists()
    assert deaths >= 3
    assert sender.send(source, f"made-{ending.removeprefix('.')}/1{ending}") == 0
    made = {path.name for path in out.parent.iterdir() if not path.name.startswith(".")}
    assert made == {out.name, f"1{ending}"}
    assert not out.with_name(f".1.writing{ending}").exists()
    for name in made:
        with closing(VideoSource(out.with_name(name))) as film:
            assert film.read(0, 99).shape == (40, 3, 32, 48)
    assert not [path for path in FilmTree(out.parent).paths if "writing" in path]

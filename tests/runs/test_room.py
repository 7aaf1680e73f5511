"""Numbers of samples, files, runs and processes beyond memory or disk: refused in one line before anything is taken."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

import wganx
from wganx.batch import SampleFormat
from wganx.cli import main
from wganx.config import resolve
from wganx.engine import CheckpointStore, Sampler
from wganx.errors import PreflightError
from wganx.runs import room

GB = 10**9
FREE = 4 * GB
_SMALL = {
    "train.steps": 1, "train.batch_size": 8, "dataset.count": 200, "generator.width": 4, "critic.width": 4,
    "preview.walk": 0, "preview.sliders": 0, "preview.count": 2, "evaluate.n": 8, "evaluate.metrics": ["modes"],
    "evaluate.candidates": 10**12,
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run and a copy of it."""
    folder = tmp_path_factory.mktemp("room")
    wganx.train(plugin="points", scenario="ring", overrides=_SMALL, device="cpu", out=folder / "run", progress=False)
    return folder / "run", Path(shutil.copytree(folder / "run", folder / "copy"))


@pytest.fixture(autouse=True)
def _a_small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "free_memory", lambda device: FREE)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(room.shutil, "disk_usage", lambda path: usage(FREE, 0, FREE))
    monkeypatch.setattr(room.os, "cpu_count", lambda: 2)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            "sample RUN --out OUT -n 1000000000",
            "1,000,000,000 samples ask for 132.0 GB of memory where 4.0 GB are free; draw fewer at a time, each time "
            "with another seed",
        ),
        (
            f"sample RUN --out OUT -n {10**400}",
            "some 10^400 samples ask for 1,000,000,000,000,000,000,"
            "000.0 GB of memory where 4.0 GB are free; draw fewer at a time, each time with another seed",
        ),
        (
            "sample RUN --out OUT -n 10000000 --slide 1",
            "10,000,000 samples at 7 places each ask for 9.2 GB of memory where 4.0 GB are free; draw fewer at a time, "
            "each time with another seed",
        ),
        (
            "pretrained sample RUN --out OUT -n 1000000000",
            "1,000,000,000 samples ask for 132.0 GB of memory where 4.0 GB are free; draw fewer at a time, each time "
            "with another seed",
        ),
        (
            "pretrained sample RUN --out OUT --walk 1000000000",
            "1,000,000,000 pictures ask for 4,096.0 GB of disk or more where 4.0 GB are free; lower --walk",
        ),
        (
            "distance RUN COPY --n 1000000000",
            "20,000,000,000 samples ask for 320.0 GB of memory where 4.0 GB are free; lower --n or --repeats",
        ),
        (
            "distance RUN COPY --repeats 1000000000",
            "1,000,000,000,000 samples ask for 16,000.0 GB of memory where 4.0 GB are free; lower --n or --repeats",
        ),
        (
            "evaluate RUN",
            "1,000,000,000,000 samples ask for 16,000.0 GB of memory where 4.0 GB are free; lower evaluate.candidates="
            "1000000000000",
        ),
        (
            "compare --plugin points --vary train.ema=0,0.5 --seeds 1000000000 --out OUT",
            "2,000,000,000 runs ask for 131,072.0 GB of disk or more where 4.0 GB are free; lower --seeds",
        ),
        (
            "compare --plugin points --vary train.ema=0,0.5 --seeds 1000 --parallel 1000 --out OUT",
            "1,000 processes ask for 104.9 GB of memory or more where 4.0 GB are free, and this machine has 2 "
            "processors; lower --parallel",
        ),
        (
            "train --plugin points --nproc 1000000000 --out OUT",
            "1,000,000,000 processes ask for 104,857,600.0 GB of memory or more where 4.0 GB are free, and this "
            "machine has 2 processors; lower --nproc",
        ),
    ],
    ids=lambda value: value[:60],
)  # fmt: skip
@pytest.mark.timeout(60)
def test_more_than_there_is_room_for_is_refused(
    runs: tuple[Path, Path], tmp_path: Path, command: str, said: str
) -> None:
    places = {"RUN": str(runs[0]), "COPY": str(runs[1]), "OUT": str(tmp_path / "out")}
    result = CliRunner().invoke(main, [places.get(word, word) for word in command.split()])
    assert (result.exit_code, result.output) == (2, f"wganx: {said}\n")
    assert not (tmp_path / "out").exists()


def test_what_people_draw_is_not_refused() -> None:
    sampler = Sampler(torch.nn.Linear(128, 3 * 64 * 64), noise=(128,), device="cpu")
    sampler.sample = SampleFormat(axes=("channel", "height", "width"), shape=(3, 64, 64))
    room.check_samples(sampler, 10_000, written=True)  # twice 2 GB
    with pytest.raises(PreflightError):
        room.check_samples(sampler, 100_000, written=True)


def test_a_disk_that_will_be_full_is_told_of_before_the_first_step(tmp_path: Path) -> None:
    """mlfoundations/open_lm#154: error early if there is not enough disk space."""
    small, large = torch.nn.Linear(10, 10), torch.nn.Linear(10_000, 10_000)
    store = CheckpointStore(tmp_path / "run" / "checkpoints", keep=3)
    run = resolve(plugin="points", scenario="ring", settings=["train.steps=1000", "checkpoint.every=100"]).run
    short = resolve(plugin="points", scenario="ring", settings=["train.steps=100", "checkpoint.every=100"]).run
    assert list(room.remark_on_checkpoints(store, small, small, run)) == []
    assert list(room.remark_on_checkpoints(store, large, small, run)) == [
        "the checkpoints that are kept will take 8.0 GB more of disk where 4.0 GB are free, and a training ends where "
        "the disk is full; make room, or lower checkpoint.keep=3"
    ]
    assert "4.8 GB more of disk" in next(room.remark_on_checkpoints(store, large, small, short))
    store.keep = 1
    store.folder.mkdir(parents=True)
    with (store.folder / "there").open("wb") as file:
        file.truncate(2 * GB)
    assert list(room.remark_on_checkpoints(store, large, small, run)) == []


def test_a_disk_that_cannot_be_asked_refuses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(path: Path) -> None:
        raise OSError("no answer")

    monkeypatch.setattr(room.shutil, "disk_usage", refuse)
    room.check_files(10**12, "pictures", tmp_path, "--walk")

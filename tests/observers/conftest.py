"""Small runs of the points plugin, told to observers that come with wganx."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wganx
from wganx.runs import Run
from wganx.testing import iter_checks

SMALL = {
    "train.steps": 6, "train.batch_size": 16, "train.critic_steps": 1, "dataset.count": 200, "generator.width": 8,
    "critic.width": 8, "log.every": 2, "preview.every": 3, "preview.count": 8, "checkpoint.every": 2,
    "evaluate.every": 6, "evaluate.n": 50,
}  # fmt: skip


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Run]:
    # In trainings of a second whoever is imported on the way takes most of the time, and would be named.
    monkeypatch.setattr("wganx.runs.recorder.WORTH_A_WORD", 1e9)

    def train(out: str, *extensions: str, observers: tuple[wganx.Observer, ...] = (), **changes: Any) -> Run:
        settings = {**SMALL, **{name.replace("__", "."): value for name, value in changes.items()}}
        return wganx.train(
            "points", overrides=settings, out=tmp_path / out, device="cpu", extensions=extensions, observers=observers,
            progress=False,
        )  # fmt: skip

    return train


@pytest.fixture
def _nothing_stays() -> Iterator[None]:
    """No thread and no process is left behind."""
    threads, processes = set(threading.enumerate()), _children()
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads]
    assert [thread for thread in left if thread.name != "wganx watchdog"] == []  # of which a process has one
    assert _children() <= processes


def _children() -> set[str]:
    """Processes that this one started, where the system tells."""
    return {child for task in Path("/proc/self/task").glob("*/children") for child in task.read_text().split()}


@pytest.fixture
def conform() -> Callable[[str], None]:
    """What the conformance kit asks of a plugin."""

    def conform(name: str) -> None:
        for check in iter_checks(name):
            check.run()

    return conform

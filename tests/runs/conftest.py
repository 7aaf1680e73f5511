"""Small runs of the points plugin."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wganx
from wganx.runs import Run

SMALL = {
    "train.steps": 12,
    "train.batch_size": 16,
    "train.critic_steps": 2,
    "dataset.count": 200,
    "generator.width": 8,
    "critic.width": 8,
    "log.every": 2,
    "preview.every": 6,
    "preview.count": 16,
    "checkpoint.every": 4,
    "evaluate.n": 50,
}


@pytest.fixture
def small() -> dict[str, Any]:
    return dict(SMALL)


@pytest.fixture
def train(tmp_path: Path) -> Callable[..., Run]:
    def train(out: str = "run", scenario: str = "ring", plugin: str = "points", **changes: Any) -> Run:
        resume = changes.pop("resume", False)
        overrides = {**SMALL, **{name.replace("__", "."): value for name, value in changes.items()}}
        return wganx.train(plugin, scenario, overrides=overrides, out=tmp_path / out, device="cpu", resume=resume)

    return train

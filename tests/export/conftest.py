"""Runs of two steps of the smallest networks, one for each task, made when a test asks for one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import wganx
from wganx.export import export

_SMALL: dict[str, Any] = {
    "train.steps": 2, "train.batch_size": 4, "train.critic_steps": 1, "checkpoint.every": 2, "preview.every": 2,
    "preview.count": 2, "log.every": 2, "optimizer.lr": 0.01,
}  # fmt: skip
_POINTS = {"generator.width": 8, "generator.depth": 1, "critic.width": 8, "critic.depth": 1, "dataset.count": 64}
_SOUNDS = {"dataset.count": 16}

RUNS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "points": ("points", "ring-labels", {**_POINTS, "constraint.name": "spectral-norm"}),
    "moved": ("points", "moons-to-ring", {**_POINTS, "constraint.name": "gradient-normalization"}),
    "faces": ("image", "faces-tiny", {"dataset.count": 16}),
    "styles": ("image", "style-transfer-tiny", {"dataset.count": 16, "generator.halvings": 1}),
    "said": ("audio", "multilingual-tiny", _SOUNDS),
    "voices": ("audio", "voice-conversion-tiny", {"dataset.count": 32}),
    "ahead": ("video", "prediction-tiny", {"dataset.count": 16, "generator.fold": 1, "generator.blocks": 0}),
    "between": (
        "video",
        "interpolation-tiny",
        {"dataset.count": 16, "task.kept": [0, 4], "task.time": "any", "generator.fold": 1, "generator.blocks": 0},
    ),
    "larger": ("video", "super-resolution-tiny", {"dataset.count": 16, "task.crop": 8}),  # of frames of any size
}


@pytest.fixture(scope="session")
def exported(run: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str, str], Path]:
    """The folder of an export by the name of its run, its format, and what it is."""
    home = tmp_path_factory.mktemp("exports")

    def made(name: str, format: str, what: Any = "generator") -> Path:
        folder = home / f"{name}-{format}-{what}"
        return folder if folder.exists() else export(run(name), folder, format=format, what=what).folder

    return made


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a run by its name in `RUNS`."""
    home = tmp_path_factory.mktemp("runs")

    def made(name: str) -> Path:
        plugin, scenario, settings = RUNS[name]
        if not (home / name).exists():
            wganx.train(
                plugin, scenario, overrides={**_SMALL, **settings}, out=home / name, device="cpu", progress=False
            )
        return home / name

    return made

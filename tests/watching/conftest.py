"""A run folder as a training that goes on leaves it, small and written by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    folder = tmp_path / "<b>run"
    (folder / "samples").mkdir(parents=True)
    (folder / "config.yaml").write_text("plugin: points\nseed: 3\n", encoding="utf-8")
    facts = {"status": "running", "step": 3, "steps": 9, "plugin": "points"}
    (folder / "run.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "metrics.jsonl").write_text('{"step": 1, "penalty": 0.5}\n{"step": 3, "penalty": 0.25}\n')
    Image.new("L", (16, 16), 90).save(folder / "samples" / "step-000003.png")
    return folder


@pytest.fixture
def reach(begun: Path) -> Callable[..., None]:
    """The run goes on: a line more, and facts that are others."""

    def write(step: int, **facts: object) -> None:
        with (begun / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, "penalty": 1 / step}) + "\n")
        told = {**json.loads((begun / "run.json").read_text(encoding="utf-8")), "step": step, **facts}
        (begun / "run.json").write_text(json.dumps(told), encoding="utf-8")

    return write

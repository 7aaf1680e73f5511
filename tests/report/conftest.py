"""A run folder as training leaves it, small and written by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

MakeRun = Callable[..., Path]

CONFIG = {
    "plugin": "image",
    "seed": 3,
    "constraint": {"name": "gradient-penalty", "weight": 5.0},
    "train": {"steps": 600, "batch_size": 64},
    "preview": {"every": 100, "count": 16},
}
FACTS = {
    "wganx": "0.1.0", "plugin": "image", "scenario": "digits", "modality": "image", "task": "generate",
    "status": "finished", "step": 600, "steps": 600, "seed": 3, "device": "cpu", "started": "2026-11-22T14:30:00Z",
    "seconds": 75.0, "error": None, "versions": {"python": "3.11.2", "torch": "2.11.0"},
    "data": {"fingerprint": "a1b2c3", "train": 1437, "heldout": 360, "feed": "resident: 368 kB on cpu"},
    "plugins": [{"name": "image", "distribution": "wganx", "version": "0.1.0", "api": 1}], "notes": [],
    "command": "wganx train --plugin image --set constraint.weight=5",
    "origins": {"constraint.weight": "--set constraint.weight=5"}, "parameters": {"generator": 12345, "critic": 678},
}  # fmt: skip
EVALUATION = {
    "step": 600, "n": 1000, "seed": 0,
    "rows": [
        {"metric": "modes", "value": "high_quality", "better": "higher", "generated": 0.875, "floor": 0.98,
         "baselines": {"gaussian": 0.125}},
    ],
}  # fmt: skip


def metric_lines(count: int = 60) -> list[str]:
    """Readings every 10 steps, with an evaluation every 200."""
    lines = []
    for index in range(1, count + 1):
        step = 10 * index
        distance = 4 * math.exp(-index / 12) + 0.5
        reading = {
            "step": step, "w1_raw": distance, "w1_corrected": 5 * (math.sqrt(1 + 0.4 * distance) - 1),
            "critic_loss": -distance, "generator_loss": math.sin(index), "penalty": 0.1 / index,
            "gradient_norm": 1 + 0.2 / index, "lr": 1e-4, "extra/transport_cost": 2 - index / 100,
        }  # fmt: skip
        lines.append(json.dumps(reading))
        if step % 200 == 0:
            lines.append(json.dumps({"step": step, "evaluate/high_quality": index / 100}))
    return lines


METRICS = metric_lines()


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes a whole run folder; an argument of None leaves that part out, a text stands in for the file."""

    def make(
        name: str = "20261122-143000-image-digits",
        *,
        facts: dict[str, object] | str | None = FACTS,
        config: dict[str, object] | str | None = CONFIG,
        metrics: list[str] | None = METRICS,
        evaluation: dict[str, object] | str | None = EVALUATION,
        previews: int = 6,
    ) -> Path:
        folder = tmp_path / name
        (folder / "samples").mkdir(parents=True)
        for file, content in (("run.json", facts), ("config.yaml", config), ("evaluation.json", evaluation)):
            if content is not None:
                text = (
                    content if isinstance(content, str) else (yaml.safe_dump if file[0] == "c" else json.dumps)(content)
                )
                (folder / file).write_text(text, encoding="utf-8")
        if metrics is not None:
            (folder / "metrics.jsonl").write_text("\n".join(metrics) + "\n", encoding="utf-8")
        for index in range(1, previews + 1):
            pixels = np.random.default_rng(index).integers(0, 256, (40, 40), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / "samples" / f"step-{100 * index:06d}.png")
        return folder

    return make

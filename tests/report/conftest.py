"""A run folder as training leaves it, small and written by hand."""

from __future__ import annotations

import json
import math
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def write_run(
    folder: Path,
    *,
    facts: dict[str, object] | str | None = FACTS,
    config: dict[str, object] | str | None = CONFIG,
    metrics: list[str] | None = METRICS,
    evaluation: dict[str, object] | str | None = EVALUATION,
    previews: int = 6,
) -> Path:
    """Writes a whole run folder; an argument of None leaves that part out, a text stands in for the file."""
    (folder / "samples").mkdir(parents=True)
    for file, content in (("run.json", facts), ("config.yaml", config), ("evaluation.json", evaluation)):
        if content is not None:
            text = content if isinstance(content, str) else (yaml.safe_dump if file[0] == "c" else json.dumps)(content)
            (folder / file).write_text(text, encoding="utf-8")
    if metrics is not None:
        (folder / "metrics.jsonl").write_text("\n".join(metrics) + "\n", encoding="utf-8")
    for index in range(1, previews + 1):
        write_picture(folder / "samples" / f"step-{100 * index:06d}.png", index)
    return folder


def write_picture(path: Path, seed: int = 0, width: int = 40) -> None:
    """A picture of noise."""
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, width), dtype=np.uint8)).save(path)


def write_sounds(folder: Path, stem: str, count: int, content: bytes = bytes(1_600)) -> None:
    """Sounds of 16 kHz beside a preview."""
    for index in range(count):
        with wave.open(str(folder / "samples" / f"{stem}-{index:04d}.wav"), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(content)


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`write_run` into a folder of this name."""

    def make(name: str = "20261122-143000-image-digits", **parts: Any) -> Path:
        return write_run(tmp_path / name, **parts)

    return make


CHECKPOINTS = {
    200: (20.0, [18.0, 22.0]), 400: (15.0, [14.0, 16.0]), 600: (12.4, [12.0, 12.9]),
}  # fmt: skip
RICH = {
    "step": 600, "n": 1000, "seed": 0, "repeats": 4, "fingerprint": "a1b2c3d4e5f6a7b8",
    "extractors": {"classes": "0123456789abcdef"},
    "rows": [
        {"metric": "frechet", "value": "distance", "better": "lower", "generated": 12.4, "floor": 1.2, "n": 1000,
         "interval": [12.0, 12.9], "excess": [11.2, 10.8, 11.7], "baselines": {"noise": 88.0, "mean": 60.0},
         "extractor": "classes"},
        {"metric": "recall", "value": "recall", "better": "higher", "generated": 0.61, "floor": 0.98,
         "interval": [0.59, 0.63], "baselines": {"noise": 0.02}},
    ],
    "skipped": {"FID": "no weights: give --weights FILE"}, "failures": {"pesq": "needs the package pesq"},
    "protocol": {"resize": "bilinear, antialiased", "versions": "torch 2.11.0", "candidates": 1000},
    "per_class": {"recall": {"zero": 0.7, "one": 0.35}},
    "neighbours": {"generated": "evaluations/nearest-generated.png", "training": "evaluations/nearest-training.png",
                   "distances": [3.1, 2.9], "of": 1000, "median": 3.5, "real_median": 3.0},
}  # fmt: skip


def write_rich_run(folder: Path) -> Path:
    """A run of everything a page can show: sounds, clips, a walk, sliders, neighbours, checkpoints measured."""
    lines = metric_lines(400)
    write_run(folder, evaluation=RICH, metrics=lines)
    tone = (8_000 * np.sin(np.arange(12_000) / 9)).astype(np.int16).tobytes()
    for stem in ("step-000500", "step-000600", "real"):
        write_sounds(folder, stem, 2, tone)
        frames = [Image.new("RGB", (16, 16), (shade, 90, 160)) for shade in range(0, 240, 40)]
        path = folder / "samples" / f"{stem}-0002.gif"
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=60, loop=0)
    write_picture(folder / "samples" / "real.png", 99)
    for frame in range(5):
        write_picture(folder / "samples" / f"walk-000600-{frame:02d}.png", 200 + frame)
    write_picture(folder / "samples" / "sliders-000600.png", 250, width=700)  # as wide as nine stops are, and more
    for side in ("generated", "training"):
        write_picture(folder / "evaluations" / f"nearest-{side}.png", 300)
    for step, (value, interval) in CHECKPOINTS.items():
        rows = [{**RICH["rows"][0], "generated": value, "interval": interval}]  # type: ignore[index]
        record = json.dumps({**RICH, "step": step, "rows": rows})
        (folder / "evaluations" / f"step-{step:06d}.json").write_text(record, encoding="utf-8")
    return folder


@pytest.fixture
def add_sounds() -> Callable[..., None]:
    """`write_sounds`."""
    return write_sounds


@pytest.fixture(scope="session", name="write_rich_run")
def rich_run_writer() -> Callable[[Path], Path]:
    """`write_rich_run`, for tests that choose the folder."""
    return write_rich_run

"""Run folders as training leaves them, small and written by hand, so that a comparison of many takes no time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

MakeRun = Callable[..., Path]


def config(constraint: str, seed: int, **more: Any) -> dict[str, Any]:
    weight = {"weight": 10.0} if constraint == "gradient-penalty" else {"limit": 0.01}
    return {
        "plugin": "points", "scenario": "ring", "seed": seed, "device": "cpu",
        "dataset": {"name": "ring", "count": 400}, "constraint": {"name": constraint, **weight},
        "train": {"steps": 100, **more},
        "preview": {"every": 25, "count": 16}, "evaluate": {"n": 50},
    }  # fmt: skip


def written_record(w1: float, quality: float, seed: int, **protocol: Any) -> dict[str, Any]:
    rows = [
        {"metric": "exact-w1", "value": "w1", "better": "lower", "generated": w1, "floor": 0.1,
         "baselines": {"gaussian": 1.0, "centre": 2.0}, "interval": None, "excess": None},
        {"metric": "modes", "value": "high_quality", "better": "higher", "generated": quality, "floor": 0.98,
         "baselines": {"gaussian": 0.02, "centre": 0.0}, "interval": None, "excess": None},
        {"metric": "modes", "value": "modes_total", "better": None, "generated": 8.0, "floor": 8.0,
         "baselines": {"gaussian": 8.0, "centre": 8.0}, "interval": None, "excess": None},
    ]  # fmt: skip
    return {
        "step": 100, "n": 50, "seed": seed, "heldout": 400, "repeats": 1, "candidates": None, "extractors": {},
        "fingerprint": f"data of seed {seed}", "failures": {}, "rows": rows, **protocol,
    }  # fmt: skip


def write_run(
    folder: Path,
    constraint: str = "gradient-penalty",
    seed: int = 0,
    *,
    w1: float = 0.5,
    quality: float = 0.8,
    status: str = "finished",
    error: str | None = None,
    per_step: float = 0.01,
    health: Sequence[dict[str, Any]] = (),
    evaluation: dict[str, Any] | str | None = "as usual",
    train: dict[str, Any] | None = None,
    facts: dict[str, Any] | None = None,
) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config(constraint, seed, **(train or {}))), encoding="utf-8")
    told = {
        "plugin": "points", "scenario": "ring", "task": "generate", "status": status, "error": error, "step": 100,
        "steps": 100, "seed": seed, "device": "cpu", "precision": "fp32", "wganx": "0.1.0",
        "versions": {"torch": "2.11.0"}, "data": {"fingerprint": f"train of seed {seed}"}, "peak_memory": 400_000_000,
        **(facts or {}),
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    steps = range(10, 101, 10)
    timings = [
        {"step": step, "seconds": 2 * per_step * step, "time/critic": 0.4, "time/generator": 0.1, "time/other": 0.5}
        for step in steps
    ]
    (folder / "timings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in timings), encoding="utf-8")
    lines: list[dict[str, Any]] = []
    for step in steps:
        lines.append({"step": step, "w1_raw": 3 - step / 50 + seed / 10, "gradient_norm": 1 + seed / 100})
        lines.append({"step": step, "evaluate/exact-w1/w1": w1 * (2 - step / 100)})
    lines += [{"step": 60, "health": finding} for finding in health]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if evaluation == "as usual":
        evaluation = written_record(w1, quality, seed)
    if evaluation is not None:
        text = evaluation if isinstance(evaluation, str) else json.dumps(evaluation)
        (folder / "evaluation.json").write_text(text, encoding="utf-8")
    (folder / "samples").mkdir()
    for step in (25, 50, 75, 100):
        pixels = np.random.default_rng([step, seed]).integers(0, 256, (24, 24), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "samples" / f"step-{step:06d}.png")
    return folder


@pytest.fixture
def record() -> Callable[..., dict[str, Any]]:
    """What an evaluation stores."""
    return written_record


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes a run folder below the test's own."""

    def make(name: str, *arguments: Any, **options: Any) -> Path:
        return write_run(tmp_path / name, *arguments, **options)

    return make


@pytest.fixture
def nine_runs(make_run: MakeRun) -> list[Path]:
    """Three seeds of two constraints that are far apart in W1, and of one that is not told from the first."""
    found = []
    for seed in range(3):
        found.append(make_run(f"gp-{seed}", "gradient-penalty", seed, w1=0.50 + 0.02 * seed))
        found.append(make_run(f"clip-{seed}", "clip", seed, w1=0.80 + 0.02 * seed, quality=0.5, per_step=0.004))
        found.append(make_run(f"lp-{seed}", "lipschitz-penalty", seed, w1=(0.60, 0.40, 0.55)[seed]))
    return found


@pytest.fixture(scope="session", name="write_run")
def run_writer() -> MakeRun:
    """`write_run`, for tests that choose the folder."""
    return write_run

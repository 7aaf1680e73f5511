"""An observer that keeps a diary of everything it is told, and tries to change it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wganx import Finding, Outcome, RunInfo, hookimpl

WGANX_API = 1


def _write(run: RunInfo, hook: str, **facts: Any) -> None:
    with (run.folder / "diary.jsonl").open("a", encoding="utf-8") as diary:
        diary.write(json.dumps({"hook": hook, **facts}, default=str) + "\n")


@hookimpl
def wganx_run_started(run: RunInfo) -> None:
    _write(run, "started", step=run.step, seed=run.seed)


@hookimpl
def wganx_progress(run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
    _write(run, "progress", step=step, names=sorted(scalars))
    scalars.clear()  # type: ignore[attr-defined]
    run.config["train"]["steps"] = 1
    time.sleep(float(os.environ.get("TONES_SLEEP", "0")))


@hookimpl
def wganx_timed(run: RunInfo, step: int, shares: Mapping[str, float]) -> None:
    _write(run, "timed", step=step, shares=dict(shares))


@hookimpl
def wganx_found(run: RunInfo, finding: Finding) -> None:
    _write(run, "found", code=finding.code, step=finding.step)


@hookimpl
def wganx_evaluated(run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
    _write(run, "evaluated", step=step, scalars=dict(scalars))


@hookimpl
def wganx_samples_written(run: RunInfo, step: int, paths: Sequence[Path]) -> None:
    _write(run, "samples", step=step, paths=[path.name for path in paths])


@hookimpl
def wganx_checkpoint_saved(run: RunInfo, step: int, path: Path) -> None:
    _write(run, "saved", step=step, path=path.name)


@hookimpl
def wganx_rolled_back(run: RunInfo, step: int, reason: str) -> None:
    _write(run, "rolled back", step=step, reason=reason)


@hookimpl
def wganx_noted(run: RunInfo, message: str) -> None:
    _write(run, "noted", message=message)


@hookimpl
def wganx_run_finished(run: RunInfo, outcome: Outcome) -> None:
    _write(run, "finished", status=outcome.status, step=outcome.step)

"""Runs in Weights & Biases: settings, curves, evaluations, samples, findings and how a run ended.

``wganx train --plugin image --extension wandb``. Nothing leaves the machine unless ``WANDB_MODE=online`` says so: runs
are written to ``wandb/offline-run-*`` in the working folder (``WANDB_DIR``), and ``wandb sync`` sends them. A run that
is resumed is another one there, in the group of its folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wganx import Finding, MissingExtra, Outcome, RunInfo, hookimpl

WGANX_API = 1

_SOUNDS = frozenset((".wav", ".flac", ".ogg", ".mp3"))
_CLIPS = frozenset((".gif", ".mp4", ".webm"))

_tracked: dict[Path, Any] = {}
"""The runs that go on now, by folder."""
_alone = False
"""Whether nobody else in this process had imported wandb, so that its helper process may end with the last run."""


@hookimpl
def wganx_run_started(run: RunInfo) -> None:
    wandb = _wandb()
    tracked = wandb.init(
        project=os.environ.get("WANDB_PROJECT", "wganx"),
        name=run.folder.name + (f" from step {run.step}" if run.step else ""),
        group=run.folder.name,
        mode=os.environ.get("WANDB_MODE", "offline"),
        config={**run.config, "device": run.device, "folder": str(run.folder)},
        reinit="create_new",  # beside whatever else a script tracks
        # What a training prints is its own, and so is the code around it.
        settings=wandb.Settings(console="off", silent=True, save_code=False),
    )
    # Steps of its own: by wandb's, a training that was rolled back could tell nothing until it had caught up.
    tracked.define_metric("step")
    tracked.define_metric("*", step_metric="step")
    _tracked[run.folder] = tracked


@hookimpl
def wganx_progress(run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
    _log(run, step, scalars)


@hookimpl
def wganx_evaluated(run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
    _log(run, step, {f"evaluate/{name}": value for name, value in scalars.items()})


@hookimpl
def wganx_samples_written(run: RunInfo, step: int, paths: Sequence[Path]) -> None:
    _log(run, step, dict(filter(None, map(_medium, paths))))


@hookimpl
def wganx_found(run: RunInfo, finding: Finding) -> None:
    _note(run, f"finding/{finding.code}", f"step {finding.step}: {finding}")


@hookimpl
def wganx_rolled_back(run: RunInfo, step: int, reason: str) -> None:
    _note(run, "rolled back", f"to step {step}: {reason}")


@hookimpl
def wganx_run_finished(run: RunInfo, outcome: Outcome) -> None:
    _note(run, "status", outcome.status)
    if outcome.error:
        _note(run, "error", outcome.error)
    if (tracked := _tracked.pop(run.folder, None)) is None:
        return
    tracked.finish(exit_code=0 if outcome.status == "finished" else 1)
    if _alone and not _tracked and _wandb().run is None:
        _wandb().teardown()


def _log(run: RunInfo, step: int, values: Mapping[str, Any]) -> None:
    if (tracked := _tracked.get(run.folder)) is not None:
        tracked.log({**values, "step": step})


def _note(run: RunInfo, name: str, text: str) -> None:
    if (tracked := _tracked.get(run.folder)) is not None:
        tracked.summary[name] = text


def _wandb() -> Any:
    """The package, imported when a run starts.

    Raises:
        MissingExtra: it is not installed.
    """
    global _alone
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # nothing is sent anywhere that was not asked for
    _alone |= "wandb" not in sys.modules
    try:
        import wandb
    except ImportError as error:
        raise MissingExtra('Weights & Biases is not installed: pip install "wganx[wandb]"') from error
    return wandb


def _medium(path: Path) -> tuple[str, Any] | None:
    """What a file of a preview is at Weights & Biases, under a name that is the same at every step."""
    wandb = _wandb()
    kind = path.suffix.lower()
    number = path.stem.rpartition("-")[2]
    try:
        if kind == ".png":
            return "samples", wandb.Image(str(path))
        if kind in _SOUNDS:
            return f"sounds/{number}", wandb.Audio(str(path))
        if kind in _CLIPS:
            return f"clips/{number}", wandb.Video(str(path), format=kind[1:])
    except (OSError, ValueError):  # gone, or not what its name says
        return None
    return None

"""Checkpoints: data on disk, never code; whole, or not there.

A checkpoint is a folder: ``weights.safetensors`` (generator, critic, average), ``training.safetensors`` (optimizer
states, random streams, unfinished readings) and ``state.json``, which is written last and holds the digest of both.
The folder is written under another name, synced to disk, and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from wganx.errors import CheckpointError

FORMAT = 1
_FILES = ("weights.safetensors", "training.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: tensors by ``part/name``, and facts that JSON can hold."""

    weights: Mapping[str, Tensor]
    training: Mapping[str, Tensor]
    facts: Mapping[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` as `folder`, replacing a checkpoint of that name; a kill at any moment leaves old or new."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    digests = {}
    for name, tensors in zip(_FILES, (checkpoint.weights, checkpoint.training)):
        # Tied weights share memory, which the format refuses; every name gets a tensor of its own.
        save_file({key: tensor.detach().cpu().clone().contiguous() for key, tensor in tensors.items()}, aside / name)
        digests[name] = _digest(aside / name)
    state = {"format": FORMAT, "digests": digests, **checkpoint.facts}
    (aside / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    for name in (*_FILES, "state.json"):
        _sync(aside / name)
    _sync(aside)
    if folder.exists():
        replaced = folder.with_name(f".{folder.name}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        folder.rename(replaced)
        aside.rename(folder)
        shutil.rmtree(replaced)
    else:
        aside.rename(folder)
    _sync(folder.parent)


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint to the CPU.

    Raises:
        CheckpointError: it is missing, torn, altered, or of a format this version does not know.
    """
    try:
        facts = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        if facts.get("format") != FORMAT:
            raise CheckpointError(f"{folder} has checkpoint format {facts.get('format')}, this wganx reads {FORMAT}")
        for name, digest in facts["digests"].items():
            if _digest(folder / name) != digest:
                raise CheckpointError(f"{folder / name} is damaged: its content does not match state.json")
        weights, training = (load_file(folder / name) for name in _FILES)
    except FileNotFoundError as error:
        raise CheckpointError(f"{folder} is no complete checkpoint: {Path(error.filename).name} is missing") from error
    except (OSError, ValueError, KeyError, AttributeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} cannot be read: {error}") from error
    return Checkpoint(weights, training, facts)


class CheckpointStore:
    """The checkpoints of a run, ``folder/step-000500``: keeps the last `keep`, and the best one beside them.

    `warn` is told by name of a damaged checkpoint that is passed over.
    """

    def __init__(self, folder: Path, *, keep: int = 3, warn: Callable[[str], None] = lambda message: None) -> None:
        self.folder = folder
        self.keep = keep
        self._warn = warn

    def save(self, checkpoint: Checkpoint, step: int) -> Path:
        """Write the checkpoint of `step`, then remove those that are neither among the last nor the best."""
        path = self.path(step)
        write_checkpoint(path, checkpoint)
        self._prune()
        return path

    def path(self, step: int) -> Path:
        """Where the checkpoint of `step` lies."""
        return self.folder / f"step-{step:06d}"

    def steps(self) -> list[int]:
        """Steps that have a checkpoint under its final name, ascending."""
        return sorted(int(path.name.removeprefix("step-")) for path in self.folder.glob("step-*"))

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; None without any."""
        for step in reversed(self.steps()):
            try:
                return read_checkpoint(self.path(step))
            except CheckpointError as error:
                self._warn(f"passing over a damaged checkpoint: {error}")
        return None

    def discard_after(self, step: int) -> None:
        """Remove the checkpoints of later steps, which a roll-back made void."""
        for later in self.steps():
            if later > step:
                shutil.rmtree(self.path(later))

    def mark_best(self, step: int, metric: str, value: float) -> None:
        """Name the checkpoint of `step` the best so far by `metric`; it is kept until another takes its place."""
        aside = self.folder / ".best.json.writing"
        aside.write_text(json.dumps({"step": step, "metric": metric, "value": value}), encoding="utf-8")
        _sync(aside)
        aside.replace(self.folder / "best.json")

    def best(self) -> dict[str, Any] | None:
        """``{"step", "metric", "value"}`` of the best checkpoint; None when none was marked."""
        try:
            best: dict[str, Any] = json.loads((self.folder / "best.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return best

    def _prune(self) -> None:
        best = self.best()
        kept = {*self.steps()[-self.keep :], *([best["step"]] if best else [])}
        for step in self.steps():
            if step not in kept:
                # Renamed first: a removal that is cut short must not leave something that looks like a checkpoint.
                condemned = self.folder / f".step-{step:06d}.removing"
                shutil.rmtree(condemned, ignore_errors=True)
                self.path(step).rename(condemned)
                shutil.rmtree(condemned)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Flush a file or, where the system can, a folder's entries to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

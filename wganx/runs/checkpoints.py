"""Which checkpoint is meant, and what one tells without being loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wganx.batch import SampleFormat
from wganx.engine import CheckpointStore
from wganx.engine.checkpoint import read_facts
from wganx.errors import CheckpointError
from wganx.runs.folder import RunFolder


def checkpoint_path(folder: RunFolder, checkpoint: str | int) -> Path:
    """Where the checkpoint lies that ``last``, ``best`` or a step names.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    store, which = CheckpointStore(folder.checkpoints), str(checkpoint)
    if which == "last":
        if not store.steps():
            raise CheckpointError(f"{folder.path} has no checkpoint; train it first: wganx resume")
        return store.path(store.steps()[-1])
    if which == "best":
        best = store.best()
        if best is None:
            raise CheckpointError(f"{folder.path} has no best checkpoint; set checkpoint.best to a metric value")
        return store.path(best["step"])
    if which.isdigit() and int(which) in store.steps():
        return store.path(int(which))
    steps = ", ".join(str(step) for step in store.steps()) or "none"
    raise CheckpointError(f"no checkpoint {which!r}; there are last, best and the steps {steps}")


def step_of(path: Path) -> int:
    """Generator updates behind a checkpoint.

    Raises:
        CheckpointError: it cannot be read.
    """
    facts = read_facts(path)
    if "step" not in facts:
        raise CheckpointError(f"{path} cannot be read: state.json says no step")
    return int(facts["step"])


def stored_formats(store: CheckpointStore) -> Mapping[str, SampleFormat] | None:
    """The formats of the items a run was trained on, from the newest checkpoint that tells; None where none does."""
    for step in reversed(store.steps()):
        try:
            items = (read_facts(store.path(step)).get("about") or {}).get("items")
        except CheckpointError:
            continue
        if items:
            return {name: SampleFormat.from_json(format) for name, format in items.items()}
    return None

"""Where a training goes on: from which checkpoint, and what is said where none can be continued from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wganx.engine import Checkpoint, CheckpointStore, read_checkpoint, read_networks, read_weights
from wganx.errors import CheckpointError
from wganx.records import last_line
from wganx.runs.checkpoints import checkpoint_path
from wganx.runs.folder import RunFolder

if TYPE_CHECKING:
    from wganx.runs.run import Run


def checkpoint_to_continue(run: Run, from_step: int | None = None) -> Checkpoint | None:
    """The newest whole checkpoint of `run`, or the one of `from_step`; None for a run that has not made a step.

    Of `from_step` the networks alone will do: training then goes on from them with new optimizer states.

    Raises:
        CheckpointError: there were steps, and nothing to continue from; says what is broken and what can be done.
    """
    if from_step is not None:
        return _named_checkpoint(run, from_step)
    store = run.store
    broken: list[str] = []
    newest = store.latest(lambda message: broken.append(message))
    if newest is not None:
        for message in broken:
            run.warn(message)
        return newest
    if store.steps():
        raise CheckpointError(_none_whole(run.folder, store))
    if reached := steps_made(run.folder):
        raise CheckpointError(
            f"{run.folder.path} cannot go on: its records reach step {reached}, and there is no checkpoint in "
            f"{run.folder.checkpoints}; put that folder back, or {_start_anew(run.folder)}"
        )
    return None


def steps_made(folder: RunFolder) -> int:
    """How far the records of a run reach."""
    last = last_line(folder.metrics)
    return max(last["step"] if last else 0, int(folder.facts().get("step") or 0))


def _named_checkpoint(run: Run, step: int) -> Checkpoint:
    path = checkpoint_path(run.folder, step)
    try:
        return read_checkpoint(path)
    except CheckpointError as error:
        networks = read_networks(path)
        message = (
            f"goes on from the networks of step {step} alone, with new optimizer states and on another random course, "
            f"because its training state is not whole: {error}"
        )
        run.warn(message)
        run.folder.note(message)
        return networks


def _none_whole(folder: RunFolder, store: CheckpointStore) -> str:
    broken, drawable = [], []
    for step in store.steps():
        try:
            read_checkpoint(store.path(step))
        except CheckpointError as error:
            broken.append(f"  {error}")
        try:
            read_weights(store.path(step))
            drawable.append(step)
        except CheckpointError:
            continue
    lines = [f"{folder.path} cannot go on: no checkpoint is whole", *broken]
    if not drawable:
        return "\n".join([*lines, f"no weights are whole either; {_start_anew(folder)}"])
    newest = drawable[-1]
    return "\n".join(
        [
            *lines,
            f"whole are the weights of {'steps' if len(drawable) > 1 else 'step'} {', '.join(map(str, drawable))}:",
            f"  draw from them:   wganx sample {folder.typed} --checkpoint {newest}",
            f"  go on from them, with new optimizer states:   wganx resume {folder.typed} --from {newest}",
        ]
    )


def _start_anew(folder: RunFolder) -> str:
    return f"start a new run: wganx train --config {folder.config}"

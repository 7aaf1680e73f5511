"""Checkpoints: data on disk, never code; whole, or not there.

A checkpoint is a folder: ``weights.safetensors`` (generator, critic, average, helpers), ``training.safetensors``
(optimizer states, random streams, unfinished readings) and ``state.json``, which is written last and holds the digest
of both.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from wganx.engine.facts import check_best, check_state
from wganx.engine.observer import log_note
from wganx.errors import CheckpointError, way_out
from wganx.storage import remove_folder, tidy, whole_folder, write_whole
from wganx.stored import open_file, read_json

FORMAT = 1
_FILES = ("weights.safetensors", "training.safetensors")
_NAME = re.compile(r"step-(\d{6,})")
_BY_SYSTEM = re.compile(r"I/O error: (?P<words>.*) \(os error (?P<number>\d+)\)", re.DOTALL)


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds: tensors by ``part/name``, and facts that JSON can hold."""

    weights: Mapping[str, Tensor]
    training: Mapping[str, Tensor]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Weights:
    """What it takes to draw samples: tensors of the averaged generator by name, and the checkpoint's facts."""

    average: Mapping[str, Tensor]
    facts: Mapping[str, Any]


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` as `folder`, replacing a checkpoint of that name; a kill at any moment leaves old or new.

    Raises:
        CheckpointError: the disk is full, or cannot be written; whatever was there is as it was.
    """
    try:
        with whole_folder(folder) as aside:
            digests = {}
            for name, tensors in zip(_FILES, (checkpoint.weights, checkpoint.training)):
                # Tied weights share memory, which the format refuses; every name gets a tensor of its own.
                own = {key: tensor.detach().cpu().clone().contiguous() for key, tensor in tensors.items()}
                save_file(own, aside / name)
                digests[name] = _digest(aside / name)
            state = {"format": FORMAT, "digests": digests, **checkpoint.facts}
            (aside / "state.json").write_text(json.dumps(state, indent=1), encoding="utf-8")
    except (OSError, SafetensorError) as error:
        reason = error if isinstance(error, OSError) else _of_the_system(error)
        raise CheckpointError(f"{folder} could not be written: {reason.strerror or reason}") from reason


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint to the CPU.

    Raises:
        CheckpointError: it is missing, torn, altered, or of a format this version does not know.
    """
    with _named(folder):
        facts = _facts(folder, _FILES)
        weights, training = (load_file(folder / name) for name in _FILES)
    return Checkpoint(weights, training, facts)


def read_weights(folder: Path) -> Weights:
    """Read of a checkpoint only what draws samples, to the CPU; its training state need not be there.

    Raises:
        CheckpointError: it is missing, torn, altered, of a format this version does not know, or holds no averaged
            generator.
    """
    with _named(folder):
        facts = _facts(folder, _FILES[:1])
        with safe_open(folder / _FILES[0], "pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys() if name.startswith("average/")}  # noqa: SIM118
    if not found:
        raise CheckpointError(f"{folder} holds no averaged generator to draw samples from")
    return Weights({name.removeprefix("average/"): tensor for name, tensor in found.items()}, facts)


def read_networks(folder: Path) -> Checkpoint:
    """Read of a checkpoint only the networks, to the CPU; its training state need not be there, and is left empty.

    Raises:
        CheckpointError: the weights are missing, torn or altered, or of a format this version does not know.
    """
    with _named(folder):
        facts = _facts(folder, _FILES[:1])
        weights = load_file(folder / _FILES[0])
    return Checkpoint(weights, {}, facts)


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    """Whatever fails inside names the checkpoint."""
    try:
        yield
    except FileNotFoundError as error:
        # Who maps a file into memory does not always say which one it missed.
        missing = Path(error.filename).name if error.filename else str(error)
        raise CheckpointError(f"{folder} is no complete checkpoint: {missing} is missing") from error
    except (OSError, ValueError, SafetensorError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise CheckpointError(f"{folder} cannot be read: {reason}") from error


def _facts(folder: Path, files: Sequence[str]) -> dict[str, Any]:
    """What ``state.json`` says, once it is known to be about `files` as they are."""
    facts = read_facts(folder)
    for name in files:
        if _digest(folder / name) != facts["digests"].get(name):
            raise CheckpointError(f"{folder / name} is damaged: its content does not match state.json")
    return facts


def read_facts(folder: Path) -> dict[str, Any]:
    """What ``state.json`` of a checkpoint says, whatever its tensors are.

    Raises:
        CheckpointError: it is missing, damaged, or of a format this version does not know.
    """
    with _named(folder):
        facts = read_json(folder / "state.json")
        if isinstance(facts, dict) and facts.get("format") != FORMAT:
            known = facts.get("format") if isinstance(facts.get("format"), int) else "of no number"
            raise CheckpointError(f"{folder} has checkpoint format {known}, this wganx reads {FORMAT}")
        try:
            check_state(facts)
        except ValueError as error:
            raise ValueError(f"state.json is damaged: {error}") from error
        found: dict[str, Any] = facts
        if not {_FILES[0]} <= set(found["digests"]) <= set(_FILES):
            raise ValueError(f"state.json is damaged: digests are of other files than {' and '.join(_FILES)}")
    return found


class CheckpointStore:
    """The checkpoints of a run, ``folder/step-000500``: keeps the last `keep`, and the best one beside them.

    Which one was the best so far stands in every checkpoint, and for readers in ``best.json``: whoever goes on from a
    checkpoint goes on with its best one too, wherever a kill left that file.

    `warn` is told by name of a damaged checkpoint that is passed over.

    Attributes:
        check: called before each save; what it raises keeps the folder as it is.
    """

    def __init__(self, folder: Path, *, keep: int = 3, warn: Callable[[str], None] = log_note) -> None:
        self.folder = folder
        self.keep = keep
        self.check: Callable[[], None] = lambda: None
        self._warn = warn

    def save(self, checkpoint: Checkpoint, step: int, best: tuple[str, float] | None = None) -> Path:
        """Write the checkpoint of `step`, then remove those that are neither among the last nor the best.

        Args:
            best: it is the best so far by this metric, with this value; kept until another takes its place.

        Raises:
            CheckpointError: it cannot be written; those before it are kept.
        """
        self.check()
        self.tidy()
        path = self.path(step)
        mark = self.best() if best is None else {"step": step, "metric": best[0], "value": best[1]}
        try:
            write_checkpoint(path, replace(checkpoint, facts={**checkpoint.facts, "best": mark}))
            if best is not None:
                self._mark(mark)
        except CheckpointError as error:
            kept = ", ".join(map(str, self.steps()))
            kept = f"the checkpoints of {kept} are kept" if kept else "there is none before it"
            mend = way_out(error.__cause__)
            raise CheckpointError(f"{error}; {kept}; {mend}, then go on with wganx resume") from error
        self._prune(step)
        return path

    def tidy(self) -> None:
        """Remove what a kill left here, and give back the name of a checkpoint that was being replaced."""
        tidy(self.folder, folders=True)

    def settle(self, facts: Mapping[str, Any]) -> None:
        """All as it was when the checkpoint with these facts had been saved: the best one, and those that are kept."""
        if "best" in facts:  # absent from checkpoints of earlier versions
            mark = facts["best"]
            self._mark(mark if mark is not None and mark["step"] in self.steps() else None)
        self._prune(facts["step"])

    def path(self, step: int) -> Path:
        """Where the checkpoint of `step` lies."""
        return self.folder / f"step-{step:06d}"

    def steps(self) -> list[int]:
        """Steps that have a checkpoint under its final name, ascending; folders of any other name are not looked at."""
        found = ((path, _NAME.fullmatch(path.name)) for path in self.folder.glob("step-*"))
        return sorted(int(match[1]) for path, match in found if match and path.is_dir())

    def latest(self, warn: Callable[[str], None] | None = None) -> Checkpoint | None:
        """The newest checkpoint that is whole; None without any. `warn` stands in for the store's own."""
        for step in reversed(self.steps()):
            try:
                return read_checkpoint(self.path(step))
            except CheckpointError as error:
                (warn or self._warn)(f"passing over a damaged checkpoint: {error}")
        return None

    def discard_after(self, step: int) -> None:
        """Remove the checkpoints of later steps, which a roll-back made void."""
        best = self.best()
        if best is not None and best["step"] > step:
            (self.folder / "best.json").unlink()
        for later in self.steps():
            if later > step:
                remove_folder(self.path(later))

    def _mark(self, mark: Mapping[str, Any] | None) -> None:
        file = self.folder / "best.json"
        try:
            if mark is None:
                file.unlink(missing_ok=True)
            elif mark != self.best():
                write_whole(file, json.dumps(mark))
        except OSError as error:
            raise CheckpointError(f"{file} could not be written: {error.strerror}") from error

    def best(self) -> dict[str, Any] | None:
        """``{"step", "metric", "value"}`` of the best checkpoint; None when none was marked."""
        try:
            best: dict[str, Any] = read_json(self.folder / "best.json")
            check_best(best)
        except (OSError, ValueError):
            return None
        return best

    def _prune(self, newest: int) -> None:
        best = self.best()
        # Later ones were passed over as damaged: they count for nothing, and may hold weights that are whole.
        so_far = [step for step in self.steps() if step <= newest]
        kept = {*so_far[-self.keep :], *([best["step"]] if best else [])}
        for step in so_far:
            if step not in kept:
                try:
                    remove_folder(self.path(step))
                except OSError as error:  # on Windows, while a program has one of its files open
                    self._warn(f"{self.path(step)} cannot be removed yet ({error.strerror}); the next save tries again")


def _of_the_system(error: SafetensorError) -> OSError:
    """What the system said, which safetensors tells as text."""
    if (told := _BY_SYSTEM.search(str(error))) is None:
        return OSError(str(error))
    words, number = told["words"], int(told["number"])
    return OSError(0, words, None, number) if os.name == "nt" else OSError(number, words)


def _digest(path: Path) -> str:
    with open_file(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

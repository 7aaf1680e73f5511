"""The run folder: what lies where, and how it is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from wganx.errors import UsageError
from wganx.lock import NAME as LOCK
from wganx.lock import as_they_are, locked
from wganx.names import as_typed, on_a_line
from wganx.records import cut_after, last_line
from wganx.runs.facts import known_facts
from wganx.storage import json_text, tidy, write_whole
from wganx.stored import read_json


class RunFolder:
    """Paths and records of one run.

    ``config.yaml`` (resolved, a valid input), ``run.json`` (facts and status), ``metrics.jsonl`` (a line a logging
    step, the same however often the run was resumed), ``timings.jsonl`` (what depends on the machine),
    ``fitted.safetensors`` (what was fitted to the data), ``samples/``, ``checkpoints/``, ``evaluation.json``,
    ``evaluations/`` (those of every checkpoint, and pictures of nearest neighbours), ``report.html``, ``listen.html``
    (the listening page, on request), ``MODEL_CARD.md``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.facts_file = path / "run.json"
        self.metrics = path / "metrics.jsonl"
        self.timings = path / "timings.jsonl"
        self.fitted = path / "fitted.safetensors"
        self.samples = path / "samples"
        self.checkpoints = path / "checkpoints"
        self.evaluation = path / "evaluation.json"
        self.evaluations = path / "evaluations"
        self.report = path / "report.html"
        self.listening = path / "listen.html"
        self.card = path / "MODEL_CARD.md"

    @property
    def typed(self) -> str:
        """The folder as a command of this system's shell takes it."""
        return as_typed([str(self.path)])

    @classmethod
    def fresh(cls, plugin: str, scenario: str, parent: Path = Path("runs")) -> RunFolder:
        """A folder name that says when and what, not taken yet."""
        return cls(next(path for path in _names(plugin, scenario, parent) if not path.exists()))

    @classmethod
    def claim(cls, plugin: str, scenario: str, parent: Path = Path("runs")) -> RunFolder:
        """A `fresh` folder, made now: of several runs that start in one second each gets one of its own.

        Raises:
            UsageError: no folder can be made there.
        """
        try:
            parent.mkdir(parents=True, exist_ok=True)
            for path in _names(plugin, scenario, parent):
                with suppress(FileExistsError):
                    path.mkdir()
                    return cls(path)
        except OSError as error:
            raise UsageError(f"cannot make a run folder in {parent}: {error.strerror or error}; give --out") from error
        raise AssertionError("names have no end")

    def holds_run(self) -> bool:
        """Whether a run was begun here."""
        return self.config.is_file()

    def check_own(self, folder: Path) -> Path:
        """`folder`, where what is written into it stays in the run, if it belongs there; of any other, nothing is said.

        Raises:
            UsageError: within the run it is a link, or lies behind one.
        """
        home, place = self.path.absolute(), folder.absolute()
        for path in (place, *place.parents):
            if home in path.parents and path.is_symlink():
                raise UsageError(
                    f"{path} is a link, and what is written into a run stays in it; put a folder in its place, or "
                    "make a link of the whole run folder"
                )
        return folder

    def own(self, folder: Path) -> Path:
        """`folder`, made where it is not there.

        Raises:
            UsageError: as `check_own`.
        """
        self.check_own(folder).mkdir(parents=True, exist_ok=True)
        return folder

    def check_run(self) -> None:
        """That a run was begun here.

        Raises:
            UsageError: there is none; names one that is near and may have been meant. Or its name has several lines.
        """
        self._check_name()
        if not self.holds_run():
            raise UsageError(f"there is no run in {self.path}: it has no config.yaml{_meant(self.path)}")

    def begin(self, config: str, beside: Callable[[], None] | None = None, **facts: Any) -> None:
        """Make the folder and store the configuration; a run that failed before its first step makes room.

        The configuration comes last: with it the folder holds a run, which can be gone on with wherever a kill comes.

        Args:
            beside: writes what else the run cannot do without.
            facts: of ``run.json``, which nobody could tell later.

        Raises:
            UsageError: the folder cannot be made, or holds something already.
            FolderGone: its disk went while it was made.
        """
        try:
            self._check_free()
            self.path.mkdir(parents=True, exist_ok=True)
            with locked(self.path) as held:
                self._check_free()  # who came between has stored a configuration
                for write in (self._clear, partial(self.record, **facts), beside, partial(self.store_config, config)):
                    if write is not None:
                        write()
                        held.check()
        except OSError as error:
            raise UsageError(f"cannot make the run folder {self.path}: {error.strerror or error}") from error

    def _check_name(self) -> None:
        """A name of several lines would say on those what it likes, in everything that is said of the run."""
        if (shown := on_a_line(self.path.name)) != self.path.name:
            raise UsageError(f"the name of the run folder {shown} holds control characters or line breaks; rename it")

    def never_trained(self) -> bool:
        """Whether the run that was begun here failed before its first step, and so holds nothing to go on with."""
        facts = self.facts()
        return facts.get("status") == "failed" and not facts.get("step") and last_line(self.metrics) is None

    def _check_free(self) -> None:
        self._check_name()
        if self.holds_run() and not self.never_trained():
            raise UsageError(
                f"{self.path} holds a run already; continue it with wganx resume {self.typed}, or give another --out"
            )
        tidy(self.path)
        # A start that was killed before it stored the configuration has left no run.
        begun = {LOCK, self.facts_file.name, self.fitted.name}
        own = {path.name for path in self._own()} if self.holds_run() else begun
        if self.path.is_dir() and any(path.name not in own for path in self.path.iterdir()):
            raise UsageError(f"{self.path} is not empty; give another --out")

    def _own(self) -> list[Path]:
        """What a run leaves in its folder."""
        files = [self.config, self.facts_file, self.metrics, self.timings, self.fitted, self.evaluation, self.report]
        files += [self.listening, self.card]
        return [
            *files,
            self.samples,
            self.checkpoints,
            self.evaluations,
            self.path / LOCK,
            *self.path.glob("events.out.tfevents*"),
        ]

    def _clear(self) -> None:
        for path in sorted(self._own(), key=lambda path: path == self.config):  # until the end it holds a run
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what writers left here that were killed on the way."""
        tidy(self.path)
        for folder in (self.samples, self.evaluations):
            tidy(folder, folders=True)  # those that pictures were written aside in

    def store_config(self, config: str) -> None:
        """Write ``config.yaml``."""
        write_whole(self.config, config)

    def evaluation_of(self, step: int) -> Path:
        """Where the evaluation of a checkpoint lies, when all of them were evaluated."""
        return self.evaluation_path(step)

    def evaluation_path(self, step: int | None = None, dataset: str | None = None) -> Path:
        """Where an evaluation lies: the only one, or that of a step; on the run's own data, or on another dataset."""
        told = None if step is None else f"step-{step:06d}"
        if told is None and dataset is None:
            return self.evaluation
        # A plugin may offer a dataset whose name another one has too: plugin:name.
        named = None if dataset is None else dataset.replace(":", "-")
        return self.evaluations / f"{'-'.join(filter(None, (named, told)))}.json"

    def facts(self) -> dict[str, Any]:
        """What ``run.json`` says; empty when it is missing.

        Its ``status`` is ``running`` only while a process trains here: a run that was killed is ``interrupted``.
        """
        return as_they_are(self._stored_facts(), self.path)

    def _stored_facts(self) -> dict[str, Any]:
        try:
            return known_facts(read_json(self.facts_file))
        except (FileNotFoundError, ValueError):
            return {}

    def written_by(self) -> dict[str, str]:
        """The version of each plugin that trained here, by its name."""
        return {plugin["name"]: plugin["version"] for plugin in self.facts().get("plugins", [])}

    def record(self, **facts: Any) -> None:
        """Add to ``run.json``."""
        write_whole(self.facts_file, json_text({**self._stored_facts(), **facts}, indent=2, readable=True) + "\n")

    def note(self, message: str) -> None:
        """Add to the notes of ``run.json``, once."""
        notes = self.facts().get("notes", [])
        if message not in notes:
            self.record(notes=[*notes, message])

    def truncate_after(self, step: int) -> None:
        """Drop what the records say about later steps, and a line that was cut short."""
        for path in (self.metrics, self.timings):
            cut_after(path, step)


def _meant(path: Path) -> str:
    """The run that may have been meant: the one that `path` leads into, one of a like name, or the newest near it."""
    if around := next(filter(_is_run, path.parents), None):
        return f"; the run is {around}"
    above = next(folder for folder in (path, *path.parents, Path()) if folder.is_dir())
    with suppress(OSError):
        near = {run.name: run for place in (Path("runs"), above) if place.is_dir() for run in place.iterdir()}
        near = {name: run for name, run in near.items() if _is_run(run)}
        if close := get_close_matches(path.name, near, n=1):
            return f"; did you mean {near[close[0]]}?"
        if near:
            return f"; the newest near it is {max(near.values(), key=_touched)}"
    return ""


def _touched(run: Path) -> float:
    return RunFolder(run).facts_file.stat().st_mtime


def _is_run(path: Path) -> bool:
    return RunFolder(path).holds_run() and RunFolder(path).facts_file.is_file()


def _names(plugin: str, scenario: str, parent: Path) -> Iterator[Path]:
    """Names that say when and what: the plain one first."""
    stem = f"{datetime.now():%Y%m%d-%H%M%S}-{Path(plugin).stem.replace(':', '-')}-{scenario}"
    yield parent / stem
    yield from (parent / f"{stem}-{number}" for number in count(2))

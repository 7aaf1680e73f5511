"""Small runs that write everything there is, what they leave on the disk at every point, and how they end.

A point is a moment before a change of the disk, or half of a write. The run has logging points, previews, evaluations,
best checkpoints and periodic ones, the walk, the sliders and the report.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import wganx
from tests.reliability.disk import Event, watched
from wganx import storage
from wganx.config import Resolved, resolve
from wganx.errors import WganxError
from wganx.lock import NAME as LOCK
from wganx.plugins import discovery, load
from wganx.plugins.descriptors import Scenario
from wganx.report import page
from wganx.runs import Run, RunFolder
from wganx.runs.fitted import read_fitted

SMALL: Mapping[str, Any] = {
    "train.steps": 12, "train.batch_size": 4, "train.critic_steps": 1, "log.every": 1, "preview.every": 4,
    "preview.count": 2, "preview.walk": 2, "preview.sliders": 1, "checkpoint.every": 2, "checkpoint.keep": 1,
    "evaluate.every": 3, "evaluate.n": 8,
}  # fmt: skip
"""Best checkpoints at some of the steps 3, 6, 9 and 12, periodic ones at every second."""
CHEAPER: Mapping[str, Any] = {"dataset.count": 32, "generator.width": 8, "critic.width": 8, "critic.dropout": 0.1}
"""Where there are such options."""
OF_CLOCKS = frozenset({"seconds", "started", "commit"})
MEMORY = "/dev/shm"
"""A file system in memory, where Linux has it: a process that is killed loses nothing of what a disk was told."""


@dataclass(frozen=True)
class Small:
    """A run that is trained again and again, by `overrides` as small as can be."""

    plugin: str
    scenario: str
    overrides: Mapping[str, Any]

    def attempt(self, out: Path) -> int:
        """`train`; what it says and its exit code, as on the command line."""
        return told(partial(self.train, out))

    def begin(self, out: Path, *, resume: bool = False) -> None:
        """As ``wganx train``."""
        wganx.train(
            self.plugin, self.scenario, overrides=self.overrides, out=out, device="cpu", resume=resume, progress=False
        )

    def train(self, out: Path) -> None:
        """From the beginning, or on from where it was killed, as a person would do it."""
        if RunFolder(out).holds_run() and not RunFolder(out).never_trained():
            wganx.resume(out, progress=False)
        else:
            self.begin(out)


def told(work: Callable[[], object]) -> int:
    """What the work says and its exit code, as on the command line."""
    try:
        work()
    except (WganxError, OSError) as error:
        print(f"wganx: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, WganxError) else 1
    return 0


def smallest(plugin: str) -> Small:
    """The first scenario of a plugin that starts with what is here; those that call themselves tiny come first.

    Raises:
        WganxError: none does; the reason of the last one.
    """
    failure = WganxError(f"plugin {plugin!r} has no scenario")
    names = [scenario.name for scenario in load([plugin]).offers(Scenario)]
    for name in sorted(names, key=lambda name: (not name.endswith("-tiny"), name.endswith("-gpu"))):
        try:
            small = _overrides(resolve(plugin=plugin, scenario=name, device="cpu", environ={}))
            resolved = resolve(plugin=plugin, scenario=name, device="cpu", overrides=small, environ={})
            Run(RunFolder(Path("none")), resolved, lambda message: None).assembly.trainer  # noqa: B018 - its data is here
            return Small(plugin, name, small)
        except WganxError as error:
            failure = error
    raise failure


def _overrides(resolved: Resolved) -> dict[str, Any]:
    run = resolved.run
    pack = resolved.parts.critic.couples_rows
    values = {**SMALL, "train.batch_size": SMALL["train.batch_size"] * pack}
    for name, value in CHEAPER.items():
        section, option = name.split(".")
        if option in type(getattr(run, section)).model_fields:
            values[name] = value
    ranked = {value: name for name, chosen in resolved.metrics.items() for value in chosen.metric.better}
    values["checkpoint.best"] = best = next(iter(ranked))
    values["evaluate.metrics"] = [ranked[best]]
    return values


@dataclass(frozen=True)
class Point:
    """A moment of a run: before change number `number`, or, `torn`, with half of it made."""

    number: int
    event: Event
    torn: bool = False

    def __str__(self) -> str:
        return f"{'within' if self.torn else 'before'} {self.number}: {self.event}"


Place = tuple[Point, Path]
"""A point, and the folder with what the disk held then."""


@dataclass
class _Photographer:
    """Meets every change of a run, and keeps what the disk held at each point.

    A kill leaves just that: what the process had not told the system yet is gone, and so are its locks.

    Attributes:
        places: the points, in order, each with a folder; points at which the disk held the same share one.
    """

    folder: Path
    album: Path
    places: list[Place] = field(default_factory=list)
    _number: int = 0
    _before: str = ""

    def __call__(self, event: Event, half: Callable[[], object] | None) -> None:
        if threading.current_thread() is threading.main_thread():
            self._number += 1
            self._take(Point(self._number, event))

    def torn(self, event: Event) -> None:
        """Half of the write was made."""
        self._take(Point(self._number, event, torn=True))

    def _take(self, point: Point) -> None:
        seen = digest(self.folder)
        if not self.places or seen != self._before:
            self._before = seen
            place = self.album / str(len(self.places))
            shutil.copytree(self.folder, place, symlinks=True) if self.folder.exists() else place.mkdir(parents=True)
        else:
            place = self.places[-1][1]
        self.places.append((point, place))


@dataclass(frozen=True)
class Album:
    """A run that was trained unharmed: how it ended, and what the disk held at every point there was."""

    small: Small
    end: Mapping[str, Any]
    places: Sequence[Place]


def photograph(small: Small, scratch: Path) -> Album:
    """Train it in the folder `scratch`, twice: whatever is imported late, or kept in a cache, is there afterwards."""
    small.train(scratch / "first")
    seen = _Photographer(scratch / "whole", scratch / "album")
    with watched(seen.folder, seen, seen.torn):
        small.train(seen.folder)
    return Album(small, end_of(seen.folder), seen.places)


def digest(folder: Path) -> str:
    """Of every name and every byte below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(os.fsencode(path.relative_to(folder)) + b"\0")
        if path.is_file():
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def end_of(folder: Path) -> dict[str, Any]:
    """How a run ended: everything in its folder that the seed determines, by name."""
    run = RunFolder(folder)
    found: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes()
        for part in (run.checkpoints, run.samples, run.metrics, run.config)
        for path in ([part] if part.is_file() else sorted(part.rglob("*")))
        if path.is_file()
    }
    fitted = read_fitted(run.fitted).both  # in the file itself the order of what is said is of chance
    found |= {
        f"fitted {name}": str(getattr(value, "tolist", lambda value=value: value)()) for name, value in fitted.items()
    }
    facts = json.loads(run.facts_file.read_text(encoding="utf-8"))
    facts["data"].pop("feed")  # says how much memory was free
    found |= {f"run.json {name}": value for name, value in facts.items() if name not in OF_CLOCKS}
    found["steps timed"] = [json.loads(line)["step"] for line in run.timings.read_text(encoding="utf-8").splitlines()]
    # What took its time is said with it, and depends on the machine.
    found["run.json notes"] = [note for note in facts.get("notes", []) if " of the time up to step " not in note]
    found["report.html"] = run.report.exists()
    found["hidden"] = [str(path.relative_to(folder)) for path in folder.rglob(".*") if path.name != LOCK]
    return found


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two ends differ in, and how if it is short."""
    found = []
    for name in {**one, **other}:
        left, right = one.get(name), other.get(name)
        if isinstance(left, dict) and isinstance(right, dict):
            found += [f"{name} {difference}" for difference in differences(left, right)]
        elif left != right:
            found.append(f"{name} differs: {str(left)[:150]} and {str(right)[:150]}")
    return found


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """In memory, where that can be had."""
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as scratch:
        yield Path(scratch)


@contextmanager
def cheap() -> Iterator[None]:
    """Without what takes its time and is no matter of kills: the page's content, and looking for plugins again."""
    found = discovery.discover()
    with patch.object(page, "compose", lambda run: "<html></html>"), patch.object(discovery, "discover", lambda: found):
        yield


def no_exchange() -> Any:
    """As on Windows, and on file systems that are mounted from afar."""
    return patch.object(storage, "_system_exchange", lambda: None)

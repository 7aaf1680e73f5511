"""Runs that are killed at every change they make to the disk, and gone on with: they end as one never killed.

A point is a moment before a change, or half of a write. The run is small and has everything that writes: logging
points, previews, evaluations, a best checkpoint and periodic ones, the walk, the sliders and the report. What is
compared are the bytes of every checkpoint, of ``metrics.jsonl``, of the previews and of the mark of the best.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import wganx
from tests.reliability.disk import Event, watched
from tests.reliability.outcome import Outcome, judge
from wganx import storage
from wganx.config import Resolved, resolve
from wganx.errors import WganxError
from wganx.lock import NAME as LOCK
from wganx.plugins import discover, discovery, load
from wganx.plugins.descriptors import Scenario
from wganx.report import page
from wganx.runs import Run, RunFolder

SMALL: Mapping[str, Any] = {
    "train.steps": 8, "train.batch_size": 4, "train.critic_steps": 1, "log.every": 1, "preview.every": 4,
    "preview.count": 2, "preview.walk": 2, "preview.sliders": 1, "checkpoint.every": 2, "checkpoint.keep": 1,
    "evaluate.every": 3, "evaluate.n": 8,
}  # fmt: skip
"""Best checkpoints at some of the steps 3, 6 and 8, periodic ones at every second."""
CHEAPER: Mapping[str, Any] = {"dataset.count": 32, "generator.width": 8, "critic.width": 8, "critic.dropout": 0.1}
"""Where there are such options."""
OF_CLOCKS = frozenset({"seconds", "started", "commit"})
SECONDS = 60.0
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
        return _told(partial(self.train, out))

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


def _told(work: Callable[[], object]) -> int:
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
            run = Run(RunFolder(Path("none")), resolve(
                plugin=plugin, scenario=name, device="cpu", overrides=small, environ={}
            ), lambda message: None)  # fmt: skip
            run.assembly.trainer  # noqa: B018 - its data is here
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
class Photographer:
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


def digest(folder: Path) -> str:
    """Of every name and every byte below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(os.fsencode(path.relative_to(folder)) + b"\0")
        if path.is_file():
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def photograph(small: Small, out: Path, album: Path) -> list[Place]:
    """Train to the end, unharmed, and keep what the disk held at every point there was."""
    seen = Photographer(out, album)
    with watched(out, seen, seen.torn):
        small.train(out)
    return seen.places


def kill(small: Small, out: Path, point: Point) -> int:
    """Train `small` in a child that really dies at `point`; its exit code, that of the kill if it got there."""
    met = 0

    def die(event: Event, half: Callable[[], object] | None) -> None:
        nonlocal met
        if threading.current_thread() is threading.main_thread():
            met += 1
            if met == point.number:
                if point.torn and half is not None:
                    half()
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        _mute()
        try:
            with watched(out, die):
                small.train(out)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _mute() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)


def faults_between(folder: Path) -> list[str]:
    """What is wrong with a run that was killed and is not gone on with yet."""
    run = RunFolder(folder)
    found = ["its status is running"] if run.facts().get("status") == "running" else []
    for path in (run.metrics, run.timings):
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        found += [f"a line of {path.name} is torn" for line in lines if not _is_json(line)]
    return found


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def end_of(folder: Path) -> dict[str, Any]:
    """How a run ended: everything in its folder that the seed determines, by name."""
    run = RunFolder(folder)
    found: dict[str, Any] = {
        str(path.relative_to(folder)): path.read_bytes()
        for part in (run.checkpoints, run.samples, run.metrics, run.config, run.fitted)
        for path in ([part] if part.is_file() else sorted(part.rglob("*")))
        if path.is_file()
    }
    facts = json.loads(run.facts_file.read_text(encoding="utf-8"))
    found |= {f"run.json {name}": value for name, value in facts.items() if name not in OF_CLOCKS}
    found["steps timed"] = [json.loads(line)["step"] for line in run.timings.read_text(encoding="utf-8").splitlines()]
    # What took its time is said with it, and depends on the machine.
    found["run.json notes"] = [note for note in facts.get("notes", []) if " of the time up to step " not in note]
    found["report.html"] = run.report.exists()
    found["hidden"] = [str(path.relative_to(folder)) for path in folder.rglob(".*") if path.name != LOCK]
    return found


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What two ends differ in, and how if it is short."""
    return [
        f"{name} differs: {str(one.get(name))[:150]} and {str(other.get(name))[:150]}"
        for name in {**one, **other}
        if one.get(name) != other.get(name)
    ]


def go_on(small: Small, point: Point, out: Path, whole: Mapping[str, Any]) -> Outcome:
    """Go on with a run that was killed at `point`, and compare its end with the `whole` one's."""
    kind = f"kill, {small.plugin}"
    case = f"{small.plugin} {small.scenario}, killed {point}"
    wrong = faults_between(out)
    again = judge(kind, case, partial(small.attempt, out), writable=[out], seconds=SECONDS)
    if again.result == "refused":
        return replace(again, result="lost")
    if again.result == "survived":
        wrong += differences(whole, end_of(out))
        if wrong:
            return replace(again, result="differs", said="; ".join([*wrong, again.said])[-2000:])
    return again


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Of every installed plugin up to `count` points, all where there are no more."""
    for plugin in dict.fromkeys(found.name for found in discover()):
        try:
            small = smallest(plugin)
        except WganxError as error:
            print(f"{plugin}: {error}", file=sys.stderr)
            continue
        yield from cases_of(small, count, seed)
        if plugin == "points":
            yield from cases_of(small, count // 4, seed + 1, exchange=False)
            with scratch_folder() as scratch, cheap():
                places = photograph(small, scratch / "whole", scratch / "album")
                for number in range(len(places) // 20, len(places) * 3 // 4, len(places) // 5):
                    yield from two_at_once(small, scratch / f"two-{number}", places[number][0])


def cases_of(small: Small, count: int, seed: int, *, exchange: bool = True) -> Iterator[Outcome]:
    """Up to `count` points of one run.

    Args:
        exchange: whether the file system can give two folders each other's names in one step.
    """
    with scratch_folder() as scratch, cheap(), nullcontext() if exchange else no_exchange():
        whole = scratch / "whole"
        small.train(scratch / "first")  # whatever is imported late, or kept in a cache, is there from now on
        places = photograph(small, whole, scratch / "album")
        end = end_of(whole)
        if len(places) > count:
            chosen = random.Random(seed).sample(range(len(places)), count)
            places = [places[number] for number in sorted(chosen)]
        known: dict[Path, Outcome] = {}
        for point, place in places:
            if place not in known:
                out = scratch / "run"
                shutil.rmtree(out, ignore_errors=True)
                shutil.copytree(place, out, symlinks=True)
                known[place] = go_on(small, point, out, end)
            case = f"{small.plugin} {small.scenario}, killed {point}"
            yield replace(known[place], case=case if exchange else f"{case}, no exchange")


def no_exchange() -> Any:
    """As on Windows, and on file systems that are mounted from afar."""
    return patch.object(storage, "_system_exchange", lambda: None)


def two_at_once(small: Small, out: Path, point: Point) -> list[Outcome]:
    """While one process trains and has come to `point`, another tries to, in every way there is."""
    reached, go = os.pipe(), os.pipe()
    met = 0

    def wait(event: Event, half: Callable[[], object] | None) -> None:
        nonlocal met
        if threading.current_thread() is threading.main_thread():
            met += 1
            if met == point.number:
                os.write(reached[1], b".")
                os.read(go[0], 1)

    child = os.fork()
    if child == 0:
        _mute()
        code = 1
        try:
            with watched(out, wait):
                small.train(out)
            code = 0
        finally:
            os._exit(code)
    assert os.read(reached[0], 1)
    ways: dict[str, Callable[[], object]] = {"train": partial(small.begin, out)}
    if RunFolder(out).holds_run():
        ways |= {"train --resume": partial(small.begin, out, resume=True), "resume": partial(wganx.resume, out)}
        ways["resume --from 0"] = partial(wganx.resume, out, from_step=0)
    found = []
    for name, way in ways.items():
        before = digest(out)
        outcome = judge("two at once", f"{name}, the other {point}", partial(_told, way), writable=[out])
        if outcome.result == "survived":
            outcome = replace(outcome, result="lost", said="it trained there too")
        elif outcome.result == "refused" and digest(out) != before:
            outcome = replace(outcome, result="differs", said=f"it changed the folder; {outcome.said}")
        found.append(outcome)
    os.write(go[1], b".")
    assert os.waitpid(child, 0)[1] == 0
    for end in (*reached, *go):
        os.close(end)
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

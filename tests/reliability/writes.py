"""Disks that fail while a run is written to: full, beyond quota, read-only, broken, gone for a while, slow.

A fault begins at one change that the run makes to the disk (tests/reliability/disk.py) and stays, as they do, or
passes. Then the training ends with a clear error that names the file or its folder, the newest checkpoint is whole,
every line of the records can be read; and with the disk mended, going on ends as if there had been no fault. A fault
that costs a preview or the events of TensorBoard alone is survived, with a note; a slow disk changes nothing.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tests.reliability.disk import Event, watched
from tests.reliability.kills import faults_between
from tests.reliability.outcome import Outcome, judge
from tests.reliability.small_runs import (
    Album,
    Point,
    Small,
    cheap,
    differences,
    end_of,
    photograph,
    scratch_folder,
    smallest,
)  # fmt: skip
from wganx.engine import CheckpointStore
from wganx.errors import CheckpointError
from wganx.runs import RunFolder

SECONDS = 120.0
LASTING = 0.7
"""How many of the faults stay until the disk is mended; the others pass by themselves."""
SLOW = 0.02
"""Seconds that a slow disk takes for each change."""
FAULTS: Mapping[str, int | None] = {
    "full": errno.ENOSPC, "beyond quota": errno.EDQUOT, "read-only": errno.EROFS, "broken": errno.EIO,
    "gone": None, "slow": None,
}  # fmt: skip
_NEEDS_ROOM = frozenset({"open", "write", "fsync", "mkdir", "link", "symlink"})
"""On a full disk what is there can still be renamed and removed."""


@dataclass
class Fault:
    """Meets the changes of a run, and begins to fail at number `begins`.

    Attributes:
        stays: to the end, or at this one alone.
        took: whether a disk that went took anything with it; one on which nothing was yet is another to begin on.
    """

    name: str
    begins: int
    stays: bool
    folder: Path
    took: bool = False
    _met: int = 0

    def __call__(self, event: Event, half: Callable[[], object] | None) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        self._met += 1
        if self._met < self.begins or (self._met > self.begins and not self.stays):
            return
        if self.name == "slow":
            time.sleep(SLOW)
        elif self.name == "gone":
            if self._met == self.begins and self.folder.exists():
                # A mount that goes leaves an empty folder in its place.
                self.took = any(self.folder.iterdir())
                self.folder.rename(self.away)
                self.folder.mkdir()
        else:
            number = FAULTS[self.name]
            assert number is not None
            if number in (errno.ENOSPC, errno.EDQUOT) and event.what not in _NEEDS_ROOM:
                return
            if half is not None and self._met == self.begins:
                half()
            raise OSError(number, os.strerror(number), *self._named(event))

    @property
    def away(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-away")

    def _named(self, event: Event) -> list[str]:
        """The system names a file where it was given one, and not where it was given a descriptor."""
        return [] if event.what in ("write", "fsync", "truncate") else [str(self.folder / event.path)]

    def mend(self) -> None:
        """The disk is as it should be again."""
        if self.away.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.away.rename(self.folder)


def try_fault(small: Small, fault: Fault, point: Point, whole: Mapping[str, Any]) -> Outcome:
    """Train under a fault, look at what is left, mend the disk, go on, and compare with the `whole` one's end."""
    kind = f"disk {fault.name}"
    case = f"{small.plugin} {small.scenario}, {fault.name} {'from' if fault.stays else 'at'} {point}"
    out = fault.folder

    def train() -> int:
        with watched(out, fault):
            return small.attempt(out)

    first = judge(kind, case, train, writable=[out.parent], seconds=SECONDS)
    fault.mend()
    if not first.good:
        return first
    wrong = _wrong(first, fault, point) + faults_between(out) + _torn(out)
    again = judge(kind, case, partial(small.attempt, out), writable=[out], seconds=SECONDS)
    if not again.good:
        return again
    if again.result == "refused":
        return replace(again, result="lost")
    wrong += differences(_seen(whole, first), _seen(end_of(out), first))
    if wrong:
        return replace(first, result="differs", said="; ".join([*wrong, first.said])[-2000:])
    return replace(first, seconds=first.seconds + again.seconds)


def _wrong(first: Outcome, fault: Fault, point: Point) -> list[str]:
    """What is wrong with how a training under a fault ended."""
    if fault.name == "slow":
        return [] if first.result == "survived" else ["a slow disk ended it"]
    if first.result == "refused" and str(fault.folder) not in first.said:
        return ["it does not name the file"]
    if first.result == "refused" and ".writing" in first.said.splitlines()[-1]:
        return ["it names a file that nobody knows"]
    if first.result == "survived" and fault.took and "there is no run in" not in first.said:
        return ["it went on elsewhere"]
    return []


def _torn(folder: Path) -> list[str]:
    """The newest checkpoint must be whole."""
    store = CheckpointStore(RunFolder(folder).checkpoints)
    told: list[str] = []
    try:
        store.latest(told.append)
    except CheckpointError as error:
        told.append(str(error))
    return told


def _seen(end: Mapping[str, Any], first: Outcome) -> dict[str, Any]:
    """What must be equal: all of it after a refusal; without notes and pictures where a fault was survived."""
    if first.result == "refused":
        return {name: value for name, value in end.items() if name != "run.json notes"}
    return {name: value for name, value in end.items() if name != "run.json notes" and not name.startswith("samples")}


def cases(count: int, seed: int) -> Iterator[Outcome]:
    """Up to `count` cases of the points plugin, in turn of every kind; and full disks that are really full."""
    with scratch_folder() as scratch, cheap():
        album = photograph(smallest("points"), scratch)
        yield from really_full(album, scratch)
        yield from cases_of(album, count, seed, scratch)


def cases_of(album: Album, count: int, seed: int, scratch: Path) -> Iterator[Outcome]:
    """Faults at points chosen at random, of each kind equally many."""
    chosen = random.Random(seed)
    points = [point for point, _ in album.places if not point.torn]
    for number in range(count):
        name, point, out = list(FAULTS)[number % len(FAULTS)], chosen.choice(points), scratch / "run"
        shutil.rmtree(out, ignore_errors=True)
        slow = name == "slow"
        fault = Fault(name, 1 if slow else point.number, slow or chosen.random() < LASTING, out)
        yield try_fault(album.small, fault, point, album.end)


def really_full(album: Album, scratch: Path) -> Iterator[Outcome]:
    """Disks in memory that are too small, where this process may mount them; each a little larger than the last."""
    whole, place = scratch / "whole", scratch / "mounted"
    needed = sum(path.stat().st_blocks * 512 for path in whole.rglob("*") if path.is_file())
    place.mkdir()
    for part in (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9):
        size = int(needed * part) // 4096 * 4096
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True
        ).returncode:
            print("no tmpfs can be mounted here", file=sys.stderr)
            return
        try:
            yield _mounted(album, place, f"points, a disk of {size} bytes")
        finally:
            subprocess.run(["umount", "--lazy", place], check=True)


def _mounted(album: Album, place: Path, case: str) -> Outcome:
    out, kind, small = place / "run", "disk really full", album.small
    first = judge(kind, case, partial(small.attempt, out), writable=[place], seconds=SECONDS)
    if not first.good:
        return first
    wrong = [] if first.result == "survived" or "run" in first.said else ["it does not name the file"]
    wrong += faults_between(out) + _torn(out)
    subprocess.run(["mount", "-o", "remount,size=1g", place], check=True)
    again = judge(kind, case, partial(small.attempt, out), writable=[place], seconds=SECONDS)
    if again.result != "survived":
        return replace(again, result="lost" if again.good else again.result)
    wrong += differences(_seen(album.end, first), _seen(end_of(out), first))
    return replace(first, result="differs", said="; ".join([*wrong, first.said])[-2000:]) if wrong else first

"""What was read of a long record the last time, so that only what came since is read.

It lies in the cache, and not in the run: a run folder is as it was, and what a stranger sends holds none of it.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from wganx.places import cache_folder
from wganx.records.logged import Gathered, blocks_of
from wganx.records.thinning import MOST, Curve, Thinned
from wganx.storage import write_whole

LEAST = 32 << 20
"""Bytes of a record up to which it is read anew each time, in about a second."""
LARGEST = 64 << 20
"""Bytes of what is remembered; more was not written here."""
UNUSED_DAYS = 60
_FORMAT = 2
_COUNTS = ("first", "seen", "missing", "every")
_PARTS = ("numbers", "steps", "values")
_HEAD, _TAIL = 4 << 10, 64 << 10  # bytes by which the beginning is known again


def read_log(path: Path, problems: list[str], findings: list[dict[str, Any]]) -> dict[str, Curve]:
    """The curves of a JSON-lines file; what the health checks found goes to `findings`."""
    try:
        found = path.stat()
    except OSError:
        found = None
    if found is None or found.st_size < LEAST:
        gathered, start = Gathered(), 0
        gathered.take(blocks_of(path, problems))
    else:
        gathered, start = _recall(path, found.st_size, found.st_mtime_ns)
        known = len(problems)
        if start < found.st_size:
            gathered.take(blocks_of(path, problems, start))
        if start < found.st_size and len(problems) == known:
            _remember(path, gathered, found.st_mtime_ns)
    findings += gathered.findings
    return gathered.curves()


class ReadAlong:
    """Reads a record while it is written, some `LEAST` bytes at a time, so that its report opens at once."""

    def __init__(self, path: Path) -> None:
        self._path, self._until = path, 0

    def look(self) -> None:
        """Read on, if there is enough that is new."""
        try:
            size = self._path.stat().st_size
        except OSError:
            return
        self._until = min(self._until, size)  # it was cut where the training went back
        if size - self._until >= LEAST:
            read_log(self._path, [], [])
            self._until = size


def _place(path: Path) -> Path:
    named = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()
    return cache_folder() / "records" / f"{named[:32]}.safetensors"


def _known_by(path: Path, size: int) -> str:
    """A digest of the first and the last bytes before `size`."""
    with path.open("rb") as file:
        head = file.read(min(_HEAD, size))
        file.seek(max(size - _TAIL, 0))
        tail = file.read(min(_TAIL, size))
    return hashlib.sha256(head + tail).hexdigest()


def _recall(path: Path, size: int, written: int) -> tuple[Gathered, int]:
    """What is remembered of the file, and up to which byte; nothing where it is another one by now."""
    try:
        place = _place(path)
        if place.stat().st_size > LARGEST:
            return Gathered(), 0
        with safe_open(place, framework="numpy") as kept:
            facts = json.loads(kept.metadata()["facts"])
            until = int(facts["bytes"])
            same = until < size or (until == size and facts["written"] == written)
            if facts["format"] != _FORMAT or not same or facts["known_by"] != _known_by(path, until):
                return Gathered(), 0
            readings = {
                str(name): _unpacked(counts, *(kept.get_tensor(f"{number}/{part}") for part in _PARTS))
                for number, (name, counts) in enumerate(facts["readings"].items())
            }
        findings = [dict(finding) for finding in facts["findings"]]
        return Gathered(readings, findings, int(facts["entries"])), until
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError):
        return Gathered(), 0


def _remember(path: Path, gathered: Gathered, written: int) -> None:
    """Keep what was read, if the file ends in a whole line and is as it was when it was read."""
    with suppress(OSError):
        now = path.stat()
        if now.st_mtime_ns != written or not _ends_in_a_line(path, now.st_size):
            return
        facts = {
            "format": _FORMAT,
            "bytes": now.st_size,
            "written": written,
            "known_by": _known_by(path, now.st_size),
            "entries": gathered.entries,
            "findings": gathered.findings,
            "readings": {name: _counts(each) for name, each in gathered.readings.items()},
        }
        arrays = {
            f"{number}/{part}": getattr(each, part)
            for number, each in enumerate(gathered.readings.values())
            for part in _PARTS
        }
        place = _place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, save(arrays, {"facts": json.dumps(facts)}))
        _tidy(place)


def _ends_in_a_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _tidy(place: Path) -> None:
    """Remove what was not used for long."""
    for other in place.parent.iterdir():
        if other != place and time.time() - other.stat().st_mtime > UNUSED_DAYS * 24 * 3600:
            other.unlink(missing_ok=True)


def _counts(each: Thinned) -> dict[str, int]:
    each.settle()
    return {name: getattr(each, name) for name in _COUNTS}


def _unpacked(
    counts: Mapping[str, Any], numbers: NDArray[np.int64], steps: NDArray[np.int64], values: NDArray[np.float64]
) -> Thinned:
    """As it was kept.

    Raises:
        ValueError: it is not what was kept here.
    """
    first, seen, missing, every = (counts[name] for name in _COUNTS)
    if not all(type(count) is int and count >= 0 for count in (first, seen, missing, every)) or not every:
        raise ValueError("counts")
    if [each.dtype for each in (numbers, steps, values)] != [np.int64, np.int64, np.float64]:
        raise ValueError("kinds of numbers")
    if not numbers.shape == steps.shape == values.shape == (len(numbers),) or len(numbers) > 4 * (MOST + 1):
        raise ValueError("lengths")
    if len(steps) and steps.min() < 0:
        raise ValueError("steps")
    return Thinned(first, seen, missing, every, numbers, steps, values)

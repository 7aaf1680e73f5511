"""What was read of a long record the last time, so that only what came since is read.

It lies in the cache, and not in the run: a run folder is as it was, and what a stranger sends holds none of it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wganx.places import cache_folder
from wganx.records.logged import Gathered, blocks_of
from wganx.records.thinning import MOST, Curve, Thinned
from wganx.storage import write_whole

LEAST = 32 << 20
"""Bytes of a record up to which it is read anew each time, in about a second."""
LARGEST = 64 << 20
"""Bytes of what is remembered; more was not written here."""
UNUSED_DAYS = 60
_FORMAT = 1
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
    return cache_folder() / "records" / f"{named[:32]}.json"


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
        kept = json.loads(place.read_text(encoding="ascii"))
        until = int(kept["bytes"])
        same = until < size or (until == size and kept["written"] == written)
        if kept["format"] != _FORMAT or not same or kept["known_by"] != _known_by(path, until):
            return Gathered(), 0
        readings = {str(name): _unpacked(values) for name, values in kept["readings"].items()}
        findings = [dict(finding) for finding in kept["findings"]]
        return Gathered(readings, findings, int(kept["entries"])), until
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Gathered(), 0


def _remember(path: Path, gathered: Gathered, written: int) -> None:
    """Keep what was read, if the file ends in a whole line and is as it was when it was read."""
    with suppress(OSError):
        now = path.stat()
        if now.st_mtime_ns != written or not _ends_in_a_line(path, now.st_size):
            return
        kept = {
            "format": _FORMAT,
            "bytes": now.st_size,
            "written": written,
            "known_by": _known_by(path, now.st_size),
            "entries": gathered.entries,
            "findings": gathered.findings,
            "readings": {name: _packed(each) for name, each in gathered.readings.items()},
        }
        place = _place(path)
        place.parent.mkdir(parents=True, exist_ok=True)
        write_whole(place, json.dumps(kept))
        _tidy(place)


def _ends_in_a_line(path: Path, size: int) -> bool:
    with path.open("rb") as file:
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _tidy(place: Path) -> None:
    """Remove what was not used for long."""
    for other in place.parent.glob("*.json"):
        if other != place and time.time() - other.stat().st_mtime > UNUSED_DAYS * 24 * 3600:
            other.unlink(missing_ok=True)


def _packed(each: Thinned) -> dict[str, Any]:
    each.settle()
    arrays = {"numbers": each.numbers, "steps": each.steps, "values": each.values}
    text = {name: base64.b64encode(array.tobytes()).decode("ascii") for name, array in arrays.items()}
    return {"first": each.first, "seen": each.seen, "missing": each.missing, "every": each.every, **text}


def _unpacked(kept: Mapping[str, Any]) -> Thinned:
    """As it was kept.

    Raises:
        ValueError: it is not what was kept here.
    """
    numbers, steps = (_array(kept[name]).view(np.int64) for name in ("numbers", "steps"))
    values = _array(kept["values"]).view(np.float64)
    first, seen, missing, every = (kept[name] for name in ("first", "seen", "missing", "every"))
    if not all(type(count) is int and count >= 0 for count in (first, seen, missing, every)) or not every:
        raise ValueError("counts")
    if not len(numbers) == len(steps) == len(values) <= 4 * (MOST + 1) or (len(steps) and steps.min() < 0):
        raise ValueError("lengths")
    return Thinned(first, seen, missing, every, numbers, steps, values)


def _array(text: str) -> NDArray[np.uint64]:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype=np.uint64)

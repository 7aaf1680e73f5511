"""What was logged, line by line, as curves over the steps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wganx.plain import HUGE, first_line, mapping, number, printable
from wganx.records.lines import blocks_of_lines, parsed
from wganx.records.thinning import Curve, Thinned
from wganx.stored import open_file

BLOCK = 1 << 20
"""Bytes that are read at a time."""


def blocks_of(path: Path, problems: list[str], start: int = 0) -> Iterator[list[dict[str, Any]]]:
    """The objects of a JSON-lines file from byte `start` on, many at a time.

    A torn last line is the mark of a killed run and only noted.
    """
    damaged, torn = 0, False
    try:
        with open_file(path) as file:
            file.seek(start)
            for lines in blocks_of_lines(file, BLOCK):
                entries, bad = _objects(lines)
                torn = bool(bad) and bad[-1] == len(lines) - 1
                damaged += len(bad)
                yield entries
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(f"{path.name} cannot be read ({first_line(error)}).")
    if torn:
        damaged -= 1
        problems.append(f"The last line of {path.name} is cut off, as when a run is killed; it is left out.")
    if damaged:
        problems.append(f"{damaged} damaged line{'s' * (damaged > 1)} of {path.name} left out.")


def _objects(lines: Sequence[bytes]) -> tuple[list[dict[str, Any]], list[int]]:
    """What lines hold, and which of them are damaged."""
    entries = parsed(b"[" + b",".join(lines) + b"]")  # all at once, which is faster than one by one
    if isinstance(entries, list) and len(entries) == len(lines) and all(isinstance(e, dict) for e in entries):
        return entries, []
    each = {place: parsed(line) for place, line in enumerate(lines) if line.strip()}
    good = [entry for entry in each.values() if isinstance(entry, dict)]
    return good, [place for place, entry in each.items() if not isinstance(entry, dict)]


def _findings(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if not (found := mapping(entry.get("health"))).get("code"):
            continue
        if (step := number(entry.get("step"))) is not None:
            yield {"step": int(step), **found}


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Readings of one quantity: where in the file they stand, their steps, their values."""


@dataclass
class Gathered:
    """What was read so far: readings by name, what the health checks found, and how many entries there were."""

    readings: dict[str, Thinned] = field(default_factory=dict)
    findings: list[dict[str, Any]] = field(default_factory=list)
    entries: int = 0

    def take(self, blocks: Iterable[list[dict[str, Any]]]) -> None:
        """Read on."""
        for entries in blocks:
            self.findings += _findings(entries)
            parts: dict[str, list[_Part]] = defaultdict(list)
            for name, part in _columns(entries, self.entries):
                parts[name].append(part)
            for name, found in parts.items():
                places, steps, values = found[0] if len(found) == 1 else _in_file_order(found)
                self.readings.setdefault(name, Thinned(int(places[0]))).add(steps, values)
            self.entries += len(entries)

    def curves(self) -> dict[str, Curve]:
        """Readings by name, in the order of their first ones.

        After a roll-back steps come twice: the later reading is the one that counts. Of more than 8,192 readings the
        least, the greatest and the last of each stretch are there, and those that were not finite are counted.
        """
        order = sorted(self.readings, key=lambda name: self.readings[name].first)
        return {name: self.readings[name].curve() for name in order}


def curves_of(blocks: Iterable[list[dict[str, Any]]], findings: list[dict[str, Any]]) -> dict[str, Curve]:
    """The curves of what `blocks` hold; what the health checks found goes to `findings`."""
    gathered = Gathered(findings=findings)
    gathered.take(blocks)
    return gathered.curves()


def _columns(entries: Sequence[dict[str, Any]], begun: int) -> Iterator[tuple[str, _Part]]:
    """Entries of the same keys as columns: long runs have hundreds of thousands of them."""
    alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, entry in enumerate(entries):
        alike[tuple(entry)].append(place)
    for keys, places in alike.items():
        if "step" not in keys:
            continue
        columns = dict(zip(keys, zip(*(entries[place].values() for place in places))))
        steps = _readings(columns.pop("step"))
        placed = np.isfinite(steps) & (steps >= 0)
        for name, column in columns.items():
            there = placed & _is_reading(column)
            if there.any():
                where = np.array(places, dtype=np.int64)[there] + begun
                yield printable(name), (where, steps[there].astype(np.int64), _readings(column)[there])


def _in_file_order(parts: Sequence[_Part]) -> _Part:
    places, steps, values = (np.concatenate(each) for each in zip(*parts))
    order = np.argsort(places)
    return places[order], steps[order], values[order]


def _readings(column: Sequence[object]) -> NDArray[np.float64]:
    """A column as numbers, NaN where there is none that can be used."""
    try:
        values = np.array(column if _is_plain(column) else [number(each) for each in column], dtype=np.float64)
    except OverflowError:  # a whole number beyond what a float holds
        values = np.array([number(each) for each in column], dtype=np.float64)
    return np.where(np.abs(values) < HUGE, values, np.nan)


def _is_reading(column: Sequence[object]) -> NDArray[np.bool_]:
    """Where a column holds a number, or the ``null`` of one that was not finite."""
    if _is_plain(column):
        return np.ones(len(column), dtype=bool)
    return np.array([_is_plain([each]) for each in column])


def _is_plain(column: Sequence[object]) -> bool:
    return set(map(type, column)) <= {int, float, type(None)}

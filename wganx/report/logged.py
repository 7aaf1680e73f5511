"""What was logged, line by line, as curves over the steps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wganx.report.plain import HUGE, first_line, mapping, number, printable

BLOCK = 4_000


@dataclass(frozen=True)
class Curve:
    """One quantity over the steps: rising `steps` (K,) and `values` (K,), NaN where a reading was not finite."""

    steps: NDArray[np.int64]
    values: NDArray[np.float64]

    @property
    def finite(self) -> NDArray[np.float64]:
        """The readings that are numbers."""
        return self.values[np.isfinite(self.values)]


def blocks_of(path: Path, problems: list[str]) -> Iterator[list[dict[str, Any]]]:
    """The objects of a JSON-lines file, many at a time; a torn last line is the mark of a killed run and only noted."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append(f"{path.name} cannot be read ({first_line(error)}).")
        return
    damaged = 0
    for start in range(0, len(lines), BLOCK):
        block = lines[start : start + BLOCK]
        entries = _parsed("[" + ",".join(block) + "]")  # all at once, which is faster than one by one
        if isinstance(entries, list) and len(entries) == len(block) and all(isinstance(e, dict) for e in entries):
            yield entries
            continue
        places = [place for place, line in enumerate(block, start=start + 1) if line.strip()]
        entries = [_parsed(lines[place - 1]) for place in places]
        yield [entry for entry in entries if isinstance(entry, dict)]
        bad = [place for place, entry in zip(places, entries) if not isinstance(entry, dict)]
        if len(lines) in bad:
            problems.append(f"The last line of {path.name} is cut off, as when a run is killed; it is left out.")
        damaged += len(set(bad) - {len(lines)})
    if damaged:
        problems.append(f"{damaged} damaged line{'s' * (damaged > 1)} of {path.name} left out.")


def _parsed(text: str) -> object:
    """What JSON says, or None."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _findings(entries: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if not (found := mapping(entry.get("health"))).get("code"):
            continue
        if (step := number(entry.get("step"))) is not None:
            yield {"step": int(step), **found}


_Part = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Readings of one quantity: where in the file they stand, their steps, their values."""


def curves_of(blocks: Iterable[list[dict[str, Any]]], findings: list[dict[str, Any]]) -> dict[str, Curve]:
    """Readings by name; what the health checks found goes to `findings`.

    After a roll-back steps come twice: the later reading is the one that counts.
    """
    readings: dict[str, list[_Part]] = defaultdict(list)
    begun = 0
    for entries in blocks:
        findings += _findings(entries)
        for name, part in _columns(entries, begun):
            readings[name].append(part)
        begun += len(entries)
    order = sorted(readings, key=lambda name: min(int(places[0]) for places, *_ in readings[name]))
    return {name: _by_step(readings[name]) for name in order}


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


def _by_step(parts: Sequence[_Part]) -> Curve:
    places, steps, values = (np.concatenate(each) for each in zip(*parts))
    order = np.lexsort((places, steps))
    steps, values = steps[order], values[order]
    latest = np.append(steps[1:] != steps[:-1], True)
    return Curve(steps[latest], values[latest])


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

"""What became of a run, read from its folder: numbers with their protocol, cost, and whether it failed and why."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Literal

from wganx.errors import UsageError
from wganx.evaluation.stored import read_evaluation
from wganx.experiments import Clock, training_clock
from wganx.records import read_lines
from wganx.runs import RunFolder
from wganx.stored import read_yaml

Status = Literal["done", "failed", "open"]

FAILED = "it was stopped by an error, or a value shown is not finite, or its samples had collapsed when it ended"
"""The rule by which a run of its own counts as failed; beside it, one worse than the ceiling."""

_COLLAPSE = "WX030"


@dataclass(frozen=True)
class Value:
    """One number of an evaluation: of the generator, of real samples (the floor), of the trivial solutions."""

    generated: float
    better: Literal["lower", "higher"] | None
    floor: float
    baselines: Mapping[str, float]
    interval: tuple[float, float] | None = None

    @property
    def ceiling(self) -> float | None:
        """What every trivial solution reaches: the worst of them; None without any."""
        known = [value for value in self.baselines.values() if math.isfinite(value)]
        if not known or self.better is None:
            return None
        return max(known) if self.better == "lower" else min(known)


@dataclass(frozen=True)
class Cost:
    """What the training took.

    Attributes:
        per_step: median seconds a step, over the intervals between logging points.
        spread: their quartiles; None below 4 intervals.
        memory: the most bytes its process had; None where nobody looked.
    """

    seconds: float
    steps: int
    per_step: float | None
    spread: tuple[float, float] | None
    memory: int | None


@dataclass(frozen=True)
class Outcome:
    """A run as a comparison sees it.

    Attributes:
        folder: of the run.
        seed: of the run.
        status: ``open`` while it is neither finished and measured, nor failed.
        reason: why it counts as failed; empty otherwise.
        values: by ``metric/value``.
        record: ``evaluation.json``.
        curves: values over the steps by ``metric/value``, and the clock they are told the seconds of.
    """

    folder: Path
    seed: int
    status: Status
    reason: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)
    cost: Cost | None = None
    curves: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def seconds_to(self, name: str, score: float) -> float | None:
        """Training seconds up to the first evaluation at which a value was at least as good; None if it never was."""
        value = self.values.get(name)
        if value is None:
            return None
        for step, reading in self.curves.get(name, ()):
            if reading <= score if value.better == "lower" else reading >= score:
                return self.clock.at(step)
        return None


def read_outcome(folder: RunFolder, failure: str | None = None) -> Outcome:
    """The outcome of a run folder, which may not be there yet; `failure` says why its process failed, if it did."""
    facts, config = folder.facts(), read_config(folder)
    seed = int(config.get("seed", facts.get("seed", 0)) or 0)
    record = _read_record(folder)
    clock = training_clock(folder)
    values = {f"{row['metric']}/{row['value']}": _value(row) for row in record.get("rows", [])}
    finished = facts.get("status") == "finished" and bool(record)
    reason = failure or ""
    if not finished and facts.get("status") == "failed":
        reason = reason or str(facts.get("error") or "its training failed")
    if finished:
        reason = _collapsed(folder)
    status: Status = "failed" if reason else "done" if finished else "open"
    return Outcome(
        folder.path, seed, status, reason, values, record, _cost(folder, facts, clock), _curves(folder), clock
    )


def read_config(folder: RunFolder) -> dict[str, Any]:
    """``config.yaml`` as plain values; empty where there is none."""
    try:
        found = read_yaml(folder.config)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _collapsed(folder: RunFolder) -> str:
    """What the health check of collapsed samples still said when the training ended."""
    standing: dict[str, str] = {}
    for line in read_lines(folder.metrics, saying=_COLLAPSE):
        if "health" in line and line["health"]["code"] == _COLLAPSE:
            standing[_COLLAPSE] = line["health"]["text"] or ""
    return f"{_COLLAPSE} {standing[_COLLAPSE]}" if standing.get(_COLLAPSE) else ""


def _read_record(folder: RunFolder) -> dict[str, Any]:
    try:
        return read_evaluation(folder.evaluation)
    except OSError:
        return {}
    except ValueError as error:
        raise UsageError(f"{folder.evaluation} cannot be read; evaluate the run again: {error}") from error


def _value(row: Mapping[str, Any]) -> Value:
    interval = row.get("interval")
    return Value(
        generated=_number(row.get("generated")),
        better=row.get("better"),
        floor=_number(row.get("floor")),
        baselines={name: _number(value) for name, value in (row.get("baselines") or {}).items()},
        interval=(_number(interval[0]), _number(interval[1])) if interval else None,
    )


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _cost(folder: RunFolder, facts: Mapping[str, Any], clock: Clock) -> Cost | None:
    pace = clock.per_step()
    if not pace:
        return None
    quartiles = quantiles(pace, n=4) if len(pace) >= 4 else None
    return Cost(
        seconds=clock.spent,
        steps=clock.steps[-1],
        per_step=median(pace),
        spread=(quartiles[0], quartiles[2]) if quartiles else None,
        memory=facts.get("peak_memory") or None,
    )


def _curves(folder: RunFolder) -> dict[str, tuple[tuple[int, float], ...]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for line in read_lines(folder.metrics, saying='"evaluate/'):
        for name, value in line.items():
            if name.startswith("evaluate/") and isinstance(value, int | float):
                found.setdefault(name.removeprefix("evaluate/"), []).append((line["step"], float(value)))
    return {name: tuple(readings) for name, readings in found.items()}

"""The evaluation as a table: this run between the floor and the trivial baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wganx.report.charts import figure
from wganx.report.reading import mapping, number, printable

MOST_ROWS = 200
MOST_BASELINES = 8


@dataclass(frozen=True)
class Mark:
    """A value on a row's scale, in percent from its left end: ``run``, ``floor`` or ``baseline``."""

    kind: str
    name: str
    place: float


@dataclass(frozen=True)
class Row:
    """One number: its name, which way is better, the run's value, the floor, and the baselines in column order."""

    metric: str
    value: str
    better: str
    generated: str
    floor: str
    baselines: tuple[str, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Table:
    """The rows of an evaluation and its protocol; `baselines` heads their columns, the counts say what is not shown."""

    rows: tuple[Row, ...]
    baselines: tuple[str, ...]
    protocol: tuple[tuple[str, str], ...]
    rows_left_out: int
    baselines_left_out: int


def metrics_table(evaluation: Mapping[str, Any]) -> Table:
    """The table of an evaluation.json; what is missing in it shows as a dash."""
    rows = evaluation.get("rows")
    entries = [entry for entry in rows if isinstance(entry, dict)] if isinstance(rows, list) else []
    names = list(dict.fromkeys(name for entry in entries for name in mapping(entry.get("baselines"))))
    columns = names[:MOST_BASELINES]
    protocol = tuple(
        (label, figure(number(evaluation[key])) if number(evaluation[key]) is not None else printable(evaluation[key]))
        for key, label in (("step", "step"), ("n", "samples"), ("seed", "seed"))
        if evaluation.get(key) is not None
    )
    return Table(
        rows=tuple(_row(entry, columns) for entry in entries[:MOST_ROWS]),
        baselines=tuple(printable(name) for name in columns),
        protocol=protocol,
        rows_left_out=max(0, len(entries) - MOST_ROWS),
        baselines_left_out=len(names) - len(columns),
    )


def _row(entry: Mapping[str, Any], columns: list[str]) -> Row:
    baselines = mapping(entry.get("baselines"))
    better = entry.get("better")
    return Row(
        metric=printable(entry.get("metric", "?")),
        value=printable(entry.get("value", "?")),
        better=better if better in ("lower", "higher") else "",
        generated=figure(number(entry.get("generated"))),
        floor=figure(number(entry.get("floor"))),
        baselines=tuple(figure(number(baselines.get(name))) for name in columns),
        marks=_marks(entry, {name: baselines.get(name) for name in columns}),
    )


def _marks(entry: Mapping[str, Any], baselines: Mapping[str, Any]) -> tuple[Mark, ...]:
    """The row on a scale of its own, if it has something to stand against."""
    values = [("baseline", printable(name), number(value)) for name, value in baselines.items()]
    values += [("floor", "floor", number(entry.get("floor"))), ("run", "this run", number(entry.get("generated")))]
    known = [(kind, name, value) for kind, name, value in values if value is not None]
    low, high = min((v for *_, v in known), default=0.0), max((v for *_, v in known), default=0.0)
    if not high > low or number(entry.get("generated")) is None:
        return ()
    return tuple(Mark(kind, name, round(100 * (value - low) / (high - low), 2)) for kind, name, value in known)

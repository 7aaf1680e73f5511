"""The evaluation as a table: this run between the floor and the trivial baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wganx.report.charts import figure
from wganx.report.reading import mapping, number, printable

MOST_ROWS = 200
MOST_BASELINES = 8
MOST_EXTRACTORS = 8
SHORT = 12  # letters of a checksum or fingerprint: enough to compare two pages by eye
PROTOCOL = (
    ("step", "step"),
    ("n", "samples"),
    ("reference_n", "held-out samples"),
    ("repeats", "repeats"),
    ("seed", "seed"),
    ("heldout", "held out"),
    ("fingerprint", "data"),
)


@dataclass(frozen=True)
class Mark:
    """A value on a row's scale, in percent from its left end: ``run``, ``floor`` or ``baseline``."""

    kind: str
    name: str
    place: float


@dataclass(frozen=True)
class Row:
    """One number: its name, which way is better, the run's value, the floor, and the baselines in column order.

    The run's value and what it has above the floor come with their 95 % interval where there is one.
    """

    metric: str
    value: str
    better: str
    generated: str
    excess: str
    floor: str
    baselines: tuple[str, ...]
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Table:
    """The rows of an evaluation and its protocol; `baselines` heads their columns, the counts say what is not shown.

    `extractors` are the networks whose features were compared, with the start of their weights' checksum.
    """

    rows: tuple[Row, ...]
    baselines: tuple[str, ...]
    protocol: tuple[tuple[str, str], ...]
    extractors: tuple[str, ...]
    has_intervals: bool
    has_excess: bool
    rows_left_out: int
    baselines_left_out: int


def metrics_table(evaluation: Mapping[str, Any]) -> Table:
    """The table of an evaluation.json; what is missing in it shows as a dash."""
    rows = evaluation.get("rows")
    entries = [entry for entry in rows if isinstance(entry, dict)] if isinstance(rows, list) else []
    names = list(dict.fromkeys(name for entry in entries for name in mapping(entry.get("baselines"))))
    columns = names[:MOST_BASELINES]
    shown = tuple(_row(entry, columns) for entry in entries[:MOST_ROWS])
    return Table(
        rows=shown,
        baselines=tuple(printable(name) for name in columns),
        protocol=_protocol(evaluation),
        extractors=tuple(
            f"{printable(name)} {printable(checksum)[:SHORT] if checksum else ''}".strip()
            for name, checksum in list(mapping(evaluation.get("extractors")).items())[:MOST_EXTRACTORS]
        ),
        has_intervals=any("[" in row.generated + row.excess for row in shown),
        has_excess=any(row.excess for row in shown),
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
        generated=_with_interval(entry.get("generated"), entry.get("interval")),
        excess=_excess(entry.get("excess")),
        floor=figure(number(entry.get("floor"))),
        baselines=tuple(figure(number(baselines.get(name))) for name in columns),
        marks=_marks(entry, {name: baselines.get(name) for name in columns}),
    )


def _protocol(evaluation: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """How the numbers were taken, as pairs of name and text: what the file tells of it."""
    told = []
    for key, label in PROTOCOL:
        value = evaluation.get(key)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        size = number(value)
        text = printable(value) if size is None else figure(size)
        told.append((label, text[:SHORT] if key == "fingerprint" else text))
    return tuple(told)


def _with_interval(value: object, interval: object) -> str:
    """The value, and the ends of its interval behind it if it has two."""
    ends = [number(end) for end in interval] if isinstance(interval, list) else []
    text = figure(number(value))
    if len(ends) != 2 or None in ends:
        return text
    return f"{text} [{figure(ends[0])}, {figure(ends[1])}]"


def _excess(excess: object) -> str:
    if not isinstance(excess, list) or len(excess) != 3 or number(excess[0]) is None:
        return ""
    return _with_interval(excess[0], excess[1:])


def _marks(entry: Mapping[str, Any], baselines: Mapping[str, Any]) -> tuple[Mark, ...]:
    """The row on a scale of its own, if it has something to stand against."""
    values = [("baseline", printable(name), number(value)) for name, value in baselines.items()]
    values += [("floor", "floor", number(entry.get("floor"))), ("run", "this run", number(entry.get("generated")))]
    known = [(kind, name, value) for kind, name, value in values if value is not None]
    low, high = min((v for *_, v in known), default=0.0), max((v for *_, v in known), default=0.0)
    if not high > low or number(entry.get("generated")) is None:
        return ()
    return tuple(Mark(kind, name, round(100 * (value - low) / (high - low), 2)) for kind, name, value in known)

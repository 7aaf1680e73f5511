"""The evaluation as a table: this run between the floor and the trivial baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wganx.plain import mapping, number, printable
from wganx.report.wording import figure

MOST_ROWS = 200
MOST_BASELINES = 8
MOST_EXTRACTORS = 8
MOST_DETAILS = 60
MOST_CLASSES = 100
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

    The run's value and what it has above the floor come with their 95 % interval where there is one; `whisker` is
    that interval on the scale of the `marks`. `n` and `extractor` are of this number alone, or empty. `beaten_by` are
    the baselines that a decisive metric ranks no lower.
    """

    metric: str
    value: str
    better: str
    generated: str
    excess: str
    floor: str
    baselines: tuple[str, ...]
    n: str
    extractor: str
    beaten_by: tuple[str, ...]
    marks: tuple[Mark, ...]
    whisker: tuple[float, float] | None


@dataclass(frozen=True)
class Cell:
    """A number of a class, and its share of the largest one of its column in percent."""

    text: str
    share: float


@dataclass(frozen=True)
class PerClass:
    """Numbers by class: `rows` are pairs of a class and its cells in the order of `columns`."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    left_out: int


@dataclass(frozen=True)
class Table:
    """The rows of an evaluation and its protocol; `baselines` heads their columns, the counts say what is not shown.

    `extractors` are the networks whose features were compared, with the start of their weights' checksum;
    `unmeasured` the metrics that were skipped or failed, each with the reason; `details` the rest of the protocol.
    """

    rows: tuple[Row, ...]
    unmeasured: tuple[tuple[str, str], ...]
    baselines: tuple[str, ...]
    protocol: tuple[tuple[str, str], ...]
    extractors: tuple[str, ...]
    has_intervals: bool
    has_excess: bool
    has_n: bool
    has_extractor: bool
    rows_left_out: int
    baselines_left_out: int
    details: tuple[tuple[str, str], ...]
    per_class: PerClass | None

    @property
    def columns(self) -> int:
        """How many columns stand behind the names of the metrics."""
        return 4 + len(self.baselines) + self.has_excess + self.has_n + self.has_extractor


def metrics_table(evaluation: Mapping[str, Any]) -> Table:
    """The table of an evaluation.json; what is missing in it shows as a dash."""
    rows = evaluation.get("rows")
    entries = [entry for entry in rows if isinstance(entry, dict)] if isinstance(rows, list) else []
    names = list(dict.fromkeys(name for entry in entries for name in mapping(entry.get("baselines"))))
    columns = names[:MOST_BASELINES]
    n = number(evaluation.get("n")) if any(number(entry.get("n")) is not None for entry in entries) else None
    shown = tuple(_row(entry, columns, n) for entry in entries[:MOST_ROWS])
    return Table(
        rows=shown,
        unmeasured=tuple(_unmeasured(evaluation))[:MOST_ROWS],
        baselines=tuple(printable(name) for name in columns),
        protocol=_protocol(evaluation),
        extractors=tuple(
            f"{printable(name)} {printable(checksum)[:SHORT] if checksum else ''}".strip()
            for name, checksum in list(mapping(evaluation.get("extractors")).items())[:MOST_EXTRACTORS]
        ),
        has_intervals=any("[" in row.generated + row.excess for row in shown),
        has_excess=any(row.excess for row in shown),
        has_n=any(row.n for row in shown),
        has_extractor=any(row.extractor for row in shown),
        rows_left_out=max(0, len(entries) - MOST_ROWS),
        baselines_left_out=len(names) - len(columns),
        details=_details(evaluation),
        per_class=_per_class(evaluation),
    )


def _unmeasured(evaluation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, word in (("skipped", "skipped"), ("failures", "failed")):
        for name, reason in mapping(evaluation.get(key)).items():
            yield printable(name), f"{word}: {printable(reason)}"


def _details(evaluation: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = list(mapping(evaluation.get("protocol")).items())[:MOST_DETAILS]
    return tuple((printable(name), _plain(value)) for name, value in told)


def _plain(value: object) -> str:
    size = number(value)
    return printable(value) if size is None and value is not None else figure(size)


def _per_class(evaluation: Mapping[str, Any]) -> PerClass | None:
    """The table of ``{value: {class: number}}``; classes in the order of their first appearance."""
    found = {name: mapping(numbers) for name, numbers in mapping(evaluation.get("per_class")).items()}
    columns = [name for name, numbers in found.items() if numbers][:MOST_BASELINES]
    classes = list(dict.fromkeys(name for column in columns for name in found[column]))
    if not classes:
        return None
    largest = {c: max((abs(number(v) or 0.0) for v in found[c].values()), default=0.0) or 1.0 for c in columns}

    def cell(column: str, name: str) -> Cell:
        value = number(found[column].get(name))
        return Cell(figure(value), round(100 * abs(value or 0.0) / largest[column], 1))

    rows = tuple((printable(name), tuple(cell(column, name) for column in columns)) for name in classes[:MOST_CLASSES])
    return PerClass(tuple(map(printable, columns)), rows, max(0, len(classes) - MOST_CLASSES))


def _row(entry: Mapping[str, Any], columns: list[str], n: float | None) -> Row:
    """`n` stands for rows that name none of their own, where others do."""
    baselines = mapping(entry.get("baselines"))
    better = entry.get("better")
    own_n = n if number(entry.get("n")) is None else number(entry.get("n"))
    marks, whisker = _scale(entry, {name: baselines.get(name) for name in columns})
    return Row(
        metric=printable(entry.get("metric", "?")),
        value=printable(entry.get("value", "?")),
        better=better if better in ("lower", "higher") else "",
        generated=_with_interval(entry.get("generated"), entry.get("interval")),
        excess=_excess(entry.get("excess")),
        floor=figure(number(entry.get("floor"))),
        baselines=tuple(figure(number(baselines.get(name))) for name in columns),
        n="" if own_n is None else figure(own_n),
        extractor=printable(entry.get("extractor") or ""),
        beaten_by=tuple(map(printable, beaten if isinstance(beaten := entry.get("beaten_by"), list) else ())),
        marks=marks,
        whisker=whisker,
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


def ends_of(interval: object) -> tuple[float, float] | None:
    """Both ends of an interval, if that is what it is."""
    ends = [number(end) for end in interval] if isinstance(interval, list) else []
    low, high = ends if len(ends) == 2 else (None, None)
    return None if low is None or high is None else (low, high)


def _with_interval(value: object, interval: object) -> str:
    """The value, and the ends of its interval behind it if it has two."""
    ends, text = ends_of(interval), figure(number(value))
    return text if ends is None else f"{text} [{figure(ends[0])}, {figure(ends[1])}]"


def _excess(excess: object) -> str:
    if not isinstance(excess, list) or len(excess) != 3 or number(excess[0]) is None:
        return ""
    return _with_interval(excess[0], excess[1:])


def _scale(
    entry: Mapping[str, Any], baselines: Mapping[str, Any]
) -> tuple[tuple[Mark, ...], tuple[float, float] | None]:
    """The row's marks and its interval on a scale of its own, if it has something to stand against."""
    values = [("baseline", printable(name), number(value)) for name, value in baselines.items()]
    values += [("floor", "floor", number(entry.get("floor"))), ("run", "this run", number(entry.get("generated")))]
    known = [(kind, name, value) for kind, name, value in values if value is not None]
    interval = ends_of(entry.get("interval"))
    ends = [value for *_, value in known] + list(interval or ())
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    if len(known) < 2 or not high > low or number(entry.get("generated")) is None:
        return (), None

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    marks = tuple(Mark(kind, name, place(value)) for kind, name, value in known)
    return marks, None if interval is None else (place(interval[0]), place(interval[1]))

"""Evaluations as tables in a terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wganx.evaluation import Evaluation, Row

_ARROWS = {"higher": " ↑", "lower": " ↓"}


def evaluation_table(evaluation: Evaluation, width: int) -> Table:
    """A row a value, between its floor and the baselines; where these do not fit, the worst of them is the ceiling."""
    names = list(dict.fromkeys(name for row in evaluation.rows for name in row.baselines))
    whole = _table(evaluation, {name: partial(_baseline, name) for name in names})
    if not names or _width(whole) <= width:
        return whole
    table = _table(evaluation, {"ceiling": _worst})
    table.caption = escape(f"ceiling: the worst of {', '.join(names)}; each is in the report, --json and --csv")
    return table


def curve_table(found: Sequence[Evaluation]) -> Table:
    """A row a value, a column a step."""
    table = _plain(f"{found[0].n} held-out rows a side, {found[0].repeats} times")
    for evaluation in found:
        table.add_column(f"step {evaluation.step}", justify="right")
    table.add_column("floor", justify="right")
    rows = {(row.metric, row.value): row for evaluation in found for row in evaluation.rows}
    by_step = [{(row.metric, row.value): row.generated for row in evaluation.rows} for evaluation in found]
    for (key, row), name in zip(rows.items(), _value_names(list(rows.values()))):
        table.add_row(escape(name), *(_figure(step.get(key)) for step in by_step), _figure(row.floor))
    return table


def notes(evaluation: Evaluation) -> Iterator[str]:
    """What the numbers are, whose features they stand on, and what is missing."""
    yield evaluation.sentence()
    judged: dict[str, list[str]] = {}
    for row, name in zip(evaluation.rows, _value_names(evaluation.rows)):
        for extractor in row.extractor.split(", ") if row.extractor else []:
            weights = evaluation.extractors.get(extractor, "")[:6]
            judged.setdefault(f"features of {extractor}@{weights}", []).append(name.split()[0])
        if row.n is not None:
            judged.setdefault(f"{row.n:,} rows a side", []).append(name.split()[0])
    yield from (f"{what}: {', '.join(values)}" for what, values in judged.items())
    reasons: dict[str, list[str]] = {}
    for name, reason in evaluation.skipped.items():
        reasons.setdefault(reason, []).append(name)
    yield from (f"{', '.join(names)} skipped: {reason}" for reason, names in reasons.items())


def _table(evaluation: Evaluation, others: Mapping[str, Callable[[Row], float | None]]) -> Table:
    title = f"step {evaluation.step}: {evaluation.n} held-out rows a side (of {evaluation.heldout}), "
    title += (f"{evaluation.repeats} times, " if evaluation.repeats > 1 else "") + f"seed {evaluation.seed}"
    table = _plain(title)
    several = any(row.interval is not None for row in evaluation.rows)
    for heading in ("generated", *(["95 %"] if several else []), "floor", *others):
        table.add_column(escape(heading), justify="right", no_wrap=True)
    for row, name in zip(evaluation.rows, _value_names(evaluation.rows)):
        ends = [] if not several else ["" if row.interval is None else "{:.3g} .. {:.3g}".format(*row.interval)]
        standards = (_figure(number) for number in (row.floor, *(read(row) for read in others.values())))
        beaten = " !" if row.beaten_by else ""
        table.add_row(escape(name), _figure(row.generated) + beaten, *ends, *standards)
    return table


def _plain(title: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("value", no_wrap=True)
    return table


def _width(table: Table) -> int:
    """Of a table that has all the room it wants."""
    console = Console(width=10_000)
    return table.__rich_measure__(console, console.options).maximum


def _value_names(rows: Sequence[Row]) -> list[str]:
    """Of every row, with an arrow to where it is better; with the metric's name where two have the same."""
    values = [row.value for row in rows]
    return [
        (row.value if values.count(row.value) == 1 else f"{row.metric}/{row.value}") + _ARROWS.get(row.better or "", "")
        for row in rows
    ]


def _baseline(name: str, row: Row) -> float | None:
    return row.baselines.get(name)


def _worst(row: Row) -> float | None:
    """Of the baselines' values; None where no way is better."""
    found = [value for value in row.baselines.values() if not math.isnan(value)]
    return None if row.better is None or not found else (min if row.better == "higher" else max)(found)


def _figure(number: float | None) -> str:
    return "-" if number is None else f"{number:.4g}"

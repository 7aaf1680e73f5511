"""Composes the page of a comparison: every section as plain values, which the template draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wganx.comparison.comparing import CostRow
from wganx.comparison.comparison import Comparison
from wganx.comparison.figures import duration
from wganx.comparison.outcomes import FAILED, Outcome
from wganx.comparison.statements import NOT_SHOWN
from wganx.errors import DataError, WganxError
from wganx.plain import printable
from wganx.report.comparing.overlays import draw_overlays
from wganx.report.comparing.samples import draw_gallery
from wganx.report.comparing.scales import draw_beside, draw_scales
from wganx.report.reading import RunRecord, read_run
from wganx.report.shell import render
from wganx.report.wording import DASH
from wganx.storage import write_whole


@dataclass(frozen=True)
class RunLine:
    """A run in the list: where it is, how it ended, and why where it failed."""

    variant: str
    seed: int
    status: str
    reason: str
    place: str
    link: str


def write_comparison(comparison: Comparison, target: Path) -> Path:
    """Writes the page of a comparison, one file that needs no network, and returns its path.

    Raises:
        WganxError: the page cannot be written there.
    """
    try:
        write_whole(target, compose(comparison))
    except OSError as error:
        raise WganxError(
            f"cannot write {target}: {error.strerror}; free the place or make the folder writable"
        ) from None
    return target


def compose(comparison: Comparison) -> str:
    """The page as HTML."""
    tables, groups = comparison.tables, comparison.groups
    records = {(group.name, one.seed): record for group in groups for one in group.outcomes if (record := _read(one))}
    floors = {table.name: table.floor for table in tables.metrics}
    by_updates, by_seconds = draw_overlays(groups, records, floors)
    started = sum(row.started for row in tables.reliability)
    failed = sum(len(row.failed) for row in tables.reliability)
    waiting = sum(row.waiting for row in tables.reliability)
    seeds = max(len(group.outcomes) for group in groups)
    return render(
        "comparison.html.jinja",
        ["comparison", "player", "charts"],
        title=f"{printable(comparison.title)} · wganx comparison",
        question=printable(comparison.title),
        status="running" if waiting else "finished",
        headline=[
            ("Variants", str(len(groups))),
            ("Seeds", str(seeds)),
            ("Runs", f"{started} started, {started - failed - waiting} finished, {failed} failed"),
            *([("To be done", str(waiting))] if waiting else []),
            ("Beside", printable(tables.baseline)),
        ],
        equal=[(name, printable(text)) for name, text in comparison.equal],
        names=[printable(group.name) for group in groups],
        differences=[
            (printable(key), [printable(values.get(group.name, DASH)) for group in groups])
            for key, values in comparison.differences.items()
        ],
        statements=[printable(sentence) for sentence in comparison.statements],
        not_shown=NOT_SHOWN,
        failed_when=FAILED,
        scales=draw_scales(tables),
        metrics_left_out=[printable(name) for name in tables.left_out],
        beside=[(printable(table.name), draw_beside(table)) for table in tables.metrics if table.versus],
        baseline=printable(tables.baseline),
        by_updates=by_updates,
        by_seconds=by_seconds,
        gallery=draw_gallery(groups, records),
        costs=[_cost(row) for row in tables.costs],
        reached=[printable(f"{name} {score:g}") for name, score in tables.reach.items()],
        runs=_runs(comparison),
        resume=printable(comparison.commands.get("resume", "")),
        reproduce=printable(comparison.commands.get("reproduce", "")),
    )


def _read(outcome: Outcome) -> RunRecord | None:
    try:
        return read_run(outcome.folder)
    except DataError:  # not begun, or failed before its first step
        return None


def _cost(row: CostRow) -> tuple[str, list[str]]:
    spread = DASH if row.spread is None else f"{duration(row.spread[0])} to {duration(row.spread[1])}"
    cells = [
        DASH if row.per_step is None else duration(row.per_step),
        spread,
        DASH if row.seconds is None else duration(row.seconds),
        DASH if row.steps is None else f"{row.steps:,}",
        DASH if row.memory is None else f"{row.memory / 1e6:,.0f} MB",
    ]
    cells += [", ".join(duration(at) for at in times.values()) or "never" for times in row.reached.values()]
    return printable(row.variant), cells


def _runs(comparison: Comparison) -> Sequence[RunLine]:
    lines = []
    for group in comparison.groups:
        for outcome in group.outcomes:
            place = comparison.place(outcome)
            report = outcome.folder / "report.html"
            inside = not Path(place).is_absolute() and report.is_file()
            lines.append(
                RunLine(
                    variant=printable(group.name),
                    seed=outcome.seed,
                    status={"done": "finished", "failed": "failed", "open": "to be done"}[outcome.status],
                    reason=printable(outcome.reason),
                    place=printable(place if inside else outcome.folder.name),
                    link=f"./{place}/report.html" if inside else "",
                )
            )
    return lines

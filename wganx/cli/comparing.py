"""How a comparison goes and what it found, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.status import Status
from rich.table import Table

from wganx.cli.console import make_console
from wganx.comparison.comparing import CostRow, MetricTable, Tables
from wganx.comparison.comparison import Comparison
from wganx.comparison.figures import duration, figure, percent, with_ends
from wganx.comparison.statements import NOT_SHOWN
from wganx.comparison.statistics import Chance, Ends
from wganx.experiments import Ending, RunErrand, Watch
from wganx.experiments.errand import Errand
from wganx.experiments.progress import reached


class Telling(Watch):
    """A line for every run that begins or ends, and what is on its way where a person watches."""

    def __init__(self, *, err: bool = False) -> None:
        self._console = make_console(err=err)
        self._status: Status | None = None
        self._ticks = 0

    def began(self, errand: Errand) -> None:
        if not self._console.is_terminal:
            self._say(f"{errand.name}: begins")

    def looked(self, running: Sequence[Errand]) -> None:
        self._ticks += 1
        if not self._console.is_terminal or self._ticks % 5:
            return
        text = "   ".join(f"{errand.name} {reached(errand)}" for errand in running)
        if self._status is None:
            self._status = self._console.status(escape(text))
            self._status.start()
        self._status.update(escape(text))

    def ended(self, errand: Errand, ending: Ending) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
        if ending.state == "done" and isinstance(errand, RunErrand):
            self._say(f"{errand.name}: done, {reached(errand)}")
        elif ending.state == "done":
            self._say(f"{errand.name}: measured")
        elif ending.state == "enough":
            self._say(f"{errand.name}: pruned, {reached(errand)}")
        elif ending.state == "stopped":
            self._say(f"{errand.name}: stopped and saved, {reached(errand)}")
        else:
            self._say(f"{errand.name}: failed: {ending.said}")

    def stopping(self) -> None:
        self._say("stopping: what is on its way is saved (Ctrl-C again ends it at once)")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)


def print_comparison(comparison: Comparison) -> None:
    """The tables of a comparison, what they allow to be said, and where the rest lies."""
    console, tables = make_console(), comparison.tables

    def say(text: str) -> None:
        console.print(text, highlight=False, markup=False)

    say(comparison.title)
    if comparison.differences:
        console.print(_differences(comparison))
    for table in tables.metrics:
        console.print(_metric(table, tables))
        if table.versus:
            console.print(_versus(table))
    if any(row.per_step is not None for row in tables.costs):
        console.print(_costs(tables.costs))
    for sentence in comparison.statements:
        say(f"- {sentence}")
    say(f"Not shown: {'; '.join(NOT_SHOWN)}.")
    if comparison.folder is not None:
        say(f"numbers  {comparison.folder / 'comparison.json'}")
        say(f"page     {comparison.folder / 'compare.html'}")


def _differences(comparison: Comparison) -> Table:
    table = Table("setting", *(escape(group.name) for group in comparison.groups), box=None)
    for key, values in comparison.differences.items():
        table.add_row(escape(key), *(escape(str(values.get(group.name, "-"))) for group in comparison.groups))
    return table


def _metric(found: MetricTable, tables: Tables) -> Table:
    better = {"lower": "lower is better", "higher": "higher is better"}[found.better]
    between = f"floor {figure(found.floor)}"
    if found.ceiling is not None:
        between += f", ceiling {figure(found.ceiling)}"
    table = Table(title=escape(f"{found.name}: {better}; {between}"), title_justify="left")
    for heading in ("variant", "done / failed", "each seed", "mean", "sd", "95 %", "median of all"):
        table.add_column(heading)
    reliability = {row.variant: row for row in tables.reliability}
    for standing in found.standings:
        runs, own = reliability[standing.variant], standing.summary
        width = _half(own.t) or own.sd
        dots = [figure(value, width) for value in standing.values.values()] + ["failed"] * len(runs.failed)
        some = "*" if runs.failed and own.n else ""
        table.add_row(
            escape(standing.variant),
            f"{runs.finished} / {len(runs.failed)}",
            "  ".join(dots),
            figure(own.mean, width) + some,
            figure(own.sd, own.sd),
            _intervals(own.t, own.bootstrap, own.n, width),
            figure(standing.median_of_all, width),
        )
    if any(runs.failed for runs in reliability.values()):
        table.caption = "* of the runs that finished; the median counts failures as worst"
    return table


def _versus(found: MetricTable) -> Table:
    table = Table(title=escape(f"{found.name} beside {found.versus[0].baseline}"), title_justify="left", box=None)
    for heading in ("variant", "difference by pairs", "pairs", "correlation", "p", "without pairs", "beats it"):
        table.add_column(heading)
    for versus in found.versus:
        own, chance = versus.difference, versus.chance
        table.add_row(
            escape(versus.variant),
            with_ends(own.paired_mean, own.paired).replace("[", "\\["),
            str(own.pairs),
            "-" if own.correlation is None else f"{own.correlation:.2f}",
            "-" if own.p is None else f"{own.p:.3f}",
            with_ends(own.mean, own.unpaired).replace("[", "\\["),
            _chance(chance),
        )
    return table


def _costs(costs: Sequence[CostRow]) -> Table:
    table = Table(title="cost", title_justify="left", box=None)
    headings = ["variant", "a step", "quartiles", "training", "updates", "memory"]
    names = list(costs[0].reached)
    for heading in (*headings, *(escape(f"to {name}") for name in names)):
        table.add_column(heading)
    for row in costs:
        table.add_row(
            escape(row.variant),
            "-" if row.per_step is None else duration(row.per_step),
            "-" if row.spread is None else f"{duration(row.spread[0])} to {duration(row.spread[1])}",
            "-" if row.seconds is None else duration(row.seconds),
            "-" if row.steps is None else f"{row.steps:,}",
            "-" if row.memory is None else f"{row.memory / 1e6:,.0f} MB",
            *(", ".join(duration(at) for at in row.reached[name].values()) or "-" for name in names),
        )
    return table


def _chance(chance: Chance | None) -> str:
    if chance is None:
        return "-"
    ties = f", {chance.ties} ties" if chance.ties else ""
    return f"{chance.wins} of {chance.pairs} pairs{ties} ({percent(chance.probability)})"


def _half(ends: Ends | None) -> float | None:
    return None if ends is None else (ends[1] - ends[0]) / 2


def _intervals(t: Ends | None, bootstrap: Ends | None, n: int, width: float | None) -> str:
    if t is None:
        return "too few" if n else "-"
    text = f"\\[{figure(t[0], width)}, {figure(t[1], width)}] (t, n={n})"
    if bootstrap is not None:
        text += f"  \\[{figure(bootstrap[0], width)}, {figure(bootstrap[1], width)}] (BCa)"
    return text

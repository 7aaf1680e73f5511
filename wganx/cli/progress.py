"""Progress of a training: a bar when a person watches, plain lines otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from wganx.config import choices
from wganx.data.telling import found_in
from wganx.engine import Observer
from wganx.health import Finding

if TYPE_CHECKING:
    from wganx.runs import Run

_SHOWN = {
    "w1_raw": "W1 raw",
    "w1_corrected": "corrected",
    "w1_heldout": "held out",
    "score_gap": "score gap",
    "gradient_norm": "gradient norm",
    "penalty": "penalty",
}


class Pace:
    """Steps a second since the last logging point, and how long the rest will take at that pace."""

    def __init__(self, start: int, steps: int) -> None:
        self._steps = steps
        self._last = (start, time.perf_counter())
        self.text = ""

    def advance(self, step: int) -> None:
        now = time.perf_counter()
        rate = (step - self._last[0]) / max(now - self._last[1], 1e-9)
        self._last = (step, now)
        left = timedelta(seconds=round((self._steps - step) / rate)) if rate > 0 else "?"
        self.text = f"{rate:.1f} steps/s  {left} left"


class PlainProgress(Observer):
    """A line a logging point."""

    def __init__(self, console: Console, start: int, steps: int) -> None:
        self._console, self._steps = console, steps
        self._pace = Pace(start, steps)

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        self._pace.advance(step)
        self._console.print(f"step {step}/{self._steps}  {_readings(scalars)}  {self._pace.text}", highlight=False)

    def found(self, finding: Finding) -> None:
        self._console.print(_finding(finding), highlight=False, markup=False)


class BarProgress(Observer):
    """A bar that moves on at every logging point."""

    def __init__(self, bar: Progress, start: int, steps: int) -> None:
        self._bar = bar
        self._task = bar.add_task("training", total=steps, completed=start, pace="", readings="", health="")
        self._wrong: set[str] = set()
        self._pace = Pace(start, steps)

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        self._pace.advance(step)
        self._bar.update(self._task, completed=step, pace=self._pace.text, readings=_readings(scalars))

    def found(self, finding: Finding) -> None:
        self._bar.console.print(_finding(finding), highlight=False, markup=False)
        if finding.text is None:
            self._wrong.discard(finding.code)
        elif finding.level != "info":
            self._wrong.add(finding.code)
        self._bar.update(self._task, health=" ".join(sorted(self._wrong)))

    def rolled_back(self, step: int, reason: str) -> None:
        self._bar.update(self._task, completed=step)


@contextmanager
def watching(run: Run, console: Console) -> Iterator[Observer]:
    """Prints what is about to be trained, then an observer that shows how it goes."""
    config, assembly = run.resolved.run, run.assembly
    checkpoint = run.store.steps()
    start = checkpoint[-1] if checkpoint else 0
    players = assembly.trainer.steps
    console.print(f"{config.plugin} / {config.scenario}  seed {config.seed}  on {assembly.device}", highlight=False)
    for line in found_in(assembly.train_items, assembly.heldout_items):
        console.print(f"data  {line}", highlight=False, markup=False)
    console.print(f"data  {assembly.stream.feed.reason}; held out: {len(assembly.heldout_items):,}", highlight=False)
    for line in choices(run.resolved):
        console.print(f"chosen  {line}", highlight=False, markup=False)
    console.print(
        f"networks  generator {config.generator.name} {players.generator.gradient.numel():,} parameters, "
        f"critic {config.critic.name} {players.critic.gradient.numel():,}",
        highlight=False,
    )
    ranks = assembly.trainer.ranks.count
    among = f" in {ranks} processes" if ranks > 1 else ""
    console.print(f"steps  {assembly.trainer.way}, {assembly.trainer.precision.name}{among}", highlight=False)
    console.print(f"run folder  {run.folder.path}", highlight=False, soft_wrap=True)
    if start:
        console.print(f"resuming after step {start}", highlight=False)
    if not console.is_terminal:
        yield PlainProgress(console, start, config.train.steps)
        return
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("[cyan]{task.fields[readings]}"),
        TextColumn("[yellow]{task.fields[health]}"),
    )
    with Progress(*columns, console=console) as bar:
        yield BarProgress(bar, start, config.train.steps)


def _finding(finding: Finding) -> str:
    return f"step {finding.step}  {finding}"


def _readings(scalars: Mapping[str, float]) -> str:
    return "  ".join(f"{label} {scalars[name]:.3g}" for name, label in _SHOWN.items() if name in scalars)

"""Progress of a training: a bar when a person watches, plain lines otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bar

from wganx.config import choices
from wganx.data.telling import found_in
from wganx.engine import Observer, Progress
from wganx.engine.progress import GAP, Pace, readings
from wganx.health import Finding

if TYPE_CHECKING:
    from wganx.runs import Run


class BarProgress(Observer):
    """A bar that moves on at every logging point: how far and how long first, then readings as far as they fit."""

    def __init__(self, bar: Bar, steps: int) -> None:
        self._bar, self._steps = bar, steps
        self._task = bar.add_task("training", total=steps, line="")
        self._wrong: set[str] = set()
        self._pace = Pace(0, steps)
        self._step, self._scalars = 0, dict[str, float]()
        self._show()

    def started(self, step: int, until: int) -> None:
        self._step, self._pace = step, Pace(step, until)
        if step:
            _say(self._bar.console, f"resuming after step {step}")
        self._show()

    def paced(self, step: int, seconds: float) -> None:
        self._step = step
        self._pace.expect(step, seconds)
        self._show()

    def logged(self, step: int, scalars: Mapping[str, float]) -> None:
        self._pace.advance(step)
        self._step, self._scalars = step, dict(scalars)
        self._show()

    def found(self, finding: Finding) -> None:
        _say(self._bar.console, f"step {finding.step}{GAP}{finding}")
        if finding.text is None:
            self._wrong.discard(finding.code)
        elif finding.level != "info":
            self._wrong.add(finding.code)
        self._show()

    def rolled_back(self, step: int, reason: str) -> None:
        self._step = step
        self._show()

    def _show(self) -> None:
        # The bar and the space behind it are taken from the line; what does not fit whole is left out.
        room = self._bar.console.width - _bar_width(self._bar.console) - 1
        parts = [f"{self._step}/{self._steps}", self._pace.left]
        for part in (" ".join(sorted(self._wrong)), self._pace.rate, *readings(self._scalars)):
            if len(GAP.join([*parts, part])) > room:
                break
            parts += [part] if part else []
        self._bar.update(self._task, completed=self._step, line=GAP.join(parts))


def make_bar(console: Console) -> Bar:
    """The bar, and one line of text behind it."""
    return Bar(
        BarColumn(bar_width=_bar_width(console)), TextColumn("{task.fields[line]}", markup=False), console=console
    )


def _bar_width(console: Console) -> int:
    return 24 if console.width >= 100 else 12


@contextmanager
def watching(run: Run, console: Console) -> Iterator[Observer]:
    """Prints what is about to be trained, then an observer that shows how it goes."""
    config, assembly = run.resolved.run, run.assembly
    players, steps = assembly.trainer.steps, config.train.steps
    _say(console, f"{config.plugin} / {config.scenario}  seed {config.seed}  on {assembly.device}")
    for line in found_in(assembly.train_items, assembly.heldout_items):
        _say(console, f"data  {line}")
    _say(console, f"data  {assembly.stream.feed.reason}; held out: {len(assembly.heldout_items):,}")
    for line in choices(run.resolved):
        _say(console, f"chosen  {line}")
    _say(
        console,
        f"networks  generator {config.generator.name} {players.generator.gradient.numel():,} parameters, "
        f"critic {config.critic.name} {players.critic.gradient.numel():,}",
    )
    ranks = assembly.trainer.ranks.count
    among = f" in {ranks} processes" if ranks > 1 else ""
    _say(console, f"steps  {steps:,}: {assembly.trainer.way}, {assembly.trainer.precision.name}{among}")
    _say(console, f"run folder  {run.folder.path}")
    if not console.is_terminal:
        # Notes are on standard error already, where every command says them.
        yield Progress(lambda line: _say(console, line), notes=False)
        return
    with make_bar(console) as bar:
        yield BarProgress(bar, steps)


def _say(console: Console, text: str) -> None:
    """One line as it is: names of files and plugins may hold what looks like markup."""
    console.print(text, highlight=False, markup=False, emoji=False, soft_wrap=True)

"""Progress of a training: a bar when a person watches, plain lines otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console

from wganx.config import choices
from wganx.data.telling import found_in
from wganx.engine import Observer, Progress
from wganx.engine.progress.bar import BarProgress, make_bar, say

if TYPE_CHECKING:
    from wganx.runs import Run


@contextmanager
def watching(run: Run, console: Console) -> Iterator[Observer]:
    """Prints what is about to be trained, then an observer that shows how it goes."""
    config, assembly = run.resolved.run, run.assembly
    players, steps = assembly.trainer.steps, config.train.steps
    say(console, f"{config.plugin} / {config.scenario}  seed {config.seed}  on {assembly.device}")
    for line in found_in(assembly.train_items, assembly.heldout_items):
        say(console, f"data  {line}")
    say(console, f"data  {assembly.stream.feed.reason}; held out: {len(assembly.heldout_items):,}")
    for line in choices(run.resolved):
        say(console, f"chosen  {line}")
    say(
        console,
        f"networks  generator {config.generator.name} {players.generator.gradient.numel():,} parameters, "
        f"critic {config.critic.name} {players.critic.gradient.numel():,}",
    )
    ranks = assembly.trainer.ranks.count
    among = f" in {ranks} processes" if ranks > 1 else ""
    say(console, f"steps  {steps:,}: {assembly.trainer.way}, {assembly.trainer.precision.name}{among}")
    say(console, f"run folder  {run.folder.path}")
    if not console.is_terminal:
        # Notes are on standard error already, where every command says them.
        yield Progress(lambda line: say(console, line), notes=False)
        return
    with make_bar(console) as bar:
        yield BarProgress(bar, steps)

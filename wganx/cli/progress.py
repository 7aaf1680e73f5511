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
from wganx.runs.time_ahead import seconds_ahead

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
        + (f"critic {config.critic.name} {judges:,}" if (judges := players.critic.gradient.numel()) else "no critic"),
    )
    ranks = assembly.trainer.ranks.count
    among = f" in {ranks} processes" if ranks > 1 else ""
    say(console, f"steps  {steps:,}: {assembly.trainer.way}, {assembly.trainer.precision.name}{among}")
    if not run.store.steps() and (seconds := seconds_ahead(assembly)) is not None:
        say(console, f"time  {in_words(seconds)} on this machine; others by --set train.steps=...")
    say(console, f"run folder  {run.folder.path}")
    if not console.is_terminal:
        # Notes are on standard error already, where every command says them.
        yield Progress(lambda line: say(console, line), notes=False)
        return
    with make_bar(console) as bar:
        yield BarProgress(bar, steps)


def in_words(seconds: float) -> str:
    """``less than a minute``, ``about 9 minutes``, ``about 3 hours``"""
    if seconds < 50:
        return "less than a minute"
    for size, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 1.95 * size:
            return f"about {seconds / size:.0f} {name}"
    return "about a minute" if seconds < 90 else "about 2 minutes"

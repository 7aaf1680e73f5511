"""Training a run on the terminal, for the commands that do so."""

from __future__ import annotations

import click

from wganx.api import complete
from wganx.cli.console import make_console
from wganx.cli.progress import watching
from wganx.runs import Run


def train_and_tell(run: Run, *, from_step: int | None = None) -> None:
    """Train `run` to its end under the eyes of whoever watches, and say how it ended."""
    if not run.assembly.trainer.ranks.first:
        complete(run, from_step=from_step)
        return
    console = make_console()
    with watching(run, console) as progress:
        complete(run, [progress], from_step=from_step)
    facts, folder = run.folder.facts(), run.folder.path
    step, steps = facts["step"], run.resolved.run.train.steps
    if facts["status"] == "interrupted":
        click.echo(f"stopped after step {step} of {steps} and saved; continue with: wganx resume {folder}")
        return
    click.echo(f"finished {step} steps in {facts['seconds']:.0f} s")
    click.echo(f"report  {run.folder.report}")
    click.echo(f"next    wganx sample {folder} -n 16    wganx evaluate {folder}")

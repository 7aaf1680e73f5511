"""``wganx train``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wganx.cli.paths import PATH
from wganx.cli.selection import choosing_a_run


@click.command()
@choosing_a_run
@click.option("--init", metavar="PATH", help="Begin with these weights: a file, a run folder, a checkpoint.")
@click.option("--out", type=PATH, metavar="DIR", help="The run folder itself.")
@click.option("--resume", is_flag=True, help="Continue the run in --out if there is one.")
@click.option("--nproc", type=click.IntRange(min=1), metavar="N", help="Train with N processes on this machine.")
@click.option("--dry-run", is_flag=True, help="Check everything, say what memory it takes, and stop there.")
def train(out: Path | None, resume: bool, nproc: int | None, dry_run: bool, **choice: Any) -> None:
    """Train a generator and leave a run folder.

    \b
    Example:
      wganx train --plugin image --scenario digits --set train.steps=500 --out runs/first
      wganx train --plugin image --scenario digits --nproc 2
      wganx train --plugin image --scenario digits --dry-run
      wganx train --plugin image --data ./photos --init runs/first
    """
    if dry_run:
        from wganx.cli.plan import plan_and_tell

        if resume:
            raise click.UsageError("--dry-run plans a new run; leave --resume out")
        plan_and_tell(**choice)
        return
    if nproc is not None and nproc > 1:
        from wganx.cli.launch import launch_training
        from wganx.runs.room import check_processes

        check_processes(nproc, "--nproc")
        launch_training(nproc, out=out, resume=resume, **choice)
        return
    from wganx.api import open_run
    from wganx.cli.training import train_and_tell

    train_and_tell(open_run(out=out, resume=resume, **choice))

"""``wganx train``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wganx.cli.selection import choosing_a_run


@click.command()
@choosing_a_run
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="The run folder itself.")
@click.option("--resume", is_flag=True, help="Continue the run in --out if there is one.")
def train(out: Path | None, resume: bool, **choice: Any) -> None:
    """Train a generator and leave a run folder.

    \b
    Example:
      wganx train --plugin image --scenario digits --set train.steps=500 --out runs/first
    """
    from wganx.api import open_run
    from wganx.cli.training import train_and_tell

    train_and_tell(open_run(out=out, resume=resume, **choice))

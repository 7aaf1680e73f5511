"""``wganx resume``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import with_extensions, with_place


@click.command()
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting; repeat for more.")
@click.option(
    "--from", "from_step", type=click.IntRange(min=0), metavar="STEP",
    help="Go on from this step's checkpoint; later ones are removed. Whole weights alone will do.",
)  # fmt: skip
@with_place
@with_extensions
def resume(run: Path, settings: tuple[str, ...], from_step: int | None, **place: Any) -> None:
    """Continue a run exactly where its last checkpoint left it.

    \b
    Example:
      wganx resume runs/first
      wganx resume runs/first --set train.steps=4000
      wganx resume runs/first --from 1500
    """
    from wganx.api import warn
    from wganx.cli.training import train_and_tell
    from wganx.runs import Run

    train_and_tell(Run.load(run, settings, warn=warn, **place), from_step=from_step)

"""``wganx board``"""

from __future__ import annotations

from pathlib import Path

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH


@click.command()
@click.argument("runs", nargs=-1, required=True, type=PATH, metavar="RUN...", shell_complete=run_folders)
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="6006 by default, or the next that is free.")
def board(runs: tuple[Path, ...], port: int | None) -> None:
    """Look at runs in TensorBoard: every step of their curves, pictures, sounds and clips.

    Takes run folders, or a folder of them; those that are training now are read on. Only this machine can look.

    \b
    Example:
      wganx board runs/first runs/second
    """
    from wganx.watching import board as serve_board

    serve_board(runs, port=port)

"""``wganx demo``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import with_extensions, with_place


@click.command()
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="A free one by default.")
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option(
    "--max-upload", type=click.FloatRange(0, min_open=True), default=20.0, show_default=True, metavar="MB",
    help="Of a file that is sent.",
)  # fmt: skip
@click.option(
    "--max-seconds", type=click.FloatRange(0, min_open=True), default=60.0, show_default=True, metavar="S",
    help="Of work for one visitor.",
)  # fmt: skip
@click.option("--open/--no-browser", "opens", default=False, help="Open the page in a browser; not by default.")
@with_place
@with_extensions
def demo(
    run: Path,
    port: int,
    checkpoint: str,
    max_upload: float,
    max_seconds: float,
    opens: bool,
    **place: Any,
) -> None:
    """Serve a page on which a run is tried out: seeds, labels, walks, sliders, files of one's own.

    What the page offers is what the run can do. Only this machine can look; several visitors wait in line.

    \b
    Example:
      wganx demo runs/first
      wganx demo runs/voices --port 8000 --max-upload 5 --open
    """
    from wganx.api import load_run
    from wganx.demo import demonstrate

    demonstrate(
        load_run(run, **place),
        checkpoint=checkpoint,
        port=port,
        max_upload=max_upload,
        max_seconds=max_seconds,
        opens=opens,
        tell=click.echo,
    )

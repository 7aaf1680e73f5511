"""``wganx report``"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def report(run: Path) -> None:
    """Write the HTML page of a run anew.

    \b
    Example:
      wganx report runs/first
    """
    from wganx.errors import UsageError
    from wganx.report import renew_report

    if not run.is_dir():
        raise UsageError(f"there is no run in {run}: it is no folder")
    click.echo(renew_report(run, lambda message: click.echo(f"wganx: {message}", err=True)))

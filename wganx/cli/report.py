"""``wganx report``"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--follow", is_flag=True, help="Rewrite the page while the run goes on, and serve it to this machine.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="With --follow; a free one by default.")
def report(run: Path, follow: bool, port: int | None) -> None:
    """Write the HTML page of a run anew.

    \b
    Example:
      wganx report runs/first
      wganx report runs/first --follow
    """
    from wganx.errors import UsageError
    from wganx.report import renew_report

    if not run.is_dir():
        raise UsageError(f"there is no run in {run}: it is no folder")
    if follow:
        from wganx.watching import follow as follow_run

        follow_run(run, port=port or 0, tell=click.echo)
        return
    if port is not None:
        raise UsageError("--port is for --follow: without it nothing is served")
    click.echo(renew_report(run, lambda message: click.echo(f"wganx: {message}", err=True)))

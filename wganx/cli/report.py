"""``wganx report``"""

from __future__ import annotations

from pathlib import Path

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import with_trust


@click.command()
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.option("--follow", is_flag=True, help="Rewrite the page while the run goes on, and serve it to this machine.")
@click.option("--listen", is_flag=True, help="Write listen.html too: real beside generated, for people who listen.")
@click.option("-n", "count", type=click.IntRange(1, 32), metavar="N", help="With --listen: rows; 12 by default.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="With --follow; a free one by default.")
@with_trust
def report(run: Path, follow: bool, listen: bool, count: int | None, port: int | None) -> None:
    """Write the HTML page of a run anew.

    \b
    Example:
      wganx report runs/first
      wganx report runs/first --follow
      wganx report runs/voices --listen
    """
    from wganx.errors import UsageError
    from wganx.report import renew_report

    if not run.is_dir():
        raise UsageError(f"there is no run in {run}: it is no folder")
    if follow and listen:
        raise UsageError("--follow serves the report alone; give --listen without it")
    if follow:
        from wganx.watching import follow as follow_run

        follow_run(run, port=port or 0, tell=click.echo)
        return
    if port is not None:
        raise UsageError("--port is for --follow: without it nothing is served")
    if count is not None and not listen:
        raise UsageError("-n is for --listen: the report shows what the training drew")

    def warn(message: str) -> None:
        click.echo(f"wganx: {message}", err=True)

    click.echo(renew_report(run, warn))
    if listen:
        from wganx.report.listening import ROWS, write_listening
        from wganx.runs import Run

        click.echo(write_listening(Run.load(run, warn=warn, only_looked_at=True), count=count or ROWS))

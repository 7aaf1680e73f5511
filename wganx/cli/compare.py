"""``wganx compare``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import choosing_a_run
from wganx.names import as_typed


@click.command()
@click.argument("runs", nargs=-1, type=PATH, shell_complete=run_folders)
@choosing_a_run
@click.option("--vary", multiple=True, metavar="KEY=A,B,...", help="What is compared; several are crossed.")
@click.option("--variant", "variants", multiple=True, metavar="NAME:KEY=VALUE,...", help="One that is compared, named.")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="Runs of each variant; 3 by default.")
@click.option("--budget", type=click.Choice(["updates", "seconds"]), help="What all have equally; updates by default.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of training, for each run.")
@click.option("--baseline", metavar="NAME", help="The variant that differences are told to; the first by default.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="NAME",
    help="Only this value; repeat for more. By the first a run may fail.",
)
@click.option("--reach", multiple=True, metavar="NAME=SCORE", help="Tell the seconds until a value is that good.")
@click.option("--out", type=PATH, metavar="DIR", help="The comparison's folder.")
@click.option("--resume", type=PATH, metavar="DIR", help="Go on with the comparison in a folder.")
@click.option("--retry", is_flag=True, help="Try runs that failed again.")
@click.option(
    "--parallel", type=click.IntRange(min=1), default=1, show_default=True, metavar="N", help="Runs at a time."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a line a run and value.")
def compare(
    runs: tuple[Path, ...],
    reach: tuple[str, ...],
    parallel: int,
    retry: bool,
    as_json: bool,
    as_csv: bool,
    **asked: Any,
) -> None:
    """Compare finished RUNs, or start some and compare them: every seed shown, and said only what the numbers allow.

    Stopped (Ctrl-C) it saves; the same command again, or --resume DIR, goes on where it was.

    \b
    Example:
      wganx compare --plugin points --scenario grid --vary constraint.name=gradient-penalty,clip --out grid-constraints
      wganx compare --plugin image --variant gp:constraint.name=gradient-penalty \\
        --variant hinge:objective.name=hinge,constraint.name=spectral-norm --seconds 60 --out at-a-minute
      wganx compare --resume grid-constraints
      wganx compare runs/first runs/second runs/third
    """
    from wganx.cli.comparing import Telling, print_comparison
    from wganx.comparison.request import carry_out_request
    from wganx.errors import INTERRUPTED
    from wganx.storage import json_text

    quiet = as_json or as_csv
    watch = Telling(err=quiet)
    command = as_typed(["wganx", *sys.argv[1:]])
    comparison, waiting = carry_out_request(
        runs=runs, reach=reach, parallel=parallel, retry=retry, watch=watch, command=command, **asked
    )
    if as_json:
        click.echo(json_text(comparison.to_json(), indent=2))
    elif as_csv:
        click.echo(comparison.to_csv(), nl=False)
    else:
        print_comparison(comparison)
    if waiting:
        click.echo(f"stopped with {waiting} runs to do; go on with: {comparison.commands['resume']}", err=True)
        raise SystemExit(INTERRUPTED)
    if not any(group.done for group in comparison.groups):
        raise SystemExit(1)

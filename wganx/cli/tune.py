"""``wganx tune``"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.paths import PATH
from wganx.cli.selection import choosing_a_run
from wganx.names import as_typed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from wganx.tuning import Search, Tried


@click.command()
@choosing_a_run
@click.option("--search", "searched", multiple=True, metavar="KEY=...", help="log:0.1..100, 1..8 or a,b,c; repeat.")
@click.option("--metric", metavar="NAME", help="The held-out value that decides; its metric says which way is better.")
@click.option("--trials", type=click.IntRange(min=1), metavar="N", help="How many settings are tried in all.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of training, in all.")
@click.option("--out", type=PATH, metavar="DIR", help="The search's folder.")
@click.option("--resume", type=PATH, metavar="DIR", help="Go on with the search in a folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def tune(as_json: bool, **asked: Any) -> None:
    """Search named settings within a budget, by a value of the held-out evaluation, with Optuna.

    Trials that fall behind the median of those before are pruned. Stopped (Ctrl-C) it saves; the same command again, or
    --resume DIR, goes on where it was. The best recipe is DIR/best.yaml, a valid --config.

    \b
    Example:
      wganx tune --plugin points --scenario grid --search constraint.weight=log:0.1..100 \\
        --search train.critic_steps=1,3,5 --metric w1 --trials 20 --out grid-weights
      wganx train --config grid-weights/best.yaml --seed 1
    """
    from dataclasses import asdict

    from wganx.cli.comparing import Telling
    from wganx.cli.console import make_console
    from wganx.errors import INTERRUPTED
    from wganx.storage import json_text
    from wganx.tuning.folder import best_of
    from wganx.tuning.request import carry_out_request

    command = as_typed(["wganx", *sys.argv[1:]])
    folder, search, trials, stopped = carry_out_request(command=command, watch=Telling(err=as_json), **asked)
    best = best_of(trials, search.better)
    if as_json:
        told = {"metric": search.metric, "better": search.better, "trials": [asdict(trial) for trial in trials]}
        click.echo(json_text({**told, "best": best and best.number}, indent=2))
    else:
        console = make_console()
        console.print(_table(search, trials))
        for line in _summary(search, best, trials, folder):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    if stopped:
        click.echo(f"stopped; go on with: {as_typed(['wganx', 'tune', '--resume', str(folder)])}", err=True)
        raise SystemExit(INTERRUPTED)
    if best is None:
        raise SystemExit(1)


def _table(search: Search, trials: Sequence[Tried]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from wganx.comparison.figures import duration, figure

    table = Table(title=escape(f"{search.metric}: {search.better} is better; seed {search.seed}"), title_justify="left")
    keys = [axis.key for axis in search.axes]
    for heading in ("trial", *map(escape, keys), "ended", escape(search.metric), "step", "training"):
        table.add_column(heading)
    for trial in trials:
        settings = [
            f"{value:.4g}" if isinstance(value := trial.settings.get(key, "-"), float) else str(value) for key in keys
        ]
        why = f": {trial.why}" if trial.why else ""
        table.add_row(
            str(trial.number), *map(escape, settings), escape(f"{trial.state}{why}"), figure(trial.value),
            f"{trial.step:,}", duration(trial.seconds),
        )  # fmt: skip
    return table


def _summary(search: Search, best: Tried | None, trials: Sequence[Tried], folder: Path) -> list[str]:
    if best is None:
        return ["no trial finished, so there is no best one"]
    end = {"lower": "lowest", "higher": "highest"}[search.better]
    return [
        f"trial {best.number} of {len(trials)} has the {end} {search.metric}, {best.value:.4g}. It was chosen by this "
        "very number, which flatters it: measure it anew with other seeds",
        f"recipe  {folder / 'best.yaml'}",
        f"next    wganx train --config {folder / 'best.yaml'} --seed {search.seed + 1}",
    ]

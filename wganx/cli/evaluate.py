"""``wganx evaluate``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.selection import with_extensions, with_place

if TYPE_CHECKING:
    from rich.table import Table

    from wganx.evaluation import Evaluation


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-n", "count", type=click.IntRange(min=2), help="Rows on each side of a metric; evaluate.n by default.")
@click.option("--seed", type=int, help="Of the split, the noise and the metrics; the run's own by default.")
@click.option("--repeats", type=click.IntRange(min=1), help="Blocks of -n rows; from 2 on with 95 % intervals.")
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this one; repeat for more.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@with_place
@with_extensions
def evaluate(
    run: Path,
    count: int | None,
    seed: int | None,
    repeats: int | None,
    checkpoint: str,
    metrics: tuple[str, ...],
    as_json: bool,
    **place: Any,
) -> None:
    """Measure a run on held-out data, beside the real-against-real floor and the task's trivial baselines.

    \b
    Example:
      wganx evaluate runs/first -n 1000
    """
    from wganx.api import load_run
    from wganx.cli.console import make_console
    from wganx.report import write_report
    from wganx.storage import json_text

    loaded = load_run(run, **place)
    evaluation = loaded.evaluate(n=count, seed=seed, metrics=metrics or None, repeats=repeats, checkpoint=checkpoint)
    write_report(loaded.folder.path)
    if as_json:
        click.echo(json_text(evaluation.to_json(), indent=2))
    else:
        make_console().print(_table(evaluation))
    for name, message in evaluation.failures.items():
        click.echo(f"wganx: metric {name} failed: {message}", err=True)
    if evaluation.failures:
        raise SystemExit(1)


def _table(evaluation: Evaluation) -> Table:
    from rich.table import Table

    baselines = list(evaluation.rows[0].baselines) if evaluation.rows else []
    table = Table(
        title=f"step {evaluation.step}: {evaluation.n} held-out rows a side (of {evaluation.heldout}), "
        + (f"{evaluation.repeats} times, " if evaluation.repeats > 1 else "")
        + f"seed {evaluation.seed}",
        title_justify="left",
    )
    for heading in ("metric", "value", "better"):
        table.add_column(heading)
    for heading in ("generated", "floor: real", *(f"baseline: {name}" for name in baselines)):
        table.add_column(heading, justify="right")
    for row in evaluation.rows:
        numbers = [f"{number:.4g}" for number in (row.generated, row.floor, *row.baselines.values())]
        if row.interval is not None:
            numbers[0] += f" \\[{row.interval[0]:.4g}, {row.interval[1]:.4g}]"
        table.add_row(row.metric, row.value, row.better or "", *numbers)
    return table

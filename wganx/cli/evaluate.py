"""``wganx evaluate``"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.completing import run_folders
from wganx.cli.console import make_console
from wganx.cli.paths import PATH
from wganx.cli.selection import SEED, with_extensions, with_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from wganx.evaluation import Evaluation


@click.command()
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.option("-n", "count", type=click.IntRange(min=2), help="Rows of a block; by default what data and time allow.")
@click.option("--seed", type=SEED, help="Of the split, the noise and the metrics; the run's own by default.")
@click.option("--repeats", type=click.IntRange(min=1), help="Blocks of -n rows; from 2 on with 95 % intervals.")
@click.option(
    "--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, a step, or all for a curve."
)
@click.option("--metric", "single", multiple=True, metavar="NAME", help="Only this one; repeat for more.")
@click.option("--metrics", "several", metavar="NAME,NAME", help="Only these, in one word.")
@click.option("--extractor", metavar="NAME|FILE", help="Whose features: own, values, another by name, or a file.")
@click.option(
    "--weights", multiple=True, metavar="[NAME=]FILE", help="Of an extractor; without its name Inception's, for FID."
)
@click.option("--dataset", metavar="NAME", help="Another dataset than the run's own; --data is then where it lies.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="dataset.KEY=VALUE",
    help="An option of --dataset, or task.KEY; repeat for more.",
)
@click.option("--json", "form", flag_value="json", help="Print JSON instead of a table.")
@click.option("--csv", "form", flag_value="csv", help="Print comma-separated values instead of a table.")
@with_place
@with_extensions
def evaluate(
    run: Path,
    count: int | None,
    seed: int | None,
    repeats: int | None,
    checkpoint: str,
    single: tuple[str, ...],
    several: str | None,
    extractor: str | None,
    weights: tuple[str, ...],
    dataset: str | None,
    settings: tuple[str, ...],
    form: str | None,
    **place: Any,
) -> None:
    """Measure a run on held-out data, beside the real-against-real floor and the task's trivial baselines.

    \b
    Example:
      wganx evaluate runs/first
      wganx evaluate runs/first --checkpoint all --metrics frechet,precision-recall
      wganx evaluate runs/larger --dataset vid4 --data Vid4 --set dataset.size=[480,704]
    """
    from wganx.api import load_run, warn
    from wganx.report import write_report

    named = [*single, *(name.strip() for name in (several or "").split(",") if name.strip())]
    elsewhere = {"dataset": dataset, "data": None if dataset is None else place.pop("data"), "settings": settings}
    loaded = load_run(run, **place)
    with _progress() as watch:
        options: dict[str, Any] = {
            "n": count, "seed": seed, "repeats": repeats, "metrics": named or None, "extractor": extractor,
            "weights": dict(map(_named, weights)) or None, "watch": watch, **elsewhere,
        }  # fmt: skip
        if checkpoint == "all":
            found = loaded.evaluate_all(**options)
        else:
            found = [loaded.evaluate(checkpoint=checkpoint, **options)]
    write_report(loaded.folder.path)
    first = found[0]
    if count is not None and first.n < count:
        warn(
            f"n is {first.n:,} and not {count:,}: {first.heldout:,} held-out items make {2 * first.repeats} such blocks"
        )
    _tell(found, form, curve=checkpoint == "all")
    for evaluation in found:
        for name, message in evaluation.failures.items():
            click.echo(f"wganx: metric {name} failed: {message}", err=True)
    if any(evaluation.failures for evaluation in found):
        raise SystemExit(1)


def _named(weights: str) -> tuple[str, Path]:
    """An extractor and its file; a path may hold an equals sign itself."""
    name, equals, file = weights.partition("=")
    if equals and name.isidentifier() and not Path(weights).exists():
        return name, Path(file)
    return "inception", Path(weights)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Says what is being done: in one line that moves where a person watches, else in nothing."""
    from rich.markup import escape

    with make_console(err=True).status("reading") as status:
        yield lambda doing: status.update(escape(doing))


def _tell(found: Sequence[Evaluation], form: str | None, *, curve: bool) -> None:
    from wganx.cli.numbers import curve_table, evaluation_table, notes
    from wganx.evaluation import as_csv
    from wganx.storage import json_text

    if form == "json":
        records = [evaluation.to_json() for evaluation in found]
        click.echo(json_text(records if curve else records[0], indent=2))
        return
    if form == "csv":
        click.echo(as_csv(found), nl=False)
        return
    console = make_console()
    console.print(curve_table(found) if curve else evaluation_table(found[0], console.width))
    for defeat in found[-1].defeats():
        console.print(f"BEATEN! {defeat}", style="bold red", highlight=False, markup=False)
    for note in notes(found[-1]):
        console.print(note, highlight=False, markup=False)

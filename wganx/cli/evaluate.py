"""``wganx evaluate``"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.selection import with_extensions, with_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from wganx.evaluation import Evaluation, Row


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("-n", "count", type=click.IntRange(min=2), help="Rows of a block; by default what data and time allow.")
@click.option("--seed", type=int, help="Of the split, the noise and the metrics; the run's own by default.")
@click.option("--repeats", type=click.IntRange(min=1), help="Blocks of -n rows; from 2 on with 95 % intervals.")
@click.option(
    "--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, a step, or all for a curve."
)
@click.option("--metric", "single", multiple=True, metavar="NAME", help="Only this one; repeat for more.")
@click.option("--metrics", "several", metavar="NAME,NAME", help="Only these, in one word.")
@click.option("--extractor", metavar="NAME|FILE", help="Whose features: own, values, another by name, or a file.")
@click.option("--weights", type=click.Path(path_type=Path), metavar="FILE", help="Inception's, for FID, KID and IS.")
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
    weights: Path | None,
    form: str | None,
    **place: Any,
) -> None:
    """Measure a run on held-out data, beside the real-against-real floor and the task's trivial baselines.

    \b
    Example:
      wganx evaluate runs/first
      wganx evaluate runs/first --checkpoint all --metrics frechet,precision-recall
    """
    from wganx.api import load_run, warn
    from wganx.report import write_report

    named = [*single, *(name.strip() for name in (several or "").split(",") if name.strip())]
    loaded = load_run(run, **place)
    with _progress() as watch:
        options: dict[str, Any] = {
            "n": count, "seed": seed, "repeats": repeats, "metrics": named or None, "extractor": extractor,
            "weights": weights, "watch": watch,
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


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Says what is being done: in one line that moves where a person watches, else in nothing."""
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True, emoji=False).status("reading") as status:
        yield lambda doing: status.update(escape(doing))


def _tell(found: Sequence[Evaluation], form: str | None, *, curve: bool) -> None:
    from wganx.cli.console import make_console
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
    console.print(_curve(found) if curve else _table(found[0]))
    last = found[-1]
    console.print(last.sentence(), highlight=False, markup=False)
    for name, why in last.skipped.items():
        console.print(f"{name} skipped: {why}", highlight=False, markup=False)


def _table(evaluation: Evaluation) -> Table:
    from rich.markup import escape
    from rich.table import Table

    baselines = list(dict.fromkeys(name for row in evaluation.rows for name in row.baselines))
    table = Table(
        title=f"step {evaluation.step}: {evaluation.n} held-out rows a side (of {evaluation.heldout}), "
        + (f"{evaluation.repeats} times, " if evaluation.repeats > 1 else "")
        + f"seed {evaluation.seed}",
        title_justify="left",
    )
    for heading in ("metric", "value", "better"):
        table.add_column(heading)
    several = any(row.interval is not None for row in evaluation.rows)
    headings = ["generated", *(["95 %"] if several else []), "floor: real"]
    for heading in (*headings, *(escape(f"baseline: {name}") for name in baselines)):
        table.add_column(heading, justify="right")
    table.add_column("extractor")
    before = ""
    for row in evaluation.rows:
        others = [row.baselines.get(name) for name in baselines]
        numbers = ["-" if number is None else f"{number:.4g}" for number in (row.generated, row.floor, *others)]
        if several:
            numbers.insert(1, "" if row.interval is None else " .. ".join(f"{end:.3g}" for end in row.interval))
        name = "" if row.metric == before else row.metric
        table.add_row(escape(name), escape(row.value), row.better or "", *numbers, escape(_whose(row, evaluation)))
        before = row.metric
    return table


def _whose(row: Row, evaluation: Evaluation) -> str:
    """The extractors of a row with the start of their hash, and the rows where they are fewer."""
    names = row.extractor.split(", ") if row.extractor else []
    told = [f"{name}@{evaluation.extractors.get(name, '')[:6]}" for name in names]
    return " ".join([*told, *([] if row.n is None else [f"n={row.n:,}"])])


def _curve(found: Sequence[Evaluation]) -> Table:
    """A row a value, a column a step."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"{found[0].n} held-out rows a side, {found[0].repeats} times", title_justify="left")
    for heading in ("metric", "value", "better"):
        table.add_column(heading)
    for evaluation in found:
        table.add_column(f"step {evaluation.step}", justify="right")
    table.add_column("floor: real", justify="right")
    values = {(row.metric, row.value): row for evaluation in found for row in evaluation.rows}
    by_step = [{(row.metric, row.value): row.generated for row in evaluation.rows} for evaluation in found]
    for key, row in values.items():
        numbers = [f"{step[key]:.4g}" if key in step else "-" for step in by_step]
        table.add_row(escape(row.metric), escape(row.value), row.better or "", *numbers, f"{row.floor:.4g}")
    return table

"""``wganx distance``"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from wganx.cli.completing import plugin_names
from wganx.cli.selection import SEED, with_extensions

if TYPE_CHECKING:
    from rich.table import Table

    from wganx.evaluation import DistanceReport, Interval


@click.command()
@click.argument("a")
@click.argument("b")
@click.option(
    "--plugin", metavar="NAME", shell_complete=plugin_names,
    help="Whose files they are, where A or B is a folder or archive.",
)  # fmt: skip
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="NAME",
    help="exact-w1, sliced-w1, sliced-w2, max-sliced-w1, sinkhorn, energy, mmd, orthogonal, lipschitz-penalty, "
    "bracket; repeat for more. exact-w1, sliced-w1 and energy by default.",
)
@click.option("--n", "rows", type=click.IntRange(min=2), help="Rows of a block; 500 by default, or what there is.")
@click.option("--repeats", type=click.IntRange(min=2), help="Pairs of blocks; 10 by default, fewer for small sets.")
@click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="For the plugin: dataset.size=32.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the blocks and the methods' own draws.")
@with_extensions
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def distance(
    a: str,
    b: str,
    plugin: str | None,
    methods: tuple[str, ...],
    rows: int | None,
    repeats: int | None,
    settings: tuple[str, ...],
    seed: int,
    as_json: bool,
    extensions: tuple[str, ...],
) -> None:
    """Measure how far two sets of samples lie apart, beside how far each lies from itself.

    A and B are each a folder or archive of files, a .npy, .npz (FILE.npz:NAME) or .safetensors file, or a run folder,
    which stands for what its generator makes. Beside a run, a folder is read by the run's plugin in the run's format.

    \b
    Example:
      wganx distance ./photos runs/first --plugin image --set dataset.size=32
    """
    from rich.markup import escape

    from wganx.api import warn
    from wganx.cli.console import make_console
    from wganx.evaluation import measure_distances
    from wganx.runs import open_pair
    from wganx.storage import json_text

    sides = open_pair(a, b, plugin=plugin, settings=settings, extensions=extensions, warn=warn)
    with make_console(err=True).status("reading") as status:

        def watch(doing: str) -> None:
            status.update(escape(doing))

        report = measure_distances(*sides, methods=methods, n=rows, repeats=repeats, seed=seed, watch=watch, tell=warn)
    for note in report.notes:
        warn(note)
    if as_json:
        click.echo(json_text(report.to_json(), indent=2))
        return
    console = make_console()
    console.print(_table(report))
    console.print(report.sentence(), highlight=False, markup=False)


def _table(report: DistanceReport) -> Table:
    from rich.table import Table
    from rich.text import Text

    shape = "x".join(str(size) for size in report.shape) or "1"
    title = f"A {report.a}, B {report.b}: samples of {shape}, seed {report.seed}"
    # As text: in markup, a file's name such as z.npz:b: would become a picture.
    table = Table("method", title=Text(title, style="table.title"), title_justify="left")
    for heading in ("A and B", "floor A", "floor B", "excess", "ratio", "n", "seconds"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        intervals = (row.between, row.floor_a, row.floor_b, row.excess)
        ratio = "-" if row.ratio is None else f"{row.ratio:.3g}"
        table.add_row(row.method, *map(_text, intervals), ratio, str(report.n), f"{row.seconds:.1f}")
    return table


def _text(found: Interval) -> str:
    return f"{found.mean:.4g} \\[{found.low:.4g}, {found.high:.4g}]"

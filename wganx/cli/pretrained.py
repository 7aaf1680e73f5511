"""``wganx pretrained``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.completing import device_names, plugin_names
from wganx.cli.paths import PATH
from wganx.cli.selection import SEED, with_trust

if TYPE_CHECKING:
    from wganx.pretrained import Opened

_PLUGIN = click.option(
    "--plugin", metavar="NAME", shell_complete=plugin_names,
    help="Whose layouts to read; every installed plugin's by default.",
)  # fmt: skip
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@click.group()
def pretrained() -> None:
    """Look into trained generators of other projects and of wganx, and draw from them. Nothing is fetched.

    \b
    Example:
      wganx pretrained list ./weights
      wganx pretrained inspect celeba-6196db68.pth
      wganx pretrained sample celeba-6196db68.pth -n 16 --out faces
      wganx train --plugin image --data ./photos --init celeba-6196db68.pth
    """


@pretrained.command("list")
@click.argument("folder", required=False, type=PATH)
@_PLUGIN
@_JSON
def list_pretrained(folder: Path | None, plugin: str | None, as_json: bool) -> None:
    """The layouts that are read; of FOLDER, what lies in it.

    \b
    Example:
      wganx pretrained list
      wganx pretrained list ./weights --json
    """
    from wganx.errors import DataError, WganxError
    from wganx.pretrained import listed, open_pretrained
    from wganx.runs.pretrained import known_layouts

    known = known_layouts(plugin)
    for line in known.broken:
        click.echo(f"wganx: {line}", err=True)
    rows = []
    if folder is None:
        rows = [
            {"layout": each.name, "modality": each.modality, "what it is": each.summary, "source": each.card.source}
            for each in known.layouts
        ]
    elif not folder.is_dir():
        raise DataError(f"there is no folder {folder}; check the spelling")
    for path in listed(folder) if folder is not None else ():
        try:
            rows.append({"name": path.name, "what it holds": open_pretrained(path, known.layouts).in_words()})
        except WganxError as error:
            rows.append({"name": path.name, "what it holds": f"cannot be read: {error}"})
    _print(rows, as_json, empty="no files of weights and no run folders")


@pretrained.command()
@click.argument("path", type=PATH)
@_PLUGIN
@_JSON
def inspect(path: Path, plugin: str | None, as_json: bool) -> None:
    """What a file, a run folder or a checkpoint holds: layout, size, noise, labels, numbers, hash, licence.

    \b
    Example:
      wganx pretrained inspect celeba-6196db68.pth
    """
    from wganx.pretrained import open_pretrained
    from wganx.runs.pretrained import known_layouts

    facts = _facts(open_pretrained(path, known_layouts(plugin).layouts))
    if as_json:
        click.echo(json.dumps(facts, indent=2))
    else:
        _print([{"": name, " ": value} for name, value in facts.items()], as_json=False)


@pretrained.command("sample")
@click.argument("path", type=PATH)
@click.option("-n", "count", type=click.IntRange(min=1), default=16, show_default=True, help="How many.")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the noise.")
@click.option("--given", multiple=True, metavar="LABEL=CLASS", help="A class, for a generator with labels.")
@click.option("--truncation", type=float, default=1.0, help="Below 1, samples are more typical and more alike.")
@click.option("--walk", type=click.IntRange(min=2), metavar="STOPS", help="Go from noise to noise, a picture a stop.")
@click.option("--out", required=True, type=PATH, metavar="DIR", help="Where to write.")
@click.option("--overwrite", is_flag=True, help="Put them in place of those that an earlier draw left in --out.")
@click.option(
    "--device", default="auto", show_default=True, metavar="NAME", shell_complete=device_names, help="Where to compute."
)
@_PLUGIN
@with_trust
def sample_pretrained(
    path: Path,
    count: int,
    seed: int,
    given: tuple[str, ...],
    truncation: float,
    walk: int | None,
    out: Path,
    overwrite: bool,
    device: str,
    plugin: str | None,
) -> None:
    """Draw from a trained generator: single files and a grid, or with --walk the way between two noises.

    \b
    Example:
      wganx pretrained sample celeba-6196db68.pth -n 16 --out faces
      wganx pretrained sample celeba-6196db68.pth -n 4 --walk 9 --out walk --truncation 0.7
    """
    from wganx.cli.selection import labels_and_classes
    from wganx.runs.pretrained import open_generator

    generator = open_generator(path, plugin=plugin, device=device)
    how: dict[str, Any] = {"seed": seed, "given": labels_and_classes(given), "truncation": truncation}
    if walk is not None:
        files = generator.walk(count, walk, out, **how, overwrite=overwrite)
        click.echo(f"{len(files)} stops of {count} samples under {out}")
        return
    *files, grid = generator.write(count, out, **how, overwrite=overwrite)
    click.echo(f"{count} samples in {len(files)} files under {out}; all at once: {grid}")


def _facts(opened: Opened) -> dict[str, str]:
    found = opened.pretrained
    made = {
        "generator": found.generator if found else "unknown: tensors by name alone",
        "makes": str(found.sample) if found else "unknown",
        "noise": " x ".join(map(str, found.noise)) or "none" if found else "unknown",
        "labels": ", ".join(f"{name}: {len(format.classes)}" for name, format in found.context.items()) or "none"
        if found
        else "unknown",
    }
    return {
        "path": str(opened.path),
        "layout": opened.layout,
        **made,
        "parameters": f"{opened.parameters:,}",
        "sha256": opened.sha256,
        "source": opened.source,
        "licence": opened.licence,
    }


def _print(rows: list[dict[str, str]], as_json: bool, empty: str = "") -> None:
    from rich.markup import escape
    from rich.table import Table

    from wganx.cli.console import make_console

    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    if not rows:
        click.echo(empty)
        return
    table = Table(*rows[0], box=None)
    for row in rows:
        table.add_row(*map(escape, row.values()))
    make_console().print(table)

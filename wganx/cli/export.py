"""``wganx export``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wganx.cli.completing import run_folders
from wganx.cli.paths import PATH
from wganx.cli.selection import with_trust

if TYPE_CHECKING:
    from wganx.export.subject import Role

_FORMATS = ("safetensors", "torch-export", "onnx")


@click.command()
@click.argument("run", type=PATH, shell_complete=run_folders)
@click.option("--format", "format", required=True, type=click.Choice(_FORMATS), help="How to write it.")
@click.option(
    "--what",
    type=click.Choice(["generator", "critic", "whole"]),
    default="generator",
    show_default=True,
    help="The averaged generator; the critic; or the whole of a converter, from sound to sound.",
)
@click.option("--checkpoint", default="last", show_default=True, metavar="WHICH", help="last, best, or a step.")
@click.option(
    "--out",
    type=PATH,
    metavar="DIR",
    help="A new folder to write; RUN/exports/WHAT-FORMAT by default.",
)
@with_trust
def export(run: Path, format: str, what: Role, checkpoint: str, out: Path | None) -> None:
    """Write a run's generator or critic for use without the run, with a card that says what goes in and comes out.

    The number of rows is free, and so are sizes that the network leaves free: the length of a converted sound, the
    height and width of a translated picture or film. What was written is read back and compared before it is kept.

    \b
    Example:
      wganx export runs/first --format onnx
      wganx export runs/voices --format onnx --what whole --out voices-onnx
      wganx export runs/faces --format torch-export --checkpoint best --out faces
      wganx export runs/first --format safetensors --what critic --out critic
    """
    from wganx.api import warn
    from wganx.export import export as write
    from wganx.runs import RunFolder

    out = out or run / "exports" / f"{what}-{format}"
    RunFolder(run).check_own(out.parent)
    done = write(run, out, format=format, what=what, checkpoint=checkpoint, warn=warn)
    found = done.agreement
    click.echo(f"{', '.join(done.files)} in {done.folder}")
    click.echo(
        f"read back and compared with the module: the largest difference is {found.difference:.2g}, of values up to "
        f"{found.largest:.3g} ({found.tried})"
    )
    if done.fixed:
        click.echo(done.fixed)

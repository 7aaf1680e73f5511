"""``wganx config``"""

from __future__ import annotations

import json
from typing import Any

import click

from wganx.cli.selection import choosing_a_run


@click.group()
def config() -> None:
    """Look at a run's configuration before running it.

    \b
    Example:
      wganx config show --plugin image --set train.steps=500
    """


@config.command()
@choosing_a_run
@click.option("--origins", is_flag=True, help="A line a key, with where its value comes from.")
def show(origins: bool, **choice: Any) -> None:
    """Print the resolved configuration, itself a valid --config file.

    Takes a few seconds: the options of objectives, constraints and optimizers are those of their classes, which are
    made to check them, and that needs torch.

    \b
    Example:
      wganx config show --plugin image > mine.yaml
      wganx config show --plugin image --set train.steps=500 --origins
    """
    from wganx.config import resolve

    resolved = resolve(**choice)
    for note in resolved.notes:
        click.echo(f"wganx: {note}", err=True)
    if not origins:
        click.echo(resolved.to_yaml(), nl=False)
        return
    lines = [(key, json.dumps(value, ensure_ascii=False), origin) for key, value, origin in resolved.settings()]
    widths = [max(len(line[column]) for line in lines) for column in (0, 1)]
    for key, value, origin in lines:
        click.echo(f"{key:<{widths[0]}}  {value:<{widths[1]}}  {origin}")


@config.command()
@choosing_a_run
def schema(**choice: Any) -> None:
    """Print the JSON schema of the configuration, for editors.

    \b
    Example:
      wganx config schema --plugin image > image.schema.json
    """
    from wganx.config import resolve
    from wganx.config import schema as describe

    click.echo(json.dumps(describe(resolve(**choice)), indent=2))

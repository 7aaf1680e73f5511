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
def show(**choice: Any) -> None:
    """Print the resolved configuration, itself a valid --config file.

    Takes a few seconds: the options of objectives, constraints and optimizers are those of their classes, which are
    made to check them, and that needs torch.

    \b
    Example:
      wganx config show --plugin image > mine.yaml
    """
    from wganx.config import resolve

    resolved = resolve(**choice)
    for note in resolved.notes:
        click.echo(f"wganx: {note}", err=True)
    click.echo(resolved.to_yaml(), nl=False)


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

"""``wganx lab``: the points plugin's demonstrations, a word shorter."""

from __future__ import annotations

import click

_FORWARD = {"ignore_unknown_options": True, "help_option_names": []}  # --help, too, is the plugin's


@click.command(context_settings=_FORWARD, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def lab(ctx: click.Context, arguments: tuple[str, ...]) -> None:
    """Show a piece of the theory at work (the same as wganx points lab)."""
    from wganx.plugins import plugin_commands

    own = next(command for command in plugin_commands("points") if command.name == "lab")
    with own.make_context("lab", list(arguments), parent=ctx.parent) as inner:
        own.invoke(inner)

"""Every command with what its ``--help`` says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping

import click

from from_code.markdown import code, fenced, prose, table
from wganx.cli import main
from wganx.plugins import discover, plugin_commands

OPTIONS = ("Option", "Meaning")

Words = tuple[str, ...]
"""A command by its words, `wganx` first."""


def commands() -> str:
    """The root, every command and subcommand, and the commands that the built-in plugins bring."""
    root = click.Context(main, info_name="wganx", **main.context_settings)
    rows = [(f"[`{' '.join(path)}`](#{anchor(path)})", _help(command)[0]) for path, command in walk()]
    parts = [
        table(("Command", "What it does"), rows),
        "Options of `wganx` itself:",
        table(OPTIONS, _options(main, root)),
        "Every command explains itself with `--help`.",
        *(_command(path, command) for path, command in walk()),
    ]
    return "\n\n".join(parts)


def walk() -> Iterator[tuple[Words, click.Command]]:
    """Every command by its words, a group before its own commands; those of the built-in plugins last."""
    yield from _below(("wganx",), main.commands)
    for found in discover():
        if found.distribution == "wganx":
            offered = {str(command.name): command for command in plugin_commands(found.name)}
            yield from _below(("wganx", found.name), offered)


def _below(
    path: tuple[str, ...], offered: Mapping[str, click.Command]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in sorted(offered.items()):
        if command.hidden:
            continue
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _below((*path, name), command.commands)


def anchor(path: Words) -> str:
    """Where a command stands on the page."""
    return "-".join(path)


def _command(path: Words, command: click.Command) -> str:
    # Its parent is the root, whatever group it is in: from there it inherits how help is asked for.
    root = click.Context(main, info_name="wganx", **main.context_settings)
    context = click.Context(command, root, path[-1], **command.context_settings)
    usage = " ".join([*path, *command.collect_usage_pieces(context)])
    options = list(_options(command, context))
    depth = len(path) if path[1] in main.commands else len(path) - 1  # a plugin's name is no command of the page
    heading = "#" * min(depth, 3) + f" {' '.join(path)}"
    listed = [table(OPTIONS, options)] if options else []
    return "\n\n".join([heading, fenced(usage), *_help(command), *listed])


def _help(command: click.Command) -> list[str]:
    r"""The paragraphs of a help text; those that begin with ``\b`` as they are typed."""
    blocks: list[str] = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or command.short_help or "")):
        if not paragraph.startswith("\b"):
            blocks.append(prose(" ".join(paragraph.split())))
            continue
        lines = paragraph.splitlines()[1:]
        if lines and lines[0].rstrip().endswith(":") and len(lines) > 1:
            blocks.append(prose(lines.pop(0).strip()))
        blocks.append(fenced(inspect.cleandoc("\n".join(lines))))
    return blocks


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for parameter in command.params:  # without --help, which every command has
        record = parameter.get_help_record(context)
        if record is not None and record[1]:  # arguments stand in the usage line
            yield code(record[0]), prose(record[1])

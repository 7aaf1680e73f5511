"""``wganx plugins``"""

from __future__ import annotations

import json
from typing import Any

import click

from wganx.errors import PluginError
from wganx.parts import Part
from wganx.plugins import Description, describe, describe_all
from wganx.plugins.descriptors import Config


@click.group(invoke_without_command=True)
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List the installed plugins, or show one.

    \b
    Example:
      wganx plugins
      wganx plugins show image
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_plugins)


@plugins.command("list")
@click.option("--strict", is_flag=True, help="Exit with 1 when a plugin is broken.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def list_plugins(strict: bool = False, as_json: bool = False) -> None:
    """Every installed plugin; a broken one is a row, not a failure.

    \b
    Example:
      wganx plugins list --json
    """
    rows = describe_all()
    if as_json:
        fields = ("name", "distribution", "version", "target", "api", "status", "provides")
        click.echo(json.dumps([{field: getattr(row, field) for field in fields} for row in rows], indent=2))
    else:
        _print_table(rows)
    if strict and any(row.status != "ok" for row in rows):
        raise SystemExit(1)


def _print_table(rows: list[Description]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from wganx.cli.console import make_console

    table = Table("plugin", "distribution", "API", "status", "provides", box=None)
    for row in rows:
        status = "[green]ok" if row.status == "ok" else "[red]broken"
        api = "" if row.api is None else str(row.api)
        table.add_row(row.name, f"{row.distribution} {row.version}", api, status, escape(row.provides))
    make_console().print(table)


@plugins.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def show(name: str, as_json: bool) -> None:
    """Everything one plugin offers, and the options of each part.

    \b
    Example:
      wganx plugins show image
    """
    found = describe(name)
    if found.cause is not None:
        raise PluginError(f"plugin {found.name!r} ({found.distribution} {found.version}) {found.cause}")
    offers = [
        {
            "kind": offer.kind,
            "name": offer.name,
            "summary": offer.summary,
            "options": {key: field.get_default() for key, field in _options(offer).items()},
        }
        for offer in found.offers
    ]
    offers += [
        {"kind": "command", "name": name, "summary": f"wganx {found.name} {name}", "options": {}}
        for name in found.commands
    ]
    offers += [
        {"kind": "observer", "name": hook, "summary": "told during a run", "options": {}} for hook in found.observes
    ]
    if as_json:
        plugin = {key: getattr(found, key) for key in ("name", "distribution", "version", "target", "api")}
        click.echo(json.dumps({**plugin, "offers": offers}, indent=2, default=str))
        return
    _print_offers(found, offers)


def _options(offer: Part) -> dict[str, Any]:
    """The options of a part that has a configuration of its own."""
    model = getattr(offer, "config", None)
    return dict(model.model_fields) if isinstance(model, type) and issubclass(model, Config) else {}


def _print_offers(found: Description, offers: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from wganx.cli.console import make_console

    console = make_console()
    console.print(
        f"{found.name}  {found.distribution} {found.version}  {found.target}  API {found.api}", highlight=False
    )
    table = Table("kind", "name", "what it is", "options", box=None)
    for offer in offers:
        options = "  ".join(f"{key}={value}" for key, value in offer["options"].items())
        table.add_row(offer["kind"], f"[bold]{offer['name']}", escape(offer["summary"]), escape(options))
    console.print(table)

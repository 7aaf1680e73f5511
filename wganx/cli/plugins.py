"""``wganx plugins``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wganx.cli.completing import plugin_names
from wganx.cli.paths import PATH
from wganx.errors import PluginError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from wganx.parts import Part
    from wganx.plugins import Description


@click.group(invoke_without_command=True)
@click.pass_context
def plugins(ctx: click.Context) -> None:
    """List the installed plugins, show or check one, or begin a new one.

    \b
    Example:
      wganx plugins
      wganx plugins show image
      wganx plugins check image
      wganx plugins new spectro --modality audio
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
    from wganx.plugins import describe_all

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
        table.add_row(row.name, escape(f"{row.distribution} {row.version}"), api, status, escape(row.provides))
    make_console().print(table)


@plugins.command()
@click.argument("name", shell_complete=plugin_names)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def show(name: str, as_json: bool) -> None:
    """Everything one plugin offers, and the options of each part.

    \b
    Example:
      wganx plugins show image
    """
    from wganx.plugins import describe

    found = describe(name)
    if found.cause is not None:
        raise PluginError(f"plugin {found.name!r} ({found.distribution} {found.version}) {found.cause}")
    offers = [
        {
            "kind": offer.kind,
            "name": offer.name,
            "summary": offer.summary,
            "options": {key: _default(field) for key, field in _options(offer).items()},
            "flags": [f"--{name.replace('_', '-')}" for name in getattr(offer, "applied", ())],
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


def _options(offer: Part) -> dict[str, FieldInfo]:
    """The options of a part that has a configuration of its own."""
    from wganx.plugins.descriptors import Config

    model = getattr(offer, "config", None)
    return dict(model.model_fields) if isinstance(model, type) and issubclass(model, Config) else {}


def _default(field: FieldInfo) -> Any:
    """What an option is where nobody sets it."""
    return "(required)" if field.is_required() else field.get_default(call_default_factory=True)


def _print_offers(found: Description, offers: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from wganx.cli.console import make_console

    console = make_console()
    console.print(
        f"{found.name}  {found.distribution} {found.version}  {found.target}  API {found.api}",
        highlight=False,
        markup=False,
    )
    table = Table("kind", "name", "what it is", "options", box=None)
    for offer in offers:
        options = "  ".join(f"{key}={value}" for key, value in offer["options"].items())
        if flags := offer.get("flags"):
            options += f"  (for files, of wganx sample RUN --source: {' '.join(flags)})"
        table.add_row(offer["kind"], f"[bold]{escape(offer['name'])}", escape(offer["summary"]), escape(options))
    console.print(table)


@plugins.command()
@click.argument("name", shell_complete=plugin_names)
@click.option("--only", "group", metavar="GROUP", help="Make the checks of one group alone: dataset, critic, ...")
@click.option("--root", "roots", multiple=True, metavar="DATASET=PATH", help="Files for a dataset that reads some.")
@click.option("--json", "as_json", is_flag=True, help="Print every result as JSON.")
def check(name: str, group: str | None, roots: tuple[str, ...], as_json: bool) -> None:
    """Whether a plugin keeps its side of the contracts, and how to mend it where it does not.

    Exits with 1 when a check failed.

    \b
    Example:
      wganx plugins check image
      wganx plugins check ./my_plugin.py --only critic
      wganx plugins check image --root folder=./photos
    """
    from wganx.cli.checking import checked, print_results

    results = checked(name, group, roots)
    if as_json:
        fields = ("id", "status", "text", "mend")
        click.echo(json.dumps([{field: getattr(result, field) for field in fields} for result in results], indent=2))
    else:
        print_results(results)
    if any(result.status == "failed" for result in results):
        raise SystemExit(1)


@plugins.command()
@click.argument("name")
@click.option("--modality", help="The kind of sample it is about: image, points, or one of its own.")
@click.option("--kind", default="modality", show_default=True, help="What it brings; see below.")
@click.option("--out", type=PATH, help="The folder to write; wganx-NAME by default.")
def new(name: str, modality: str | None, kind: str, out: Path | None) -> None:
    """Write a small, complete plugin package to begin from.

    Kinds: modality (everything, from items to pictures), dataset, architecture, metric, constraint, observer.

    \b
    Example:
      wganx plugins new spectro --modality spectrum
      wganx plugins new blobs --kind dataset --modality image
    """
    from wganx.templates import render

    folder = render(name, kind, modality, out)
    click.echo(f"{folder} holds a plugin that works: install it, and look whether it keeps the contracts")
    click.echo(f"  pip install -e {folder}")
    click.echo(f"  wganx plugins check {name}")

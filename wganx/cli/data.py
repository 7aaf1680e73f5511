"""``wganx data``"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wganx.cli.completing import plugin_names
from wganx.cli.paths import PATH

if TYPE_CHECKING:
    from wganx.data import ScanReport
    from wganx.plugins import Catalog
    from wganx.plugins.descriptors import Dataset


@click.group()
def data() -> None:
    """Look at data before training on it.

    \b
    Example:
      wganx data scan ./photos --plugin image
    """


@data.command()
@click.argument("path", type=PATH)
@click.option("--plugin", metavar="NAME", shell_complete=plugin_names, help="Whose files they are.")
@click.option("--dataset", metavar="NAME", help="Read them as this dataset does: its splits, its labels.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def scan(path: Path, plugin: str | None, dataset: str | None, as_json: bool) -> None:
    """Count files, sizes and classes; name duplicates and unreadable files.

    \b
    Example:
      wganx data scan ./photos --plugin image
    """
    from wganx.data import scan as scan_files
    from wganx.data.watchdog import Wait
    from wganx.plugins import discover, load
    from wganx.plugins.guard import call
    from wganx.storage import json_text

    if plugin is None:
        names = ", ".join(sorted({found.name for found in discover()})) or "none"
        raise click.UsageError(f"say whose files they are, with --plugin image for pictures (installed: {names})")
    reader = _reader(load([plugin]), plugin, dataset)
    if reader.listing is not None:
        with Wait(f"listing {path}", opaque=True):
            listing = call(reader, "listing", path)
        report = scan_files(path, reader.suffixes, reader.factory("probe"), reader.mends, listing=listing)
    else:
        report = scan_files(path, reader.suffixes, reader.factory("probe"), reader.mends)
    if as_json:
        click.echo(json_text(report.to_json(), indent=2))
    else:
        _print(report)


def _reader(catalog: Catalog, plugin: str, name: str | None) -> Dataset:
    """The dataset whose probe looks at the files.

    Raises:
        UsageError: the plugin has none, or none of that name.
    """
    from wganx.errors import UsageError, did_you_mean
    from wganx.plugins.descriptors import Dataset

    probing = {offer.name: offer for offer in catalog.offers(Dataset) if offer.probe is not None}
    if name is None:
        if (folder := next((offer for offer in probing.values() if offer.folder), None)) is None:
            raise UsageError(f"plugin {plugin!r} reads no folders of files, so there is nothing to scan for it")
        return folder
    if name not in probing:
        known = ", ".join(probing) or "none"
        raise UsageError(
            f"no files of a dataset {name!r} can be scanned{did_you_mean(name, probing)}; datasets: {known}"
        )
    return probing[name]


def _print(report: ScanReport) -> None:
    from rich.markup import escape
    from rich.table import Table

    from wganx.cli.console import make_console
    from wganx.data.telling import balance_in_words, left_out

    console = make_console()
    counts = ", ".join(f"{name} {count:,}" for name, count in report.splits.items())
    beside = f"; {report.beside:,} are read beside these" if report.beside else ""
    console.print(
        f"{report.files:,} files, {report.bytes / 1e6:,.1f} MB; {counts} {report.how}{beside}", highlight=False
    )
    for label, classes in report.labels.items():
        console.print(f"{label}: {balance_in_words(classes)}", highlight=False, markup=False)
    if report.classes:
        table = Table("class", *report.splits, box=None)
        for name, per_split in report.classes.items():
            table.add_row(escape(name), *(f"{per_split.get(split, 0):,}" for split in report.splits))
        console.print(table)
    elif not report.labels:
        console.print("no classes", highlight=False)
    for remark in report.remarks:
        console.print(f"look: {remark}", highlight=False, markup=False)
    for name, values in report.properties.items():
        shown = ", ".join(f"{value} {count:,}" for value, count in list(values.items())[:8])
        more = f", and {len(values) - 8:,} more" if len(values) > 8 else ""
        console.print(f"{name}: {shown}{more}", highlight=False, markup=False)
    for what, paths in report.noted.items():
        more = f" and {len(paths) - 10:,} more" if len(paths) > 10 else ""
        console.print(f"look: {what}: {len(paths):,}: {', '.join(paths[:10])}{more}", highlight=False, markup=False)
    groups_found = {"duplicates": report.duplicates, "nearly the same": report.alike, "in both splits": report.leaked}
    for heading, groups in groups_found.items():
        if groups or heading != "nearly the same":  # most probes describe nothing
            console.print(f"{heading}: {len(groups):,}", highlight=False)
        for group in groups[:10]:
            more = f" and {len(group) - 8:,} more" if len(group) > 8 else ""
            console.print(f"  {' = '.join(group[:8])}{more}", highlight=False, markup=False)
    console.print(f"unreadable: {len(report.unreadable):,}", highlight=False)
    for path, reason in report.unreadable.items():
        console.print(f"  {path}: {reason}", highlight=False, markup=False)
    for line in left_out(report.skipped, report.skipped_runs, report.outside, report.mends):
        console.print(line, highlight=False, markup=False)

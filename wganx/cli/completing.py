"""What a shell offers after Tab beside commands and options: names of plugins and scenarios, and run folders.

A shell starts the command anew at every Tab, so nothing here imports torch, nor pydantic where it can be helped.
"""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

from wganx.errors import WganxError
from wganx.names import at_home

if TYPE_CHECKING:
    import click

    from wganx.plugins import FoundPlugin

DEVICES = ("auto", "cpu", "cuda", "mps")


def plugin_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The installed plugins, and files of Python where a path has begun."""
    from wganx.plugins.discovery import discover

    if incomplete.startswith((".", "/", "~")):
        return [CompletionItem(incomplete, type="file")]
    return [
        CompletionItem(found.name, help=found.package)
        for found in discover()
        if found.name.startswith(incomplete)
    ]  # fmt: skip


def scenario_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The scenarios of the plugin that the line names; none without ``--plugin``, or where it does not load."""
    with suppress(WganxError):
        return [name for name in _scenarios(ctx.params.get("plugin")) if name.startswith(incomplete)]
    return []


def device_names(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Kinds of devices; which of them are there only torch knows."""
    return [name for name in DEVICES if name.startswith(incomplete)]


def run_folders(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Run folders where the word that was begun points, the last touched first; folders, where there are none.

    While nothing is typed, those in ``runs``, where a training puts its own, as well.
    """
    where = [incomplete if incomplete.endswith("/") else incomplete[: incomplete.rfind("/") + 1]]
    if not incomplete:
        where.append("runs/")
    runs = [run for folder in where for run in _runs_in(folder) if run.startswith(incomplete)]
    # Never both: zsh would find a run a second time as a folder, and complete neither.
    return [CompletionItem(run) for run in runs] or [CompletionItem(incomplete, type="dir")]


def _runs_in(folder: str) -> list[str]:
    """Run folders in one that is written with a slash at its end, in its writing."""
    with suppress(OSError, RuntimeError):  # no such folder, or no such user after ``~``
        found = sorted(at_home(folder).glob("*/run.json"), key=lambda file: -file.stat().st_mtime)
        return [folder + file.parent.name for file in found]
    return []


def _scenarios(plugin: Any) -> list[str]:
    from wganx.plugins.discovery import find

    if not isinstance(plugin, str):
        return []
    found = find(plugin)
    if found.distribution == "wganx":
        return _own_scenarios(found)
    from wganx.plugins import load
    from wganx.plugins.descriptors import Scenario

    return [scenario.name for scenario in load([plugin]).offers(Scenario)]


def _own_scenarios(found: FoundPlugin) -> list[str]:
    """Those of a built-in plugin by the names of their files, which a test holds: loading it takes thrice as long."""
    spec = find_spec(found.target)
    folders = (spec.submodule_search_locations or []) if spec is not None else []
    return sorted(file.stem for folder in folders for file in Path(folder, "scenarios").glob("*.yaml"))

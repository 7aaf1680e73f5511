"""The options that choose a run, shared by the commands that take them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from wganx.cli.completing import device_names, plugin_names, scenario_names
from wganx.cli.paths import PATH
from wganx.errors import UsageError
from wganx.names import shortened

F = TypeVar("F", bound=Callable[..., Any])

EXTENSION = "A plugin beside it that only adds parts; repeat for more."


class _Seed(click.types.IntParamType):
    """A whole number that torch takes for a seed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        seed = super().convert(value, param, ctx)
        if not -(2**63) <= seed < 2**63:
            self.fail(f"{shortened(str(value), 40)} has more than 64 bits", param, ctx)
        return seed


SEED = _Seed()

_OPTIONS = (
    click.option(
        "--plugin", metavar="NAME", shell_complete=plugin_names,
        help="Plugin: an installed name, DISTRIBUTION:NAME, or ./file.py.",
    ),
    click.option(
        "--scenario", metavar="NAME", shell_complete=scenario_names,
        help="The run to start from; the plugin's first one by default.",
    ),
    click.option("--config", type=PATH, metavar="FILE", help="YAML file of sections."),
    click.option("--data", metavar="PATH", help="A folder or archive of your own."),
    click.option("--set", "settings", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting; repeat for more."),
    click.option(
        "--extension", "extensions", multiple=True, metavar="NAME", shell_complete=plugin_names, help=EXTENSION
    ),
    click.option("--device", metavar="NAME", shell_complete=device_names, help="auto, cpu, cuda, cuda:1, mps, ..."),
    click.option("--seed", type=SEED, metavar="N", help="Fixes every random stream."),
)  # fmt: skip


def with_trust(command: F) -> F:
    """Adds ``--trust`` to a command that opens what was stored, and may find code named there."""

    def allow(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
        from wganx.trust import trusting

        if wanted:
            ctx.with_resource(trusting())

    option = click.option(
        "--trust", is_flag=True, expose_value=False, callback=allow,
        help="Run plugins that are files and are named by a stored configuration, now and from now on.",
    )  # fmt: skip
    return option(command)


def with_extensions(command: F) -> F:
    """Adds ``--extension`` to a command on a run that is there, and ``--trust``."""
    option = click.option(
        "--extension", "extensions", multiple=True, metavar="NAME", shell_complete=plugin_names, help=EXTENSION
    )
    return option(with_trust(command))


def with_place(command: F) -> F:
    """Adds ``--device`` and ``--data`` to a command on a run that is there, which may have come from elsewhere."""
    device = click.option(
        "--device", metavar="NAME", shell_complete=device_names,
        help="Where to compute now: auto, cpu, cuda, cuda:1, mps, ...",
    )  # fmt: skip
    return device(click.option("--data", metavar="PATH", help="Where its data lies now, if it was moved.")(command))


def choosing_a_run(command: F) -> F:
    """Adds the options from which `wganx.config.resolve` makes a run, and ``--trust``."""
    command = with_trust(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def labels_and_classes(texts: Iterable[str]) -> dict[str, str]:
    """What every ``--given LABEL=CLASS`` says.

    Raises:
        UsageError: one has no ``=``, or a label is there twice.
    """
    chosen: dict[str, str] = {}
    for text in texts:
        label, equals, name = text.partition("=")
        if not (label and equals):
            raise UsageError(f"--given {text}: write it as LABEL=CLASS, for example --given speaker=anna")
        if label in chosen:
            raise UsageError(f"--given {label} is there twice, with {chosen[label]} and {name}; give it once")
        chosen[label] = name
    return chosen

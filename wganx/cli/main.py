"""The ``wganx`` command."""

from __future__ import annotations

import io
import sys
import traceback
from typing import Any

import click

from wganx import process
from wganx.cli.board import board
from wganx.cli.compare import compare
from wganx.cli.completion import completion
from wganx.cli.config import config
from wganx.cli.console import as_it_is, shown
from wganx.cli.data import data
from wganx.cli.demo import demo
from wganx.cli.distance import distance
from wganx.cli.doctor import doctor
from wganx.cli.evaluate import evaluate
from wganx.cli.export import export
from wganx.cli.lab import lab
from wganx.cli.plugins import plugins
from wganx.cli.pretrained import pretrained
from wganx.cli.pull import pull
from wganx.cli.push import push
from wganx.cli.report import report
from wganx.cli.resume import resume
from wganx.cli.sample import sample
from wganx.cli.train import train
from wganx.cli.tune import tune
from wganx.errors import WganxError
from wganx.memory import within_available_memory
from wganx.names import visible


class Failure(click.ClickException):
    """A wganx error on its way to the terminal: one message, no traceback, its own exit code."""

    def __init__(self, error: Exception) -> None:
        said = str(error) or type(error).__name__
        if isinstance(error, OSError) and error.filename and error.strerror:  # without the system's number
            said = f"{error.filename}: {error.strerror}"
        super().__init__(said)
        self.exit_code = error.exit_code if isinstance(error, WganxError) else 1  # type: ignore[misc]

    def show(self, file: Any = None) -> None:
        if getattr(self.__context__, "told_elsewhere", False) or getattr(self.__cause__, "told_elsewhere", False):
            return
        click.echo(f"wganx: {visible(self.message)}", err=True)


class _OfPlugin(click.Group):
    """A plugin's own commands, which print as they like."""

    def invoke(self, ctx: click.Context) -> Any:
        with as_it_is():
            return super().invoke(ctx)


class Wganx(click.Group):
    """The core's commands, and ``wganx PLUGIN COMMAND`` for plugins that bring some, loaded only when named."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # where a letter has no place, it must not end the command
                stream.reconfigure(errors="backslashreplace")
        with shown(), process.own(), process.interrupts_kept(), within_available_memory():
            return super().main(*args, **kwargs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            return command
        from wganx.plugins import discover, plugin_commands

        if any(found.name == cmd_name for found in discover()):
            return _OfPlugin(
                cmd_name,
                commands={str(own.name): own for own in plugin_commands(cmd_name)},
                help=f"Commands of plugin {cmd_name!r}.",
            )
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click ends without a word where nobody reads
        except (WganxError, OSError) as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            raise Failure(error) from error
        except (MemoryError, RuntimeError) as error:
            from wganx.devices import out_of_memory

            if ctx.params.get("debug") or not out_of_memory(error):
                raise
            raise Failure(WganxError("there is not enough memory; take less at a time, or smaller sizes")) from error


def _tell_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from wganx import __version__
        from wganx.commit import commit

        click.echo(f"wganx, version {__version__} (commit {commit() or 'unknown'})")
        ctx.exit()


@click.group(cls=Wganx, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_tell_version,
    help="Show the version and the commit it was built from, and exit.",
)  # fmt: skip
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Train Wasserstein GANs for any kind of sample.

    \b
    Example:
      wganx train --plugin image
      wganx train --plugin image --data ./photos
      wganx sample runs/... -n 16

    \b
    Exit codes: 0 done, 1 the work failed, 2 the call was wrong, 3 a training was stopped before its last step.
    """


for _command in (
    train, resume, sample, evaluate, compare, tune, distance, report, board, plugins, config, data, pretrained,
    export, demo, push, pull, lab, doctor, completion,
):  # fmt: skip
    main.add_command(_command)

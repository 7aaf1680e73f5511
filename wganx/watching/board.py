"""TensorBoard on runs, served to this machine alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from wganx.errors import UsageError, WganxError

EVERY_STEP = "images=0,audio=0"
"""All steps of pictures and sounds; by itself TensorBoard keeps ten, chosen at random."""


def board(runs: Sequence[Path], *, port: int | None = None) -> None:
    """Serve TensorBoard on `runs` until Ctrl-C; it says its address itself.

    Raises:
        UsageError: there is no such folder, or its path cannot be told to TensorBoard.
        WganxError: it cannot serve, for example because the port is taken.
    """
    arguments = board_arguments(runs, port)
    from tensorboard import default, program

    tensorboard = program.TensorBoard(default.get_plugins())
    tensorboard.configure(("wganx board", *arguments))
    try:
        if tensorboard.main():
            raise WganxError("TensorBoard did not start; see above why")
    except KeyboardInterrupt:
        return


def board_arguments(runs: Sequence[Path], port: int | None = None) -> list[str]:
    """What the command ``tensorboard`` is told: every run under the name of its folder, every step, this machine alone.

    Raises:
        UsageError: as `board`.
    """
    for run in runs:
        if not run.is_dir():
            raise UsageError(f"there is no run in {run}: it is no folder")
        if "," in str(run.absolute()):
            raise UsageError(f"TensorBoard takes the comma in {run} for the end of a path; rename the folder")
    folders = [run.absolute() for run in runs]
    named = ",".join(f"{name}:{path}" for name, path in zip(_names(folders), folders))
    bound = ["--host", "127.0.0.1"] + ([] if port is None else ["--port", str(port)])
    return ["--logdir_spec", named, "--samples_per_plugin", EVERY_STEP, *bound]


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders' own names, numbered where there are several of a kind."""
    names: list[str] = []
    for folder in folders:
        plain = (folder.resolve().name or "run").replace(":", "-")
        name, number = plain, 1
        while name in names:
            number += 1
            name = f"{plain}-{number}"
        names.append(name)
    return names

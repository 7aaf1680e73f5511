"""Several processes on this machine, started for the user."""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from wganx.errors import INTERRUPTED

RESTARTS = 3


def launch_training(nproc: int, *, out: Path | None, resume: bool, **choice: Any) -> None:
    """``wganx train`` with the same choices in `nproc` processes, under torchrun's supervision.

    If a process is killed, all are started again, three times at most, and continue from the last checkpoint. One
    that ends by itself has said why; the same would happen again, so its exit code becomes the command's. A call that
    is wrong is refused here, before any is started.
    """
    from wganx.config import resolve
    from wganx.runs import RunFolder
    from wganx.trust import for_others

    if out is None or not (resume and RunFolder(out).holds_run()):
        resolved = resolve(**choice)
        out = out or RunFolder.claim(resolved.run.plugin, resolved.run.scenario).path
    # As torchrun does, but sharing out the processors: a process with all of them would slow the others down.
    os.environ.update(for_others())
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // nproc)))
    arguments = ["-m", "wganx.cli", "train", *_as_options(choice), "--out", str(out)]
    try:
        _supervise(nproc, arguments, out, resume=resume)
    finally:
        with suppress(OSError):  # a folder that was claimed and not begun in
            out.rmdir()


def _supervise(nproc: int, arguments: list[str], out: Path, *, resume: bool) -> None:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError

    from wganx.runs import RunFolder

    for restarts_left in reversed(range(RESTARTS + 1)):
        try:
            _run_once(nproc, [*arguments, *(["--resume"] if resume else [])])
            return
        except SignalException:
            again = f"in {nproc} processes again with: wganx train --resume --nproc {nproc} --out {out}"
            click.echo(again if RunFolder(out).holds_run() else "stopped before the training began; nothing was saved")
            raise click.exceptions.Exit(INTERRUPTED) from None
        except ChildFailedError as error:
            codes = {rank: failure.exitcode for rank, failure in error.failures.items()}
            # SIGTERM is what those get who are left when another has ended.
            killed = {rank: -code for rank, code in codes.items() if code < 0 and -code != signal.SIGTERM}
            if not killed:
                raise click.exceptions.Exit(max(1, *codes.values())) from error
            rank, number = min(killed.items())
            ended = f"process {rank} of {nproc} was ended by {signal.Signals(number).name}"
            if not restarts_left:
                raise click.ClickException(f"{ended}, after {RESTARTS} restarts; continue with --resume") from error
            click.echo(f"wganx: {ended}; all start again from the last checkpoint", err=True)
            resume = True
        except RendezvousError as error:
            reason = str(error.__cause__ or error).splitlines()[0]
            raise click.ClickException(
                f"several processes cannot meet on this machine: {reason}; train in one, without --nproc"
            ) from error


def _run_once(nproc: int, arguments: list[str]) -> None:
    """Python with `arguments` in `nproc` processes, until all have ended.

    Not restarted by torch: its processes would meet in a store that still holds the addresses of those before.

    Raises:
        ChildFailedError: one ended with an exit code other than 0; the others are then stopped.
        SignalException: someone asked to stop; the processes have been told, and have ended.
    """
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for name in logging.root.manager.loggerDict:  # each has a level of its own
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=nproc,
        run_id=str(uuid.uuid4()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.5,
    )
    elastic_launch(config, sys.executable)(*arguments)


def _as_options(choice: dict[str, Any]) -> list[str]:
    options: list[str] = []
    for name, value in choice.items():
        for each in value if isinstance(value, tuple) else (value,):
            if each is not None:
                options += ["--set" if name == "settings" else f"--{name}", str(each)]
    return options

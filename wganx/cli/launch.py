"""Several processes on this machine, started for the user."""

from __future__ import annotations

import logging
import os
import sys
import uuid
from pathlib import Path
from typing import Any

import click

RESTARTS = 3


def launch_training(nproc: int, *, out: Path | None, resume: bool, **choice: Any) -> None:
    """``wganx train`` with the same choices in `nproc` processes, under torchrun's supervision.

    If a process dies, all are started again, three times at most, and continue from the last checkpoint. A call that
    is wrong is refused here, before any is started.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    from wganx.config import resolve
    from wganx.runs import RunFolder

    if out is None or not (resume and RunFolder(out).holds_run()):
        resolved = resolve(**choice)
        out = out or RunFolder.fresh(resolved.run.plugin, resolved.run.scenario).path
    # As torchrun does, but sharing out the processors: a process with all of them would slow the others down.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // nproc)))
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=nproc,
        run_id=str(uuid.uuid4()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=RESTARTS,
        monitor_interval=0.5,
    )
    arguments = ["-m", "wganx.cli", "train", *_as_options(choice), "--out", str(out), *(["--resume"] if resume else [])]
    try:
        elastic_launch(config, sys.executable)(*arguments)
    except ChildFailedError as error:
        number, failure = error.get_first_failure()
        raise click.ClickException(f"process {number} of {nproc} ended with exit code {failure.exitcode}") from error
    except SignalException:
        click.echo(f"stopped; continue with: wganx train --resume --nproc {nproc} --out {out}")


def _as_options(choice: dict[str, Any]) -> list[str]:
    options: list[str] = []
    for name, value in choice.items():
        for each in value if isinstance(value, tuple) else (value,):
            if each is not None:
                options += ["--set" if name == "settings" else f"--{name}", str(each)]
    return options

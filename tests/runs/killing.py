"""Trains a run, then again and again from one process that has loaded all, each child dying at one step of writing.

Run by tests/runs/test_killed.py as ``killing.py PLUGIN SCENARIO SETTINGS FOLDER``: FOLDER/whole is trained first, and
how many steps of writing that took is told. Then a line ``NAME POINT`` of standard input trains FOLDER/NAME, or goes on
with it, in a child that ends before its POINT-th step of writing, 0 for never; its exit code is told. ``NAME POINT
SOURCE`` sends a file through the whole run to FOLDER/NAME instead, where each piece that is read is such a step too.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import wganx
from wganx import storage
from wganx.runs import applying

KILLED = 9
STEPS_OF_WRITING = ("rename", "replace", "fsync", "mkdir", "unlink", "rmdir")


class Death:
    """Ends the process before a step of writing as a kill does: nothing is cleaned up, and no buffer is written."""

    def __init__(self) -> None:
        self.steps, self.point = 0, 0

    def watch(self) -> None:
        for name in STEPS_OF_WRITING:
            setattr(os, name, self._counted(getattr(os, name)))
        applying._Watched.read = self._counted(applying._Watched.read)  # type: ignore[method-assign]
        if (exchange := storage._system_exchange()) is not None:
            counted = self._counted(exchange)
            storage._system_exchange = lambda: counted  # type: ignore[assignment]

    def _counted(self, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.steps += 1
            if self.steps == self.point:
                os._exit(KILLED)
            return work(*given, **named)

        return call


def main() -> None:
    plugin, scenario, settings, folder = sys.argv[1:]
    death = Death()
    death.watch()

    def train(name: str) -> None:
        out = Path(folder, name)
        wganx.train(
            plugin, scenario, overrides=json.loads(settings), out=out, device="cpu", resume=True, progress=False
        )

    train("whole")
    print(death.steps, flush=True)
    for line in sys.stdin:
        name, point, *sources = line.split()
        if (child := os.fork()) == 0:
            death.steps, death.point = 0, int(point)
            try:
                if sources:
                    wganx.load_run(Path(folder, "whole")).apply(Path(*sources), Path(folder, name))
                else:
                    train(name)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()

"""Telling plugins about a run, without letting them break it."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wganx.health import Finding
from wganx.plugins.contracts import Outcome, RunInfo
from wganx.plugins.guard import one_line
from wganx.plugins.loading import LoadedPlugin
from wganx.switches import switches_kept


class Observers:
    """Calls the observation hooks of every plugin, in the order the plugins were named, with copies of what is told.

    A plugin whose hook raises, or asks to end the interpreter, is reported once through `warn` and not called again in
    this run; `KeyboardInterrupt` passes.

    Attributes:
        seconds: time spent in each plugin's hooks so far, by the plugin in words.
    """

    def __init__(self, plugins: Iterable[LoadedPlugin], warn: Callable[[str], None]) -> None:
        self._listening = [plugin for plugin in plugins if plugin.observes]
        self._warn = warn
        self.seconds: dict[str, float] = {}

    def run_started(self, run: RunInfo) -> None:
        self._tell("wganx_run_started", run=run)

    def progress(self, run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
        self._tell("wganx_progress", run=run, step=step, scalars=scalars)

    def timed(self, run: RunInfo, step: int, shares: Mapping[str, float]) -> None:
        self._tell("wganx_timed", run=run, step=step, shares=shares)

    def found(self, run: RunInfo, finding: Finding) -> None:
        self._tell("wganx_found", run=run, finding=finding)

    def evaluated(self, run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
        self._tell("wganx_evaluated", run=run, step=step, scalars=scalars)

    def samples_written(self, run: RunInfo, step: int, paths: Sequence[Path]) -> None:
        self._tell("wganx_samples_written", run=run, step=step, paths=paths)

    def checkpoint_saved(self, run: RunInfo, step: int, path: Path) -> None:
        self._tell("wganx_checkpoint_saved", run=run, step=step, path=path)

    def rolled_back(self, run: RunInfo, step: int, reason: str) -> None:
        self._tell("wganx_rolled_back", run=run, step=step, reason=reason)

    def noted(self, run: RunInfo, message: str) -> None:
        self._tell("wganx_noted", run=run, message=message)

    def run_finished(self, run: RunInfo, outcome: Outcome) -> None:
        self._tell("wganx_run_finished", run=run, outcome=outcome)

    def _tell(self, hook: str, **facts: Any) -> None:
        for plugin in tuple(self._listening):
            started = time.perf_counter()
            try:
                with switches_kept():
                    getattr(plugin.hooks, hook)(**copy.deepcopy(facts))
            except (Exception, SystemExit) as error:
                self._listening.remove(plugin)
                failure = f"{plugin.found} failed in {hook}: {one_line(error)}"
                self._warn(f"{failure}; its observers are switched off, the run goes on")
            whose = str(plugin.found)
            self.seconds[whose] = self.seconds.get(whose, 0.0) + time.perf_counter() - started

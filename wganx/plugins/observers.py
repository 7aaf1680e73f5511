"""Telling plugins about a run, without letting them break it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wganx.plugins.contracts import Outcome, RunInfo
from wganx.plugins.loading import LoadedPlugin


class Observers:
    """Calls the observation hooks of every plugin, in the order the plugins were named.

    A plugin whose hook raises an `Exception` is reported once through `warn` and not called again in this run;
    `KeyboardInterrupt` passes.
    """

    def __init__(self, plugins: Iterable[LoadedPlugin], warn: Callable[[str], None]) -> None:
        self._listening = list(plugins)
        self._warn = warn

    def run_started(self, run: RunInfo) -> None:
        self._tell("wganx_run_started", run=run)

    def progress(self, run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
        self._tell("wganx_progress", run=run, step=step, scalars=scalars)

    def samples_written(self, run: RunInfo, step: int, paths: Sequence[Path]) -> None:
        self._tell("wganx_samples_written", run=run, step=step, paths=paths)

    def checkpoint_saved(self, run: RunInfo, step: int, path: Path) -> None:
        self._tell("wganx_checkpoint_saved", run=run, step=step, path=path)

    def run_finished(self, run: RunInfo, outcome: Outcome) -> None:
        self._tell("wganx_run_finished", run=run, outcome=outcome)

    def _tell(self, hook: str, **facts: Any) -> None:
        for plugin in tuple(self._listening):
            try:
                getattr(plugin.hooks, hook)(**facts)
            except Exception as error:
                self._listening.remove(plugin)
                self._warn(
                    f"{plugin.found} failed in {hook}: {type(error).__name__}: {error}; "
                    "its observers are switched off, the run goes on"
                )

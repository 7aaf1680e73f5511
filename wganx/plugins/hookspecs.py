"""The hooks a plugin may implement, each with `wganx.hookimpl`.

Registration hooks are called once, when the plugin is loaded; they return descriptors (a list or a generator). There
is one for every kind of descriptor. Observers are called during a run; their results are ignored, they are handed
copies, and one that raises is named, switched off, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from wganx.health import Finding
from wganx.parts import KINDS, Part, plural
from wganx.plugins import descriptors as descriptors  # every kind is known once they are
from wganx.plugins.contracts import Outcome, RunInfo

if TYPE_CHECKING:
    import click

PROJECT = "wganx"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Registration:
    """What a plugin offers. The return value of every hook is an iterable of descriptors, or None for nothing."""

    @hookspec
    def wganx_commands(self) -> Iterable[click.Command] | None:
        """Commands mounted as ``wganx <plugin> <command>``: ``return [my_click_command]``."""


def _registration(kind: type[Part]) -> Callable[..., Any]:
    def hook(self: Registration) -> Iterable[Part] | None: ...

    hook.__name__, hook.__qualname__ = kind.hook, f"Registration.{kind.hook}"
    hook.__doc__ = f"The plugin's {plural(kind)}: ``return [{kind.__name__}(name=..., ...)]``."
    return hook


for _kind in KINDS.values():
    setattr(Registration, _kind.hook, hookspec(_registration(_kind)))


class Observation:
    """What a plugin may watch. Implementations may take any subset of the arguments."""

    @hookspec
    def wganx_run_started(self, run: RunInfo) -> None:
        """Training starts or is resumed."""

    @hookspec
    def wganx_progress(self, run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
        """A logging point: the only moment at which scalars leave the device."""

    @hookspec
    def wganx_timed(self, run: RunInfo, step: int, shares: Mapping[str, float]) -> None:
        """Shares of the time since the last logging point: data, critic, generator, previews, metrics, observers."""

    @hookspec
    def wganx_found(self, run: RunInfo, finding: Finding) -> None:
        """A health check begins to find something, or no longer does."""

    @hookspec
    def wganx_evaluated(self, run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
        """An evaluation on held-out data, ``metric/value``."""

    @hookspec
    def wganx_samples_written(self, run: RunInfo, step: int, paths: Sequence[Path]) -> None:
        """A preview was written: its picture, then sounds and clips."""

    @hookspec
    def wganx_checkpoint_saved(self, run: RunInfo, step: int, path: Path) -> None:
        """A checkpoint is on disk under its final name."""

    @hookspec
    def wganx_rolled_back(self, run: RunInfo, step: int, reason: str) -> None:
        """Training returned to the checkpoint of `step`; what was told of later steps is void."""

    @hookspec
    def wganx_noted(self, run: RunInfo, message: str) -> None:
        """A warning, as the terminal shows it and the run keeps it."""

    @hookspec
    def wganx_run_finished(self, run: RunInfo, outcome: Outcome) -> None:
        """Training ended: finished, interrupted or failed."""

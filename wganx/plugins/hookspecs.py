"""The hooks a plugin may implement, each with `wganx.hookimpl`.

Registration hooks are called once, when the plugin is loaded; they return descriptors (a list or a generator).
Observers are called during a run; their results are ignored, and one that raises is named, switched off, and the
run goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pluggy

from wganx.health import HealthCheck
from wganx.plugins.contracts import Architecture, Dataset, Metric, Modality, Outcome, RunInfo, Scenario, Task

if TYPE_CHECKING:
    import click

PROJECT = "wganx"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Registration:
    """What a plugin offers. The return value of every hook is an iterable of descriptors, or None for nothing."""

    @hookspec
    def wganx_modalities(self) -> Iterable[Modality] | None:
        """Kinds of sample, each with its writers: ``return [Modality(name="image", ...)]``."""

    @hookspec
    def wganx_datasets(self) -> Iterable[Dataset] | None:
        """Named sources of items: ``return [Dataset(name="digits", modality="image", ...)]``."""

    @hookspec
    def wganx_tasks(self) -> Iterable[Task] | None:
        """Games played on a batch of items: ``return [Task(name="generate", modality="image", ...)]``."""

    @hookspec
    def wganx_architectures(self) -> Iterable[Architecture] | None:
        """Generators and critics: ``return [Architecture(name="dcgan", role="generator", ...), ...]``."""

    @hookspec
    def wganx_scenarios(self) -> Iterable[Scenario] | None:
        """Named, complete runs, the default one first: ``return [Scenario(name="digits", ...)]``."""

    @hookspec
    def wganx_metrics(self) -> Iterable[Metric] | None:
        """Numbers about samples against held-out real ones: ``return [Metric(name="modes", ...)]``."""

    @hookspec
    def wganx_health_checks(self) -> Iterable[HealthCheck] | None:
        """What can go wrong with samples of a modality: ``return [HealthCheck(name="checkerboard", ...)]``."""

    @hookspec
    def wganx_commands(self) -> Iterable[click.Command] | None:
        """Commands mounted as ``wganx <plugin> <command>``: ``return [my_click_command]``."""


class Observation:
    """What a plugin may watch. Implementations may take any subset of the arguments."""

    @hookspec
    def wganx_run_started(self, run: RunInfo) -> None:
        """Training starts or is resumed."""

    @hookspec
    def wganx_progress(self, run: RunInfo, step: int, scalars: Mapping[str, float]) -> None:
        """A logging point: the only moment at which scalars leave the device."""

    @hookspec
    def wganx_samples_written(self, run: RunInfo, step: int, paths: Sequence[Path]) -> None:
        """A preview was written."""

    @hookspec
    def wganx_checkpoint_saved(self, run: RunInfo, step: int, path: Path) -> None:
        """A checkpoint is on disk under its final name."""

    @hookspec
    def wganx_run_finished(self, run: RunInfo, outcome: Outcome) -> None:
        """Training ended: finished, interrupted or failed."""

"""Checks of what only looks on: health checks, observers, and of the commands that a plugin mounts."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import Any

import click
import torch
from click.testing import CliRunner

from wganx.config.sections import (
    CheckpointSection,
    ConstraintSection,
    EvaluateSection,
    LogSection,
    ObjectiveSection,
    PreviewSection,
    TrainSection,
)
from wganx.engine.standard_checks import standard_checks
from wganx.health import Finding, HealthCheck, Vitals
from wganx.plugins.contracts import Outcome, RunInfo
from wganx.plugins.guard import call
from wganx.plugins.loading import LoadedPlugin
from wganx.testing.bench import Bench
from wganx.testing.check import NotChecked, check, fail, streams_unmoved
from wganx.wasserstein import GradientPenalty, Wasserstein


def _vitals(part: HealthCheck, bench: Bench) -> Vitals:
    """A training that goes well, as far as numbers tell; samples of its own modality where there are some."""
    rng = torch.Generator().manual_seed(0)
    real = torch.randn(16, 3, 16, 16, generator=rng).clamp(-1, 1)
    if part.modality:
        real = bench.settings(part.modality)[0].batch(16).real
    scalars = {
        "critic_loss": -1.0, "generator_loss": 0.5, "w1": 1.0, "gradient_norm": 1.0, "gradient_norm_real": 1.0,
        "gradient_norm_fake": 1.0, "gradient_norm_interpolated": 1.0, "lipschitz": 1.1, "heldout": 1.0,
    }  # fmt: skip
    return Vitals(step=50, scalars=scalars, real=real, fake=real.flip(0) * 0.9)


@check("health-check", name="speaks", mend="return None where it cannot tell: scalars.get(...) may be missing")
def health_check_speaks(part: HealthCheck, bench: Bench) -> None:
    """On a training that goes on it returns a sentence or None, with and without the numbers it may look for."""
    full = _vitals(part, bench)
    for vitals in (full, Vitals(step=0, scalars={}, real=full.real, fake=full.fake)):
        for _ in range(3):
            said = call(part, "inspect", vitals, returns=object)
            if said is not None and (not isinstance(said, str) or not said.strip() or "\n" in said):
                fail(f"inspect returned {said!r}", "return one sentence that says what is wrong, or None")


@check("health-check", name="untouched", mend="return None where it cannot tell")
def health_check_leaves_samples(part: HealthCheck, bench: Bench) -> None:
    """It writes to no sample, and moves no global random stream."""
    vitals = _vitals(part, bench)
    real, fake = vitals.real.clone(), vitals.fake.clone()
    call(part, "inspect", vitals, returns=object)
    with streams_unmoved("inspect"):
        call(part, "inspect", vitals, returns=object)
    if not torch.equal(real, vitals.real) or not torch.equal(fake, vitals.fake):
        fail("inspect writes to the samples", "work on a copy: no method that ends in _")


@check("health-check", name="code", mend="")
def health_check_has_a_code(part: HealthCheck, bench: Bench) -> None:
    """Its code is its own, it says what to do, and how bad it is."""
    taken = dict.fromkeys(("WX001", "WX003", "WX004", "WX060"), "finding")
    taken |= {other.code: other.name for other in standard_checks(Wasserstein(), GradientPenalty())}
    if part.code in taken:
        fail(f"code {part.code} is wganx's own {taken[part.code]!r}", "choose letters of your own: 'SP001'")
    if not part.mend.strip():
        fail("it says no mend", "say in one sentence what the user does about it")
    if part.level not in ("info", "warn", "bad") or part.patience < 1:
        fail(f"its level is {part.level!r}, its patience {part.patience}", "use info, warn or bad, and 1 or more")


@check("command", name="help", mend="let the command be made by @click.command()")
def command_has_help(command: click.Command, bench: Bench) -> None:
    """A command has a name and a help text, and shows it."""
    if not command.name or not (command.help or "").strip():
        fail(f"it has the name {command.name!r} and help {command.help!r}", "give the function a docstring")
    done = CliRunner().invoke(command, ["--help"])
    if done.exit_code != 0:
        fail(f"--help ends with {done.exit_code}: {done.exception!r}", "let --help compute nothing")


def _run(plugin: LoadedPlugin, folder: Path) -> RunInfo:
    """A run as observers are told of it, with the sections of a configuration that every run has."""
    named: dict[str, Any] = {section: {"name": "small"} for section in ("dataset", "task", "generator", "critic")}
    sections = {
        "objective": ObjectiveSection(), "constraint": ConstraintSection(), "train": TrainSection(steps=3),
        "evaluate": EvaluateSection(), "checkpoint": CheckpointSection(), "preview": PreviewSection(),
        "log": LogSection(),
    }  # fmt: skip
    config = {
        "plugin": plugin.name, "scenario": "small", "extensions": [], "seed": 0, "device": "cpu", "optimizer": {},
        **named, **{name: section.model_dump(mode="json") for name, section in sections.items()},
    }  # fmt: skip
    return RunInfo(folder=folder, plugin=plugin.name, scenario="small", device="cpu", seed=0, step=0, config=config)


@check("observer", name="events", mend="let it do without what it does not know: config.get(...), scalars.get(...)")
def observer_takes_events(plugin: LoadedPlugin, bench: Bench) -> None:
    """Told of a small made-up run, its observers raise nothing."""
    if not plugin.observes:
        raise NotChecked("it observes nothing")
    with tempfile.TemporaryDirectory(prefix="wganx-check-", ignore_cleanup_errors=True) as folder:
        run = _run(plugin, Path(folder))
        picture = Path(folder) / "step-000001.png"
        picture.write_bytes(b"")
        told: list[tuple[str, dict[str, Any]]] = [
            ("wganx_run_started", {}),
            ("wganx_progress", {"step": 1, "scalars": {"critic_loss": -1.0}}),
            ("wganx_timed", {"step": 1, "shares": {"critic": 0.6, "generator": 0.4}}),
            ("wganx_found", {"finding": Finding(step=1, code="WX030", level="warn", text="x", mend="y")}),
            ("wganx_evaluated", {"step": 1, "scalars": {"metric/value": 1.0}}),
            ("wganx_samples_written", {"step": 1, "paths": [picture]}),
            ("wganx_checkpoint_saved", {"step": 1, "path": Path(folder)}),
            ("wganx_rolled_back", {"step": 0, "reason": "a loss was not finite"}),
            ("wganx_noted", {"message": "a note"}),
            ("wganx_run_finished", {"outcome": Outcome(status="finished", step=1)}),
        ]
        for hook, facts in told:
            if hook in plugin.observes:
                getattr(plugin.hooks, hook)(run=run, **copy.deepcopy(facts))


@check("observer", name="streams", mend="let it take events")
def observer_moves_nothing(plugin: LoadedPlugin, bench: Bench) -> str | None:
    """Observing moves no global random stream."""
    if "wganx_progress" not in plugin.observes:
        return "it does not observe progress"
    with tempfile.TemporaryDirectory(prefix="wganx-check-", ignore_cleanup_errors=True) as folder:
        run = _run(plugin, Path(folder))
        with streams_unmoved("wganx_progress"):
            plugin.hooks.wganx_progress(run=run, step=1, scalars={})
    return None

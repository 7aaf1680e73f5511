"""The table of ``wganx train --dry-run``."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from rich.markup import escape
from rich.table import Table

from wganx.api import warn
from wganx.cli.console import make_console
from wganx.cli.progress import in_words
from wganx.config import choices, resolve
from wganx.engine.planning.memory import in_units
from wganx.runs.dry_run import DryRun, dry_run


def plan_and_tell(**choice: Any) -> None:
    """Say what the run that `choice` makes (see `wganx.config.resolve`) would take; nothing is written."""
    resolved = resolve(**choice)
    for note in resolved.notes:
        warn(note)
    _print(dry_run(resolved))


def _print(found: DryRun) -> None:
    console, run, plan = make_console(), found.resolved.run, found.plan
    console.print(
        f"{run.plugin} / {run.scenario}  seed {run.seed}  on {found.device}  batches of {run.train.batch_size}",
        highlight=False,
        markup=False,
    )
    table = Table("memory", "bytes", "", box=None)
    table.columns[1].justify = "right"
    rows = {
        "generator": (plan.generator, "weights and buffers"),
        "critic": (plan.critic, "weights and buffers"),
        "gradients": (plan.gradients, "of both"),
        "optimizer": (plan.optimizer, "state of both"),
        "weight average": (plan.average, ""),
        **({"helpers": (plan.helpers, "weights and buffers")} if plan.helpers else {}),
        "dataset": (plan.dataset, "" if plan.dataset else "streamed"),
        "batches": (plan.batches, ""),
        "critic step": (plan.critic_step, "activations, graphs, gradients on their way"),
        "  of these constraint": (plan.constraint, run.constraint.name),
        "generator step": (plan.generator_step, "comes after the critic's and reuses its memory"),
        "[bold]peak": (plan.total, "what stays, and the larger step"),
        "free": (found.free, f"on {found.device}, with networks and data in place"),
    }
    for name, (size, note) in rows.items():
        table.add_row(name, in_units(size), escape(note))
    console.print(table)
    if len(found.stages) > 1:
        console.print(_stages(found))
    if not plan.followed:
        console.print("the steps are extrapolated from small batches: the networks ask for values", highlight=False)
    said = [("data", found.feed), ("batch", found.choice), *(("chosen", line) for line in choices(found.resolved))]
    if found.seconds is not None:
        said.append(("time", f"{in_words(found.seconds)} on this machine; others by --set train.steps=..."))
    for name, sentence in said:
        console.print(f"{name}  {sentence}", highlight=False, markup=False)
    console.print("dry run: nothing was trained and nothing written", highlight=False)


def _stages(found: DryRun) -> Table:
    table = Table("stage", "steps", "from", "parameters in use", "peak", "a step", "together", box=None)
    for column in table.columns[1:]:
        column.justify = "right"
    for plan in found.stages:
        about = "" if plan.measured else "~"
        table.add_row(
            escape(plan.name),
            f"{plan.stage.steps:,}",
            f"{plan.stage.first:,}",
            f"{plan.parameters:,}",
            in_units(plan.memory.total),
            f"{about}{plan.seconds:.3g} s",
            about + _in_time(plan.seconds * plan.stage.steps),
        )
    total = _in_time(sum(plan.seconds * plan.stage.steps for plan in found.stages))
    measured = all(plan.measured for plan in found.stages)
    rate = "" if measured else "; ~ reckoned at the rate of a large convolution, and what timed steps had beside"
    table.caption = f"one batch size for all; {total} on {found.device}{rate}"
    return table


def _in_time(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))

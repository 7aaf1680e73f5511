"""What a run would take, without running it."""

from __future__ import annotations

from dataclasses import dataclass

from wganx.config import Resolved
from wganx.engine.planning.memory import (
    MemoryPlan,
    choose_micro_batch,
    explain_micro_batch,
    free_memory,
    plan_largest,
    plan_memory,
)
from wganx.engine.planning.stages import StagePlan, plan_stages
from wganx.runs.assembly import Assembly
from wganx.runs.time_ahead import seconds_ahead


@dataclass(frozen=True)
class DryRun:
    """A run that was made ready and checked, and not begun: no folder, no step.

    Attributes:
        resolved: the configuration.
        device: where it would compute.
        feed: how the data reach the device, and why.
        plan: the memory it would take there.
        free: bytes that are free there, with networks and resident data in place.
        micro_batch: rows that would be computed at once; None for the whole batch.
        choice: one sentence that says so, and why.
        stages: what each stage of the run would take, `plan` being that of the largest; none where nothing changes.
        seconds: what all steps would take together; None where that is not known, or said of each stage.
    """

    resolved: Resolved
    device: str
    feed: str
    plan: MemoryPlan
    free: int
    micro_batch: int | None
    choice: str
    stages: list[StagePlan]
    seconds: float | None


def dry_run(resolved: Resolved) -> DryRun:
    """Open the data, build the networks, check both as a training would, and plan its memory.

    Raises:
        WganxError: whatever would stop the run before its first step; also that it does not fit.
    """
    assembly = Assembly(resolved)
    trainer, stream = assembly.trainer, assembly.stream
    try:
        items = stream.feed.next()
        batch = stream.make_batch(items)
        trainer.check(batch)
        item = sum(tensor.nbytes for tensor in items.values()) // len(batch)
        dataset = item * stream.feed.order.count if stream.feed.kind == "resident" else 0
        stages, until = [], resolved.run.train.steps
        if len(trainer.training.stages(until)) > 1:
            stages = plan_stages(trainer.training, batch, until, dataset=dataset)
            plan = max((stage.memory for stage in stages), key=lambda memory: memory.to_come(memory.rows))
        else:
            plan = plan_memory(trainer.training, batch, dataset=dataset)
        whole = plan
        free = free_memory(trainer.device)
        micro_batch = trainer.steps.micro_batch
        if trainer.training.rules.micro_batch == "auto":
            micro_batch = choose_micro_batch(whole, free, whole.rows)
        if micro_batch is not None:
            plan = plan_largest(trainer.training, batch, until, dataset=dataset, micro_batch=micro_batch)
        choice = explain_micro_batch(trainer.training, whole, free, micro_batch)
        return DryRun(
            resolved, str(trainer.device), stream.feed.reason, plan, free, micro_batch, choice, stages,
            seconds_ahead(assembly),
        )  # fmt: skip
    finally:
        stream.close()

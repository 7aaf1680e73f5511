"""How much memory a training takes, found before it takes it, and in how many parts a batch fits."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode

from wganx import process
from wganx.batch import Batch
from wganx.devices import forked_streams, free_on_apple, on_apple
from wganx.engine.copying import copy_of
from wganx.engine.planning.rehearsal import FEWEST, Cast, Rehearsal, extrapolate, rounded
from wganx.engine.steps.packs import packs_in
from wganx.engine.steps.player import Player
from wganx.engine.steps.updates import Steps
from wganx.engine.training import Training
from wganx.errors import PreflightError
from wganx.memory import ASSUMED_MEMORY, available_memory
from wganx.wasserstein import BatchDistance, Combined, Dragan, MaxGradientPenalty

USED_AT_MOST = 0.9
"""The share of the free memory that a step may take; the rest is for what no plan sees (see `MemoryPlan`)."""

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes that a training takes on its device, by part.

    Counted are tensors, each storage once, on CUDA rounded up to 512 bytes as its allocator does. Not counted are the
    CUDA context, the workspaces of cuBLAS, cuDNN and oneDNN, memory that an allocator holds back in fragments, what
    reading data takes, and held-out samples, previews and metrics, which come between the steps.

    Attributes:
        rows: rows of the batch that this process computes.
        generator: its weights and buffers.
        critic: its weights and buffers.
        gradients: of both players, in their flat buffers.
        optimizer: the state of both players' optimizers.
        average: the generator's weight average.
        helpers: weights and buffers of the networks beside the players.
        dataset: items that stay on the device.
        batches: the batches of an update and the one before it.
        critic_step: what the critic's update adds at its peak: activations, graphs, the gradients on their way.
        constraint: of these, what the constraint adds: the graph of its gradient, which is differentiated again.
        generator_step: what the generator's update adds at its peak.
        fewest: rows of the smallest part that was looked at.
        critic_step_fewest: `critic_step` with `fewest` rows at once.
        generator_step_fewest: `generator_step` with `fewest` rows at once.
        pending: of the optimizer's state, what is not there yet.
        followed: whether the steps were followed at their full size; else they are extrapolated from small batches.
        pack: samples that the critic judges together, and that no part of a batch separates.
    """

    rows: int
    generator: int
    critic: int
    gradients: int
    optimizer: int
    average: int
    helpers: int
    dataset: int
    batches: int
    critic_step: int
    constraint: int
    generator_step: int
    fewest: int
    critic_step_fewest: int
    generator_step_fewest: int
    pending: int
    followed: bool
    pack: int = 1

    @property
    def kept(self) -> int:
        """What stays from step to step."""
        networks = self.generator + self.critic + self.average + self.helpers
        return networks + self.gradients + self.optimizer + self.dataset + self.batches

    @property
    def total(self) -> int:
        """The peak over a whole cycle: what stays, and the larger of the two steps."""
        return self.kept + self.step(self.rows)

    @property
    def per_row(self) -> float:
        """What one row more adds to the larger step."""
        return (self.step(self.rows) - self.step(self.fewest)) / max(self.rows - self.fewest, 1)

    def step(self, rows: int) -> int:
        """The larger of the two steps with `rows` rows at once.

        Exact for `rows` and `fewest`; between them a straight line, which a peak never exceeds where every tensor
        grows in proportion to the rows.
        """
        share = (rows - self.fewest) / (self.rows - self.fewest) if self.rows > self.fewest else 1.0
        steps = ((self.critic_step_fewest, self.critic_step), (self.generator_step_fewest, self.generator_step))
        return max(math.ceil(least + share * (most - least)) for least, most in steps)

    def to_come(self, rows: int) -> int:
        """What a step with `rows` rows at once takes beside networks, gradients, average and data already there."""
        return self.pending + self.batches + self.step(rows)


def plan_memory(training: Training, batch: Batch, *, dataset: int = 0, micro_batch: int | None = None) -> MemoryPlan:
    """What training on batches like `batch` will take, found by running both updates on a copy of the networks.

    The copy has shapes and no values: nothing is computed, and no memory is taken. Where a network asks for values
    (``.item()``, an operation that cannot do without), the updates really run, on 2 and on 4 rows of a real copy, and
    every moment of them is extrapolated to the whole batch. The training stays as it is.

    Args:
        batch: a whole batch, of which this process computes its share; values do not matter.
        dataset: bytes that the data take on the device.
        micro_batch: rows that a backward pass takes at most; None for all.

    Raises:
        Exception: whatever the networks raise when they are run on `batch`.
    """
    pack, steps, optimizer = training.rules.pack, training.steps, training.rules.optimizer
    rows = math.ceil(packs_in(len(batch), pack) / steps.ranks.count) * pack
    fewest = min(FEWEST * pack, rows)
    own = batch[:rows].to(training.device)
    try:
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        with process.uninterrupted():
            with FakeCopyMode(mode):
                cast = copy.deepcopy(Cast(training.generator, training.critic, training.helpers))
            with mode:
                rehearsal = Rehearsal(steps, optimizer, cast, own.each(mode.from_tensor), micro_batch)
                few, all_rows = rehearsal.lines(fewest), rehearsal.lines(rows)
        followed = True
    except Exception:  # a stranger's network may do what cannot be followed without values
        few_rows, more_rows = fewest, min(2 * fewest, rows)
        at_once = _part(rows, micro_batch, pack)
        with forked_streams(training.device):
            rehearsal = Rehearsal(steps, optimizer, copied(training), own[:more_rows], None)
            few, more = rehearsal.lines(few_rows), rehearsal.lines(more_rows)
        all_rows = extrapolate(few, more, (at_once - few_rows) / max(more_rows - few_rows, 1))
        followed = False
    made = sum(_size(player.optimizer_tensors().values(), training.device) for player in _players(training.steps))
    state = sum(_size(player.optimizer_tensors().values(), training.device) for player in _players(rehearsal.steps))
    average = training.average.module if training.average.decay else None
    critic_step, plain_step, generator_step = (max(line) for line in all_rows)
    parts = (batch.context, batch.condition, batch.known)
    batches = batch.real.nbytes + sum(tensor.nbytes for part in parts for tensor in part.values())
    return MemoryPlan(
        rows=rows,
        generator=_size_of([training.generator], training.device),
        critic=_size_of([training.critic], training.device),
        gradients=_size((player.gradient for player in _players(training.steps)), training.device),
        optimizer=state,
        average=0 if average is None else _size_of([average], training.device),
        helpers=_size_of(training.helpers.values(), training.device),
        dataset=dataset,
        batches=(training.rules.accumulate + 1) * batches,
        critic_step=critic_step,
        constraint=max(critic_step - plain_step, 0),
        generator_step=generator_step,
        fewest=fewest,
        critic_step_fewest=max(few[0]),
        generator_step_fewest=max(few[2]),
        pending=state - made,
        followed=followed,
        pack=pack,
    )


def plan_largest(
    training: Training, batch: Batch, until: int, *, dataset: int = 0, micro_batch: int | None = None
) -> MemoryPlan:
    """`plan_memory` of the stage before step `until` that takes the most."""
    plans = []
    for stage in training.stages(until):
        with training.turned(stage.first):
            plans.append(plan_memory(training, batch, dataset=dataset, micro_batch=micro_batch))
    return max(plans, key=lambda plan: plan.to_come(plan.rows))


def free_memory(device: torch.device) -> int:
    """Bytes that tensors on `device` may still take; an assumed amount where nobody tells."""
    if device.type == "cuda":
        held_back = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + held_back
    if on_apple(device):
        return free_on_apple()
    return available_memory() or ASSUMED_MEMORY


def choose_micro_batch(plan: MemoryPlan, free_bytes: int, batch_size: int) -> int | None:
    """Rows that a backward pass should take: None where the whole batch fits, else the largest even part that does.

    Args:
        plan: of the training, see `plan_memory`.
        free_bytes: free on the device beside networks, gradients, average and dataset; nine tenths of it are used.
        batch_size: rows that this process computes.

    Raises:
        PreflightError: not even two rows at once fit.
    """
    room = USED_AT_MOST * free_bytes
    packs = batch_size // plan.pack
    for parts in range(1, max(packs // FEWEST, 1) + 1):
        rows = math.ceil(packs / parts) * plan.pack  # every part of the batch then has at least FEWEST
        if plan.to_come(rows) <= room:
            return None if parts == 1 else rows
    raise PreflightError(
        f"a step takes {in_units(plan.to_come(plan.fewest))} with {plan.fewest} rows at once, and "
        f"{in_units(free_bytes)} are free; make the networks or the samples smaller, or free memory on the device"
    )


def fit_to_memory(training: Training, batch: Batch, until: int) -> int | None:
    """The `micro_batch` with which `batch` fits at every step before `until`; says so where it is not the whole batch.

    A plan is made only where a tenth of the free memory might not do.

    Raises:
        PreflightError: not even two rows at once fit.
    """
    free = free_memory(training.device)
    if _seldom_more(training, batch) < free // 10:
        return None
    plan = plan_largest(training, batch, until)
    chosen = choose_micro_batch(plan, free, plan.rows)
    if chosen is not None:
        training.note(explain_micro_batch(training, plan, free, chosen))
    return chosen


def fits_a_copy(training: Training, batch: Batch) -> bool:
    """Whether a copy of the training most likely has a place beside it, to make a step on the whole batch.

    Without a plan, which takes longer than the step where networks have hundreds of layers.
    """
    return _seldom_more(training, batch) < USED_AT_MOST * free_memory(training.device)


def has_a_place(plan: MemoryPlan, free_bytes: int) -> bool:
    """Whether a whole training like that of `plan` fits into what is free."""
    return plan.total <= USED_AT_MOST * free_bytes


def _seldom_more(training: Training, batch: Batch) -> int:
    """Bytes: a step seldom takes more than a thousand times its samples and twenty times its weights."""
    weights = sum(player.gradient.nbytes for player in _players(training.steps))
    return 1000 * batch.real.nbytes // training.ranks.count + 20 * weights


def explain_micro_batch(training: Training, plan: MemoryPlan, free_bytes: int, micro_batch: int | None) -> str:
    """One sentence: how many rows are computed at once, why, and what that changes; `plan` is of the whole batch."""
    of_what = f"{in_units(free_bytes)} free on {training.device}"
    whole = f"the whole batch of {plan.rows}"
    if micro_batch is None:
        return f"{whole} at once: it takes {in_units(plan.to_come(plan.rows))} of {of_what}"
    rows = _part(plan.rows, micro_batch, plan.pack)
    sentence = (
        f"{rows} rows at once, {whole} in {math.ceil(plan.rows / micro_batch)} parts: it would take "
        f"{in_units(plan.to_come(plan.rows))}, a part takes {in_units(plan.to_come(rows))} of {of_what}"
    )
    return "; ".join([sentence, *_changed_by_parts(training)])


def in_units(size: float) -> str:
    """Bytes as people read them: ``1.2 GB``, ``34.5 MB``, ``6.7 kB``."""
    size = min(size, 1e30)  # where whole numbers have no end
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:,.1f} {unit}"
    return f"{size / 1e3:.1f} kB"


def _part(rows: int, micro_batch: int | None, pack: int) -> int:
    """Rows of the largest part when no part may have more than `micro_batch`."""
    return rows if micro_batch is None else math.ceil(rows / pack / math.ceil(rows / micro_batch)) * pack


def _changed_by_parts(training: Training) -> list[str]:
    """What is not the same when a batch is taken in parts."""
    changes = []
    norms = [name for name, module in training.generator.named_modules() if isinstance(module, _BATCH_NORMS)]
    if norms:
        changes.append(f"the generator's batch norm ({', '.join(norms)}) takes its statistics of each part by itself")
    if isinstance(training.rules.objective, BatchDistance):
        changes.append(f"the {training.rules.objective.name} distance is taken of each part by itself")
    constraint = training.rules.constraint
    for each in constraint.parts if isinstance(constraint, Combined) else (constraint,):
        if isinstance(each, MaxGradientPenalty):
            changes.append(f"{each.name} takes the steepest points of each part by itself")
        if isinstance(each, Dragan):
            changes.append(f"{each.name} takes the spread of the samples of each part by itself")
    return changes


def copied(training: Training) -> Cast:
    """Its networks as real copies, which may be trained."""
    helpers = {name: copy_of(helper, f"helper {name!r}") for name, helper in training.helpers.items()}
    return Cast(copy_of(training.generator, "generator"), copy_of(training.critic, "critic"), helpers)


def _players(steps: Steps) -> tuple[Player, Player]:
    return steps.generator, steps.critic


def _size_of(networks: Iterable[nn.Module], device: torch.device) -> int:
    return _size([tensor for network in networks for tensor in (*network.parameters(), *network.buffers())], device)


def _size(tensors: Iterable[Tensor], device: torch.device) -> int:
    """Bytes of the tensors' storages on `device`, each once."""
    storages = [tensor.untyped_storage() for tensor in tensors if tensor.device.type == device.type]
    sizes = {storage._cdata: rounded(storage.nbytes(), device.type) for storage in storages}
    return sum(sizes.values())

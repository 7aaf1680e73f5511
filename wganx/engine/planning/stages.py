"""What every stage of a training takes that changes with its steps: memory, parameters in use, and time."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from wganx import process
from wganx.batch import Batch
from wganx.devices import forked_streams, wait_for
from wganx.engine.planning.calls import noise_for
from wganx.engine.planning.memory import MemoryPlan, copied, free_memory, has_a_place, plan_memory
from wganx.engine.planning.rehearsal import Cast, Rehearsal
from wganx.engine.stages import Stage
from wganx.engine.steps.packs import in_packs
from wganx.engine.training import Training

MEASURED_SECONDS = 4.0
"""How long steps are measured for before the time of the others is reckoned from their operations."""

_LONG_ENOUGH = 1.0
"""Seconds after which no further step is timed."""


@dataclass(frozen=True)
class StagePlan:
    """What one stage takes.

    Attributes:
        stage: its steps, and what ``at`` makes of them.
        memory: bytes, by part.
        parameters: of both players, that its samples and scores depend on.
        operations: of a step's matrix products and convolutions, a multiplication and an addition as two.
        seconds: of one step on the training's device.
        measured: whether a step was timed; else, for lack of time or memory, its time is reckoned: what the last stage
            that was timed spent beside its operations, and its own operations at the rate of a convolution that fills
            the device.
    """

    stage: Stage
    memory: MemoryPlan
    parameters: int
    operations: int
    seconds: float
    measured: bool

    @property
    def name(self) -> str:
        """What ``at`` returns, in words: what all say is said once."""
        values = self.stage.value if isinstance(self.stage.value, tuple) else (self.stage.value,)
        return ", ".join(dict.fromkeys(str(value) for value in values))


def plan_stages(training: Training, batch: Batch, until: int, *, dataset: int = 0) -> list[StagePlan]:
    """What each stage of the steps before `until` takes, in order; one alone where nothing changes.

    Args:
        training: stays as it is.
        batch: a whole batch; values do not matter.
        until: where training will end.
        dataset: bytes that the data take on the device.
    """
    plans: list[StagePlan] = []
    spent, beside, rate = 0.0, 0.0, 0.0
    for stage in training.stages(until):
        with training.turned(stage.first):
            memory = plan_memory(training, batch, dataset=dataset)
            parameters, operations = _counted(training, batch)
            rate = rate or _rate(training.device)
            if measured := spent < MEASURED_SECONDS and has_a_place(memory, free_memory(training.device)):
                seconds = seconds_a_step(training, batch, most=1)
                spent, beside = spent + 2 * seconds, max(seconds - operations / rate, 0.0)
            else:
                seconds = beside + operations / rate
        plans.append(StagePlan(stage, memory, parameters, operations, seconds, measured))
    return plans


@process.uninterrupted()
def _counted(training: Training, batch: Batch) -> tuple[int, int]:
    """Parameters in use, and the operations of one step, on a copy without values."""
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    with FakeCopyMode(mode):
        cast = copy.deepcopy(Cast(training.generator, training.critic, training.helpers))
    with mode:
        own = batch.to(training.device).each(mode.from_tensor)
        rehearsal = Rehearsal(training.steps, training.rules.optimizer, cast, own, None)
        pack = training.rules.pack
        few = own[: 2 * pack]
        fake = cast.generator(*noise_for(few, training.rules.noise), **few.context)
        condition = {name: in_packs(rows, pack) if pack > 1 else rows for name, rows in few.condition.items()}
        scores = cast.critic(in_packs(fake, pack) if pack > 1 else fake, **condition)
        players = (cast.generator, cast.critic)
        parameters = _in_use(scores, players)
        with _Operations() as critic:
            if training.rules.critic_steps:
                rehearsal.steps.update_critic([own], 0)
        with _Operations() as generator:
            rehearsal.steps.update_generator([own], 0)
    return parameters, training.rules.critic_steps * critic.count + generator.count


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Inside, counts additions and multiplications. Torch's own counter refuses gradients that are differentiated."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(
        self,
        func: Any,
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if (formula := flop_registry.get(func._overloadpacket)) is not None:
            self.count += formula(*args, **(kwargs or {}), out_val=result)
        return result


def _in_use(scores: torch.Tensor, players: Sequence[nn.Module]) -> int:
    weights = [weight for player in players for weight in player.parameters() if weight.requires_grad]
    gradients = torch.autograd.grad(scores.sum(), weights, allow_unused=True)
    return sum(weight.numel() for weight, gradient in zip(weights, gradients) if gradient is not None)


def seconds_a_step(training: Training, batch: Batch, *, most: int = 3) -> float:
    """What a step takes on the training's device, by the middle one of up to `most` on a copy, after one that warms up.

    Penalties that are due in every k-th critic update count for a k-th each.

    Args:
        training: stays as it is, and so do the random streams.
        batch: a whole batch; values do not matter.
    """
    device, every = training.device, getattr(training.steps.constraint, "every", 1)
    took: list[float] = []
    with forked_streams(device):
        rehearsal = Rehearsal(
            training.steps, training.rules.optimizer, copied(training), batch.to(device), training.steps.micro_batch
        )
        while len(took) <= most and sum(took[1:]) < _LONG_ENOUGH:
            rehearsal.steps.critic_updates = 0  # with the penalty, and then without
            started = _now(device)
            if training.rules.critic_steps:
                rehearsal.steps.update_critic([batch.to(device)], 0)
            due = left = _now(device) - started
            if every > 1:
                rehearsal.steps.update_critic([batch.to(device)], 0)
                left = _now(device) - started - due
            halfway = _now(device)
            rehearsal.steps.update_generator([batch.to(device)], 0)
            critic = (due + (every - 1) * left) / every
            took.append(critic * training.rules.critic_steps + _now(device) - halfway)
    return median(took[1:])


def _rate(device: torch.device) -> float:
    """Operations a second of a convolution that is large enough to keep the device busy; the best of three."""
    x_NCHW, kernel = torch.zeros(8, 64, 64, 64, device=device), torch.zeros(64, 64, 3, 3, device=device)
    operations = 2 * x_NCHW.numel() * kernel[0].numel()
    seconds = []
    for _ in range(4):
        started = _now(device)
        nn.functional.conv2d(x_NCHW, kernel, padding=1)
        seconds.append(_now(device) - started)
    return operations / min(seconds[1:])


def _now(device: torch.device) -> float:
    wait_for(device)
    return time.perf_counter()

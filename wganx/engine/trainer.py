"""The trainer: two networks, the rules between them, and the loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.engine import state
from wganx.engine.averaging import WeightAverage
from wganx.engine.checkpoint import Checkpoint, CheckpointStore, read_checkpoint, write_checkpoint
from wganx.engine.device import choose_device, joins_forwards, masks_pay, place
from wganx.engine.execution import Execution, check_capture, choose_execution, describe
from wganx.engine.health import HealthMonitor, standard_checks
from wganx.engine.loop import Every, Loop, TrainResult
from wganx.engine.observer import Observer
from wganx.engine.optimizer import Optimizer
from wganx.engine.player import Player
from wganx.engine.precision import Precision
from wganx.engine.preflight import check_networks
from wganx.engine.randomness import RandomStreams
from wganx.engine.ranks import join
from wganx.engine.steps import ExtraLosses, Steps
from wganx.engine.stopwatch import Stopwatch
from wganx.engine.stream import Stream
from wganx.errors import UsageError
from wganx.health import HealthCheck
from wganx.wasserstein import Constraint, GradientPenalty, Objective, Wasserstein


class Trainer:
    """Trains a generator against a critic under a Wasserstein objective.

    Needs no plugin and no configuration::

        trainer = wganx.Trainer(generator, critic, noise=(100,), constraint=wganx.GradientPenalty(10.0))
        trainer.fit(batches, steps=2000)
        samples = trainer.sample(64)

    Args:
        generator: ``generator(noise (N, *noise), **context) -> (N, ...)``; without noise ``generator(**context)``.
        critic: ``critic(x (N, ...), **condition) -> (N,)``, unbounded, rows independent of each other.
        noise: shape of one noise sample (standard normal), or None for none.
        objective: what the players optimise.
        constraint: what keeps the critic Lipschitz.
        critic_steps: critic updates for each generator update.
        ema: decay of the generator's weight average, from which samples are drawn; 0 for none.
        precision: ``auto``, ``fp32``, ``tf32`` or ``bf16``.
        capture: how steps are carried out. ``graph``: recorded as CUDA graphs and replayed; ``off``: one operation
            after another; ``auto``: graphs on a CUDA device; ``compile``: the critic's loss with both its gradients
            compiled (worth it for small critics and long trainings), and graphs on a CUDA device.
        device: ``auto`` (CUDA when present), or a torch device. The networks are moved there.
        seed: of every random stream of the training.
        optimizer: update rule and learning rates of both players.
        accumulate: batches whose mean gradient makes one update.
        micro_batch: rows of a batch that are computed at once, whose gradients are then joined; None for all,
            ``auto`` for as many as fit into memory. Statistics over a batch (batch norm, the largest norm) are then
            taken over so many rows.
        constant_mask: differentiate rectifiers in penalties as the piecewise linear functions they are: exact, and a
            sixth to a third faster (`wganx.nn.constant_masks`); left out for a very small critic on a CPU.
        extra_losses: ``(generator, fake, batch, step) -> {name: weighted scalar}``, added to the generator's loss.
        format: shape and range of a sample, checked before training; without it only the batches speak.

    Raises:
        UsageError: a setting is out of its range.
        PreflightError: a network has nothing to train, or the constraint nothing to act on.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        *,
        noise: tuple[int, ...] | None = (100,),
        objective: Objective | None = None,
        constraint: Constraint | None = None,
        critic_steps: int = 5,
        ema: float = 0.999,
        precision: str = "auto",
        capture: str = "auto",
        device: str | torch.device = "auto",
        seed: int = 0,
        optimizer: Optimizer | None = None,
        accumulate: int = 1,
        micro_batch: int | Literal["auto"] | None = None,
        constant_mask: bool = True,
        extra_losses: ExtraLosses | None = None,
        format: SampleFormat | None = None,
    ) -> None:
        if critic_steps < 1 or accumulate < 1:
            raise UsageError(f"critic_steps and accumulate must be at least 1, got {critic_steps} and {accumulate}")
        if not 0 <= ema < 1:
            raise UsageError(f"ema must lie in [0, 1), got {ema}")
        if micro_batch not in (None, "auto") and not (isinstance(micro_batch, int) and micro_batch >= 1):
            raise UsageError(f"micro_batch must be at least 1, 'auto' or None, got {micro_batch!r}")
        self.ranks = join()
        self.device = choose_device(device)
        check_capture(capture, self.device)
        if capture == "compile" and self.ranks.count > 1:
            raise UsageError("capture compile trains in one process; use auto with several")
        self.noise, self.critic_steps, self.accumulate, self.seed = noise, critic_steps, accumulate, seed
        self.capture, self.format, self.micro_batch = capture, format, micro_batch
        self.constant_mask = constant_mask
        self.objective = objective or Wasserstein()
        self.constraint = constraint or GradientPenalty()
        self.optimizer = optimizer or Optimizer()
        self.random = RandomStreams(seed, self.device)
        self.precision = Precision(precision, self.device)
        layouts = [place(network, self.device) for network in (generator, critic)]
        self.generator, self.critic = generator, critic
        self.constraint.prepare(critic)
        capturable = self.device.type == "cuda"
        self.steps = Steps(
            generator=Player("generator", generator, self.optimizer, capturable=capturable),
            critic=Player("critic", critic, self.optimizer, capturable=capturable),
            objective=self.objective,
            constraint=self.constraint,
            noise=noise,
            precision=self.precision,
            draws=self.random.draws,
            extra_losses=extra_losses,
            ranks=self.ranks,
            micro_batch=micro_batch if isinstance(micro_batch, int) else None,
            joined=joins_forwards(critic, self.device),
            constant_mask=constant_mask and masks_pay(critic, self.device),
            layout=layouts[1],
        )
        if capture == "compile":
            self.steps.compile()
        self.average = WeightAverage(generator, ema)
        self.step = 0
        self.rollbacks = 0
        self.learning_rate = self.optimizer.lr
        self.position: dict[str, Any] | None = None
        self.health = HealthMonitor(standard_checks(self.objective, self.constraint))
        self.stopwatch = Stopwatch()
        self._execution: Execution | None = None
        self._restored = False

    def fit(
        self,
        batches: Iterable[Batch | Tensor],
        *,
        steps: int,
        log_every: int = 50,
        observers: Sequence[Observer] = (),
        actions: Sequence[Every] = (),
        checkpoints: CheckpointStore | None = None,
        checkpoint_every: int = 500,
        heldout: Batch | None = None,
        checks: Sequence[HealthCheck] = (),
    ) -> TrainResult:
        """Train for `steps` generator updates.

        Ctrl-C and SIGTERM finish the step, save to `checkpoints` if given, and return. A non-finite loss or gradient
        never reaches the weights; at the next logging point or checkpoint training returns to the last checkpoint,
        once, and takes another course from there.

        Args:
            batches: `wganx.Batch` or tensors ``(N, ...)``; started again when they run out.
            log_every: updates between logging points, the only moments at which scalars leave the device.
            observers: told of logging points, checkpoints and roll-backs.
            actions: further things to do every so many updates.
            checkpoints: where to save, every `checkpoint_every` updates and at the end.
            heldout: samples that training never sees; the critic's reading on them is logged beside the other.
            checks: health checks beside the standard ones.

        Raises:
            PreflightError: a network or the data cannot be trained as given.
            TrainingDiverged: non-finite again after the roll-back, or without a checkpoint to return to.
        """
        self.health.checks = [*standard_checks(self.objective, self.constraint), *checks]
        stream = Stream(batches, self.device)
        if self._restored:
            stream.load_state(self.position)
            self._restored = False
        loop = Loop(self, stream, self.step + steps, observers, checkpoints, heldout)
        return loop.run(log_every, checkpoint_every, actions)

    def check(self, batch: Batch) -> None:
        """Refuse, before the first step, networks that cannot be trained on batches like this one.

        Raises:
            PreflightError: what is wrong, with the mend.
        """
        check_networks(
            self.generator, self.critic, batch, noise=self.noise, constraint=self.constraint, format=self.format
        )

    @contextmanager
    def running(self, stream: Stream) -> Iterator[None]:
        """Inside, `advance` trains on the batches of `stream`; switches and random streams are the training's own."""
        self.generator.train()
        self.critic.train()
        self.stopwatch = Stopwatch()
        self._execution = choose_execution(self.capture, self.device, self.steps, stream, self.stopwatch)
        with self.precision.active(), self.random.active(), self._execution.active():
            yield

    @property
    def way(self) -> str:
        """How steps are carried out, in words."""
        return describe(self.capture, self.device, self.steps)

    @property
    def latest(self) -> Batch:
        """A batch of the last step."""
        assert self._execution is not None, "there was no step"
        return self._execution.batch

    def advance(self, until: int | None = None) -> None:
        """One step: `critic_steps` updates of the critic, one of the generator, one of the weight average.

        `until` is the step at which training will end, which the schedule of the learning rate asks for.
        """
        assert self._execution is not None, "advance is called inside `running`"
        factor = 1.0 if until is None else self.optimizer.factor(self.step, until)
        self.learning_rate = self.steps.generator.set_rate(factor)
        self.steps.critic.set_rate(factor)
        self._execution.cycle(self.critic_steps, self.accumulate, self.step)
        self.average.update(self.step)
        self.step += 1

    @torch.no_grad()
    def sample(
        self, count: int, *, seed: int | None = None, context: Mapping[str, Tensor] | None = None, chunk: int = 256
    ) -> Tensor:
        """Draw `count` samples ``(count, ...)`` from the averaged generator.

        The same seed (the training's own by default) gives the same samples; the training's streams are untouched.
        `context` holds ``count`` rows of everything the generator is given beside noise.
        """
        context = {name: tensor.to(self.device) for name, tensor in (context or {}).items()}
        network = self.average.module
        kind = self.steps.generator.gradient.dtype
        training = network.training
        network.eval()
        samples = []
        with self.random.apart(self.seed if seed is None else seed) as draws:
            for start in range(0, count, chunk):
                rows = min(chunk, count - start)
                part = {name: tensor[start : start + rows] for name, tensor in context.items()}
                noise = () if self.noise is None else (
                    torch.randn(rows, *self.noise, generator=draws, device=self.device, dtype=kind),
                )  # fmt: skip
                samples.append(network(*noise, **part))
        network.train(training)
        return torch.cat(samples)

    def save(self, folder: str | Path) -> None:
        """Write everything as one checkpoint folder, from which `load` continues."""
        write_checkpoint(Path(folder), self.checkpoint())

    @classmethod
    def load(cls, folder: str | Path, generator: nn.Module, critic: nn.Module, **changes: Any) -> Trainer:
        """The trainer that `save` wrote, around networks of the same architecture.

        `changes` replaces arguments of the constructor, e.g. ``device="cpu"``; what cannot be stored
        (`extra_losses`, `format`) must be given again.

        Raises:
            CheckpointError: the folder is no whole checkpoint, or the networks are not the ones it was made from.
        """
        checkpoint = read_checkpoint(Path(folder))
        trainer = cls(generator, critic, **{**state.constructor_arguments(checkpoint.facts["settings"]), **changes})
        trainer.restore(checkpoint)
        return trainer

    def checkpoint(self) -> Checkpoint:
        """Everything that a continuation needs."""
        return state.capture(self)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become the trainer that `checkpoint` was taken from.

        Raises:
            CheckpointError: the networks differ in their parts or shapes.
        """
        state.restore(self, checkpoint)
        self._restored = True

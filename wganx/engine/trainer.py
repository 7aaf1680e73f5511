"""The trainer: two networks, the rules between them, and the loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from wganx.batch import Batch, SampleFormat
from wganx.engine import state
from wganx.engine.averaging import WeightAverage
from wganx.engine.checkpoint import Checkpoint, CheckpointStore, read_checkpoint, write_checkpoint
from wganx.engine.device import choose_device
from wganx.engine.health import HealthMonitor, standard_checks
from wganx.engine.observer import Observer
from wganx.engine.optimizer import Optimizer
from wganx.engine.player import Player
from wganx.engine.precision import Precision
from wganx.engine.preflight import check_networks
from wganx.engine.randomness import RandomStreams
from wganx.engine.readings import name_readings
from wganx.engine.steps import ExtraLosses, Steps
from wganx.engine.stopping import StopRequest
from wganx.engine.stopwatch import Stopwatch
from wganx.engine.stream import Stream
from wganx.engine.vitals import measure
from wganx.errors import TrainingDiverged, UsageError
from wganx.health import Finding, HealthCheck, Vitals
from wganx.wasserstein import Constraint, GradientPenalty, Objective, Wasserstein


@dataclass(frozen=True)
class Every:
    """Something done after every `steps`-th generator update and at the end of training.

    `when_stopping` includes an end on request, which otherwise leaves no trace: a training that was interrupted and
    resumed records the same as one that was not.
    """

    steps: int
    act: Callable[[], None]
    when_stopping: bool = False

    def due(self, step: int, last: bool, stopping: bool) -> bool:
        """Whether it is time, after update number `step`."""
        return step % self.steps == 0 or last or (stopping and self.when_stopping)


@dataclass(frozen=True)
class TrainResult:
    """How a call of `Trainer.fit` ended: `history` holds the scalars of every logging point."""

    status: Literal["finished", "interrupted"]
    step: int
    seconds: float
    history: Sequence[Mapping[str, float]] = field(default=(), repr=False)


class _NonFinite(Exception):
    """A loss or gradient became non-finite since the last check."""


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
        capture: ``auto`` or ``off``; whether steps may be captured as CUDA graphs. This version runs every step
            eagerly under either.
        device: ``auto`` (CUDA when present), or a torch device. The networks are moved there.
        seed: of every random stream of the training.
        optimizer: update rule and learning rates of both players.
        accumulate: batches whose mean gradient makes one update.
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
        extra_losses: ExtraLosses | None = None,
        format: SampleFormat | None = None,
    ) -> None:
        if critic_steps < 1 or accumulate < 1:
            raise UsageError(f"critic_steps and accumulate must be at least 1, got {critic_steps} and {accumulate}")
        if not 0 <= ema < 1:
            raise UsageError(f"ema must lie in [0, 1), got {ema}")
        if capture not in ("auto", "off"):
            raise UsageError(f"capture must be 'auto' or 'off', got {capture!r}")
        self.device = choose_device(device)
        self.noise, self.critic_steps, self.accumulate, self.seed = noise, critic_steps, accumulate, seed
        self.capture, self.format = capture, format
        self.objective = objective or Wasserstein()
        self.constraint = constraint or GradientPenalty()
        self.optimizer = optimizer or Optimizer()
        self.random = RandomStreams(seed, self.device)
        self.precision = Precision(precision, self.device)
        self.generator, self.critic = generator.to(self.device), critic.to(self.device)
        self.constraint.prepare(critic)
        self.steps = Steps(
            generator=Player("generator", generator, self.optimizer),
            critic=Player("critic", critic, self.optimizer),
            objective=self.objective,
            constraint=self.constraint,
            noise=noise,
            precision=self.precision,
            draws=self.random.draws,
            extra_losses=extra_losses,
        )
        self.average = WeightAverage(generator, ema)
        self.step = 0
        self.rollbacks = 0
        self.learning_rate = self.optimizer.lr
        self.position: dict[str, Any] | None = None
        self.health = HealthMonitor(standard_checks(self.objective, self.constraint))
        self._latest: Batch | None = None
        self._stopwatch = Stopwatch()
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
        history: list[Mapping[str, float]] = []
        heldout = None if heldout is None else heldout.to(self.device)
        self.health.checks = [*standard_checks(self.objective, self.constraint), *checks]
        self._stopwatch = Stopwatch()
        stream = Stream(batches, self.device)
        if self._restored:
            stream.load_state(self.position)
            self._restored = False
        started, until = time.perf_counter(), self.step + steps

        def log() -> None:
            self._check_finite()
            scalars, findings = self._look(heldout)
            history.append({"step": self.step, **scalars})
            shares = self._stopwatch.shares()
            for observer in observers:
                observer.logged(self.step, scalars)
                observer.timed(self.step, shares)
                for finding in findings:
                    observer.found(finding)

        def save() -> None:
            self._check_finite()
            self.position = stream.state()
            if checkpoints is not None:
                path = checkpoints.save(self.checkpoint(), self.step)
                for observer in observers:
                    observer.saved(self.step, path)

        agenda = [Every(log_every, log), *actions, Every(checkpoint_every, save, when_stopping=True)]
        with self.precision.active(), self.random.active(), StopRequest() as stop:
            if checkpoints is not None and not checkpoints.steps():
                save()
            self._preflight(stream)
            while self.step < until:
                try:
                    self._train(stream, until, agenda, stop)
                    break
                except _NonFinite as failure:
                    self._roll_back(failure, stream, checkpoints, observers)
        status: Literal["finished", "interrupted"] = "interrupted" if self.step < until else "finished"
        return TrainResult(status, self.step, time.perf_counter() - started, history)

    def _train(self, stream: Stream, until: int, agenda: Sequence[Every], stop: StopRequest) -> None:
        """The loop."""
        self.generator.train()
        self.critic.train()
        stopping = False
        while self.step < until and not stopping:
            factor = self.optimizer.factor(self.step, until)
            self.learning_rate = self.steps.generator.set_rate(factor)
            self.steps.critic.set_rate(factor)
            for _ in range(self.critic_steps):
                with self._stopwatch.part("data"):
                    batches = stream.take(self.accumulate)
                with self._stopwatch.part("critic"):
                    self.steps.update_critic(batches)
            with self._stopwatch.part("generator"):
                self.steps.update_generator(batches, self.step)
                self.average.update(self.step)
            self._latest = batches[0]
            self.step += 1
            stopping = stop.requested
            for item in agenda:
                if item.due(self.step, last=self.step == until, stopping=stopping):
                    item.act()

    @torch.no_grad()
    def sample(
        self, count: int, *, seed: int | None = None, context: Mapping[str, Tensor] | None = None, chunk: int = 256
    ) -> Tensor:
        """Draw `count` samples ``(count, ...)`` from the averaged generator.

        The same seed (the training's own by default) gives the same samples; the training's streams are untouched.
        `context` holds ``count`` rows of everything the generator is given beside noise.
        """
        context = {name: tensor.to(self.device) for name, tensor in (context or {}).items()}
        draws = torch.Generator(self.device).manual_seed(self.seed if seed is None else seed)
        network = self.average.module
        kind = self.steps.generator.gradient.dtype
        training = network.training
        network.eval()
        samples = []
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

    def _preflight(self, stream: Stream) -> None:
        check_networks(
            self.generator,
            self.critic,
            stream.peek(),
            noise=self.noise,
            constraint=self.constraint,
            format=self.format,
        )

    def _look(self, heldout: Batch | None) -> tuple[dict[str, float], list[Finding]]:
        """Everything that is logged now, and what the health checks make of it."""
        scalars = name_readings(self.steps.readings.read(), self.objective, self.constraint)
        if self._latest is None:
            return scalars, []
        draws = torch.Generator(self.device).manual_seed((self.seed + self.step * 0x9E3779B97F4A7C15) % 2**63)
        fake, vitals = measure(self.steps, self._latest, heldout, draws)
        if "heldout" in vitals:
            vitals["w1_heldout" if "w1_raw" in scalars else "score_gap_heldout"] = vitals.pop("heldout")
        scalars |= {**vitals, "lr": self.learning_rate}
        real = self._latest.real[: len(fake)]
        return scalars, self.health.look(Vitals(step=self.step, scalars=scalars, real=real, fake=fake))

    def _check_finite(self) -> None:
        roles = list(self.steps.failed)
        flags = torch.stack([self.steps.failed[role] for role in roles]).tolist()
        for role, failed in zip(roles, flags):
            if failed:
                raise _NonFinite(f"WX021 the {role}'s loss or gradient became non-finite before step {self.step}")

    def _roll_back(
        self, failure: _NonFinite, stream: Stream, checkpoints: CheckpointStore | None, observers: Sequence[Observer]
    ) -> None:
        mend = "lower the learning rate (optimizer.lr) or raise the constraint's weight, and look at the data"
        checkpoint = checkpoints.latest() if checkpoints is not None else None
        if checkpoint is None:
            raise TrainingDiverged(f"{failure}; there is no checkpoint to return to; {mend}")
        rollbacks = self.rollbacks + 1
        if rollbacks > 1:
            raise TrainingDiverged(f"{failure}, again after a roll-back; {mend}")
        self.restore(checkpoint)
        stream.load_state(self.position)
        self.rollbacks = rollbacks
        self.random.reseed(rollbacks)
        for failed in self.steps.failed.values():
            failed.zero_()
        for observer in observers:
            observer.rolled_back(self.step, str(failure))

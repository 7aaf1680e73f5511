"""The trainer: what a user holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from wganx.augmentation import AdaptiveAugmentation
from wganx.batch import Batch, SampleFormat
from wganx.engine.carrying.stream import Stream
from wganx.engine.checkpoint import Checkpoint, CheckpointStore, read_checkpoint, write_checkpoint
from wganx.engine.loop import Every, Loop, TrainResult
from wganx.engine.observer import Observer
from wganx.engine.precision import Precision
from wganx.engine.progress import Wanted, in_a_cell, showing
from wganx.engine.randomness import RandomStreams
from wganx.engine.ranks import Ranks
from wganx.engine.rules import Rules
from wganx.engine.sampler import Sampler
from wganx.engine.standard_checks import standard_checks
from wganx.engine.steps.averaging import WeightAverage
from wganx.engine.steps.optimizer import Optimizer
from wganx.engine.steps.updates import Augment, Losses, Steps
from wganx.engine.stopping import Interrupted
from wganx.engine.training import At, Training
from wganx.errors import CheckpointError, UsageError
from wganx.health import HealthCheck
from wganx.networks import Helper
from wganx.wasserstein import Constraint, GradientPenalty, NoConstraint, Objective, Wasserstein


class Trainer:
    """Trains a generator against a critic under a Wasserstein objective.

    Needs no plugin and no configuration::

        trainer = wganx.Trainer(generator, critic, noise=(100,), constraint=wganx.GradientPenalty(10.0))
        trainer.fit(batches, steps=2000)
        samples = trainer.sample(64)

    Args:
        generator: ``generator(noise (N, *noise), **context) -> (N, ...)``; without noise ``generator(**context)``.
        critic: ``critic(x (N, ...), **condition) -> (N,)``, unbounded, rows independent of each other. None for an
            objective that compares samples and trains none (`wganx.Energy`, `wganx.Sliced`, `wganx.Sinkhorn`).
        noise: shape of one noise sample (standard normal), or None for none.
        objective: what the players optimise.
        constraint: what keeps the critic Lipschitz; ``GradientPenalty(10.0)`` by default.
        critic_steps: critic updates for each generator update; 5 by default.
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
        pack: samples that the critic judges together, ``critic(x (N / pack, pack, ...), **condition) -> (N / pack,)``;
            a generator that repeats itself shows in a pack. Lin et al., "PacGAN", 2018.
        helpers: networks beside the players, for the losses below; see `wganx.Helper`.
        generator_losses: ``(networks, fake, batch, step) -> {name: weighted scalar}``, added to the generator's loss;
            ``networks`` holds ``generator``, ``critic`` and ``helpers`` by name.
        critic_losses: the same, added to the critic's loss; ``fake`` has no graph.
        augment: ``augment(samples, rng, strength) -> samples``: what the critic is shown in training in place of
            samples, real and made alike; differentiable, drawing from ``rng`` alone. ``strength`` is a tensor ``()``
            on the device: 1, or what `adapt` makes of it. Penalties act on points between changed samples.
        adapt: ``strength`` starts at 0 and follows how much the critic overfits, read on ``fit(heldout=...)``.
        at: ``at(step) -> value``, called before each step with what of the losses depends on its number; the networks
            may have such a method too. Steps that are recorded are replayed for equal values only.
        format: shape and range of a sample, checked before training; without it only the batches speak.

    Attributes:
        training: everything that moves; this class only offers it.

    Raises:
        UsageError: a setting is out of its range.
        PreflightError: a network has nothing to train, or the constraint nothing to act on.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module | None,
        *,
        noise: tuple[int, ...] | None = (100,),
        objective: Objective | None = None,
        constraint: Constraint | None = None,
        critic_steps: int | None = None,
        ema: float = 0.999,
        precision: str = "auto",
        capture: str = "auto",
        device: str | torch.device = "auto",
        seed: int = 0,
        optimizer: Optimizer | None = None,
        accumulate: int = 1,
        micro_batch: int | Literal["auto"] | None = None,
        constant_mask: bool = True,
        pack: int = 1,
        helpers: Mapping[str, Helper] | None = None,
        generator_losses: Losses | None = None,
        critic_losses: Losses | None = None,
        augment: Augment | None = None,
        adapt: AdaptiveAugmentation | None = None,
        at: At | None = None,
        format: SampleFormat | None = None,
    ) -> None:
        objective = objective or Wasserstein()
        with_critic = getattr(objective, "trains_critic", True)
        if critic_steps is None:
            critic_steps = 5 if with_critic else 0
        rules = Rules(
            noise=noise, objective=objective,
            constraint=constraint or (GradientPenalty() if with_critic else NoConstraint()),
            critic_steps=critic_steps, ema=ema, precision=precision, capture=capture, seed=seed,
            optimizer=optimizer or Optimizer(), accumulate=accumulate, micro_batch=micro_batch,
            constant_mask=constant_mask, pack=pack,
        )  # fmt: skip
        self.training = Training(
            generator, critic, rules, device=device, helpers=helpers, generator_losses=generator_losses,
            critic_losses=critic_losses, augment=augment, adapt=adapt, at=at, format=format,
        )  # fmt: skip
        self._restored = False

    def fit(
        self,
        batches: Iterable[Any],
        *,
        steps: int,
        prepare: Callable[[Any], Batch | Tensor] | None = None,
        log_every: int = 50,
        observers: Sequence[Observer] = (),
        actions: Sequence[Every] = (),
        checkpoints: CheckpointStore | None = None,
        checkpoint_every: int = 500,
        heldout: Batch | None = None,
        checks: Sequence[HealthCheck] = (),
        progress: Wanted = "auto",
    ) -> TrainResult:
        """Train for `steps` generator updates.

        Ctrl-C and SIGTERM finish the step, save to `checkpoints` if given, and return; in a cell of a notebook Ctrl-C
        raises `wganx.Interrupted` then, so that the cells below do not run. A non-finite loss or gradient
        never reaches the weights; at the next logging point or checkpoint training returns to the last checkpoint,
        once, and takes another course from there.

        Args:
            batches: `wganx.Batch` or tensors ``(N, ...)``, alone or in a tuple of one; started again when they run out.
            prepare: makes one of these of whatever else `batches` holds, such as pairs of samples and labels.
            log_every: updates between logging points, the only moments at which scalars leave the device.
            observers: told of logging points, checkpoints, roll-backs and whatever a person should know; without
                one that listens, the last goes to the logger ``wganx``.
            actions: further things to do every so many updates.
            checkpoints: where to save, every `checkpoint_every` updates and at the end.
            heldout: samples that training never sees; the critic's reading on them is logged beside the other, and
                `adapt` follows it.
            checks: health checks beside the standard ones.
            progress: how it is shown how it goes: ``auto`` (and True), as a bar in a notebook or a terminal and in
                lines on standard error elsewhere; ``lines``, in lines (`wganx.Progress`); False, not at all. Where
                there is no bar, what the health checks find amiss and whatever else a person should know goes to the
                logger ``wganx``, once each, unless an observer listens. All findings are in `TrainResult.findings`.

        Raises:
            UsageError: a number is out of its range.
            Interrupted: in a cell of a notebook, someone asked by Ctrl-C to stop; everything is saved as said above.
            PreflightError: a network or the data cannot be trained as given.
            TrainingDiverged: non-finite again after the roll-back, or without a checkpoint to return to.
        """
        for name, number, least in (
            ("steps", steps, 0), ("log_every", log_every, 1), ("checkpoint_every", checkpoint_every, 1)
        ):  # fmt: skip
            if not isinstance(number, int) or isinstance(number, bool) or number < least:
                raise UsageError(f"{name} must be a whole number of at least {least}, got {number!r}")
        training = self.training
        training.health.checks = [*standard_checks(self.objective, self.constraint), *checks]
        stream = Stream(batches, training.device, prepare)
        if self._restored:
            stream.load_state(training.position)
            self._restored = False
        until = training.step + steps
        with showing(progress) as shown:
            loop = Loop(training, stream, until, [*observers, *shown], checkpoints, heldout)
            result = loop.run(log_every, checkpoint_every, actions)
        if loop.by_keyboard and result.status == "interrupted" and in_a_cell():
            where = "the trainer holds it all" if checkpoints is None else f"saved in {checkpoints.folder}"
            raise Interrupted(f"stopped after step {result.step} of {until}; {where}; fit goes on from here", result)
        return result

    def stop(self) -> None:
        """Ask `fit` to finish its step, save and return, as Ctrl-C does; from an observer or another thread.

        Where no `fit` is going on, the next one returns before its first step.
        """
        self.training.stop_wanted.set()

    def check(self, batch: Batch) -> None:
        """Refuse, before the first step, networks that cannot be trained on batches like this one.

        Raises:
            PreflightError: what is wrong, with the mend.
        """
        try:
            self.training.check(batch)
        finally:
            self.training.release()

    def sample(
        self, count: int, *, seed: int | None = None, context: Mapping[str, Tensor] | None = None, chunk: int = 256
    ) -> Tensor:
        """Draw `count` samples ``(count, ...)`` from the averaged generator.

        The same seed (the training's own by default) gives the same samples; the training's streams are untouched.
        `context` holds ``count`` rows of everything the generator is given beside noise.
        """
        return self.sampler().draw(count, seed=seed, context=context, chunk=chunk)

    def sampler(self, context: Mapping[str, SampleFormat] | None = None) -> Sampler:
        """Draws from the averaged generator; `context` says what it is given, so that labels can be chosen by name."""
        return self.training.sampler(context)

    def save(self, folder: str | Path) -> None:
        """Write everything as one checkpoint folder, from which `load` continues."""
        write_checkpoint(Path(folder), self.checkpoint())

    @classmethod
    def load(cls, folder: str | Path, generator: nn.Module, critic: nn.Module | None, **changes: Any) -> Trainer:
        """The trainer that `save` wrote, around networks of the same architecture.

        `changes` replaces arguments of the constructor, e.g. ``device="cpu"``; what cannot be stored (`helpers`,
        losses, `augment`, `adapt`, `at`, `format`) must be given again.

        Raises:
            CheckpointError: the folder is no whole checkpoint, or the networks are not the ones it was made from.
        """
        checkpoint = read_checkpoint(Path(folder))
        stored = checkpoint.facts.get("rules") or checkpoint.facts.get("settings")  # as earlier versions called them
        try:
            rules = Rules.from_json(stored or {})
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{folder} cannot be read: its rules are no rules of a trainer ({error})") from error
        trainer = cls(generator, critic, **{**rules, **changes})
        trainer.restore(checkpoint)
        return trainer

    def checkpoint(self) -> Checkpoint:
        """Everything that a continuation needs."""
        return self.training.checkpoint()

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become the trainer that `checkpoint` was taken from.

        Raises:
            CheckpointError: the networks differ in their parts or shapes.
        """
        self.training.restore(checkpoint)
        self._restored = True

    @property
    def generator(self) -> nn.Module:
        """The generator under training."""
        return self.training.generator

    @property
    def critic(self) -> nn.Module:
        """The critic under training; where none is trained, a module that returns samples as they are compared."""
        return self.training.critic

    @property
    def average(self) -> WeightAverage:
        """The weight average that samples are drawn from."""
        return self.training.average

    @property
    def averaged_generator(self) -> nn.Module:
        """The averaged generator as a module, in evaluation mode; it goes on as the training does (deepcopy to keep).

        Without an average (``ema=0``) the generator itself.
        """
        return self.training.average.module

    @property
    def objective(self) -> Objective:
        """What the players optimise."""
        return self.training.rules.objective

    @property
    def constraint(self) -> Constraint:
        """What keeps the critic Lipschitz."""
        return self.training.rules.constraint

    @property
    def step(self) -> int:
        """Generator updates so far."""
        return self.training.step

    @property
    def steps(self) -> Steps:
        """Both players and their updates."""
        return self.training.steps

    @property
    def device(self) -> torch.device:
        """Where the training computes."""
        return self.training.device

    @property
    def precision(self) -> Precision:
        """What the networks compute in."""
        return self.training.precision

    @property
    def random(self) -> RandomStreams:
        """The random streams of the training."""
        return self.training.random

    @property
    def ranks(self) -> Ranks:
        """The processes that share the training."""
        return self.training.ranks

    @property
    def way(self) -> str:
        """How steps are carried out, in words."""
        return self.training.way

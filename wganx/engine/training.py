"""A training: the networks under their rules, and everything that moves while it goes on."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

import wganx
from wganx.augmentation import AdaptiveAugmentation
from wganx.batch import Batch, SampleFormat
from wganx.devices import on_apple
from wganx.engine import state
from wganx.engine.carrying.compiled import CompiledLoss
from wganx.engine.carrying.execution import Execution, check_capture, choose_execution, describe
from wganx.engine.carrying.stopwatch import Stopwatch
from wganx.engine.carrying.stream import Stream
from wganx.engine.checkpoint import Checkpoint
from wganx.engine.device import choose_device, joins_forwards, masks_pay, place
from wganx.engine.facts import check_complete
from wganx.engine.helpers import arrange_helpers, check_players
from wganx.engine.observer import log_note
from wganx.engine.planning.trial import Trial
from wganx.engine.precision import Precision
from wganx.engine.randomness import RandomStreams
from wganx.engine.ranks import join
from wganx.engine.rules import Rules
from wganx.engine.sample_features import critic_of
from wganx.engine.sampler import Sampler
from wganx.engine.stages import Stage, stages_of
from wganx.engine.standard_checks import HealthMonitor, standard_checks
from wganx.engine.steps.adaptation import Adaptation
from wganx.engine.steps.averaging import WeightAverage
from wganx.engine.steps.packs import packs_in
from wganx.engine.steps.player import Bystander, Player
from wganx.engine.steps.updates import Augment, Losses, Steps
from wganx.errors import UsageError
from wganx.networks import Helper

At = Callable[[int], Hashable]
"""``at(step)``: what of a step's course depends on its number; a recorded step is replayed for equal values only."""


class Training:
    """Networks, both steps, weight average, random streams, health and position; how far it is, and what comes next.

    It captures itself as a `Checkpoint` and becomes what one says. `advance` is one step; who drives it (`Loop`),
    who watches and where it is written is no concern of it.

    A network, or the game by `at`, may change with the number of the step (growth, a fade): what has a method
    ``at(step)`` is told before each step, and after `restore`. The values it returns are part of what a recorded step
    holds for.

    Attributes:
        about: plain data of the caller's own, kept in every checkpoint.
        listener: told, once each, what a person should know.
        fallbacks: why by kind of update (``critic``, ``generator``, ``cycle``) that cannot be recorded.
        position: in the data, when it was last captured.
        stop_wanted: set by whoever wants the training to end after the step it is at.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module | None,
        rules: Rules,
        *,
        device: str | torch.device = "auto",
        helpers: Mapping[str, Helper] | None = None,
        generator_losses: Losses | None = None,
        critic_losses: Losses | None = None,
        augment: Augment | None = None,
        adapt: AdaptiveAugmentation | None = None,
        at: At | None = None,
        format: SampleFormat | None = None,
    ) -> None:
        self.rules, self.format = rules, format
        self.ranks = join()
        self.device = choose_device(device)
        if self.ranks.count > 1 and on_apple(self.device):
            raise UsageError("Apple's GPU trains in one process; start one, or train several on the CPU: --device cpu")
        check_capture(rules.capture, self.device)
        if rules.capture == "compile" and self.ranks.count > 1:
            raise UsageError("capture compile trains in one process; use auto with several")
        taught = any(helper.learns_with == "critic" for helper in (helpers or {}).values())
        if rules.capture == "compile" and (critic_losses is not None or taught):
            raise UsageError(
                "capture compile knows no critic_losses and no helper that learns with the critic; use auto"
            )
        critic = critic_of(rules, critic, taught or adapt is not None)
        self.random = RandomStreams(rules.seed, self.device)
        self.precision = Precision(rules.precision, self.device)
        check_players(generator, critic)
        layouts = [place(network, self.device) for network in (generator, critic)]
        self.generator, self.critic = generator, critic
        rules.constraint.prepare(critic)
        self.helpers = {name: helper.module for name, helper in (helpers or {}).items()}
        learning = arrange_helpers(helpers or {}, generator, critic, self.device)
        capturable = self.device.type == "cuda"
        self.steps = Steps(
            generator=Player(
                "generator", generator, rules.optimizer, helpers=learning["generator"], capturable=capturable
            ),
            critic=Player("critic", critic, rules.optimizer, helpers=learning["critic"], capturable=capturable)
            if rules.objective.trains_critic
            else Bystander("critic", critic, self.device),
            objective=rules.objective,
            constraint=rules.constraint,
            noise=rules.noise,
            precision=self.precision,
            draws=self.random.draws,
            helpers=self.helpers,
            generator_losses=generator_losses,
            critic_losses=critic_losses,
            augment=augment,
            strength=torch.ones((), device=self.device),
            ranks=self.ranks,
            micro_batch=rules.micro_batch if isinstance(rules.micro_batch, int) else None,
            pack=rules.pack,
            joined=joins_forwards(critic, self.device),
            constant_mask=rules.constant_mask and masks_pay(critic, self.device),
            layout=layouts[1],
        )
        if rules.capture == "compile":
            self.steps.compiled = CompiledLoss(critic, self.steps.critic_loss, note=self.note)
        if adapt is not None and augment is None:
            raise UsageError("adapt says how strongly augment changes samples; give augment too")
        self.adaptation = None if adapt is None else Adaptation(adapt, self.steps)
        self.average = WeightAverage(generator, rules.ema)
        self.step = 0
        self.rollbacks = 0
        self.learning_rate = rules.optimizer.lr
        self.position: dict[str, Any] | None = None
        self.about: Mapping[str, Any] = {}
        self.health = HealthMonitor(standard_checks(rules.objective, rules.constraint))
        self.stopwatch = Stopwatch()
        self.listener: Callable[[str], None] = log_note
        self.fallbacks: dict[str, str] = {}
        self.stop_wanted = threading.Event()
        self._execution: Execution | None = None
        self._told = 0
        self._trial = Trial(self.steps, rules, format, self.average.module, self.note)
        turns = [_turn(generator), _turn(critic), at]
        self._turns = [turn for turn in turns if turn is not None]
        self._enter(self.step)

    def note(self, message: str) -> None:
        """Say something to whoever listens now."""
        self.listener(message)

    def check(self, batch: Batch) -> None:
        """Refuse, before the first step, networks that cannot be trained on batches like this one.

        Raises:
            PreflightError: what is wrong, with the mend.
            UsageError: the batch cannot be shared out in whole packs.
        """
        self.ranks.rows(packs_in(len(batch), self.rules.pack))
        self._trial.check(batch)

    def release(self) -> None:
        """Leave the networks without what training hung on them."""
        self._trial.release()

    def follow(self) -> None:
        """Take up what the networks' owner has frozen, unfrozen or put into evaluation mode since the last step."""
        changed = [player.follow() for player in (self.steps.generator, self.steps.critic)]
        if changed[1] and self.rules.capture == "compile":
            self.steps.compiled = CompiledLoss(self.critic, self.steps.critic_loss, note=self.note)

    @contextmanager
    def running(self, stream: Stream) -> Iterator[None]:
        """Inside, `advance` trains on the batches of `stream`; switches and random streams are the training's own."""
        self.steps.generator.train()
        self.steps.critic.train()
        self.stopwatch = Stopwatch()
        self._execution = choose_execution(
            self.rules.capture, self.device, self.steps, stream, self.stopwatch, self.fallbacks, self.note
        )
        with self.precision.active(), self.random.active(), self._execution.active():
            yield

    def turn(self) -> None:
        """Tell the networks and the game of the step that comes, where they were last told of another."""
        if self._turns and self._told != self.step:
            self._enter(self.step)

    def stages(self, until: int) -> list[Stage]:
        """The stages of the steps before `until`: one alone where nothing depends on the number of the step."""
        if not self._turns:
            return [Stage(0, until - 1, ())]
        with self.turned(self.step):
            return stages_of(self._stage_at, until)

    @contextmanager
    def turned(self, step: int) -> Iterator[None]:
        """Inside, the networks and the game are what they are at that step."""
        before = self._told
        try:
            if self._turns:
                self._enter(step)
            yield
        finally:
            if self._turns:
                self._enter(before)

    def _stage_at(self, step: int) -> Hashable:
        return tuple(turn(step) for turn in self._turns)

    def advance(self, until: int | None = None) -> None:
        """One step: `critic_steps` updates of the critic, one of the generator, one of the weight average.

        `until` is the step at which training will end, which the schedule of the learning rate asks for.
        """
        assert self._execution is not None, "advance is called inside `running`"
        if self._turns:
            self._enter(self.step)
        factor = 1.0 if until is None else self.rules.optimizer.factor(self.step, until)
        self.learning_rate = self.steps.generator.set_rate(factor)
        self.steps.critic.set_rate(factor)
        self._execution.cycle(self.rules.critic_steps, self.rules.accumulate, self.step)
        self.average.update(self.step)
        self.step += 1

    @property
    def latest(self) -> Batch:
        """A batch of the last step."""
        assert self._execution is not None, "there was no step"
        return self._execution.batch

    @property
    def way(self) -> str:
        """How steps are carried out, in words."""
        words = [describe(self.rules.capture, self.device, self.steps)]
        words += [
            f"not compiled ({reason})" if kind == "compile" else f"the {kind}'s updates not recorded ({reason})"
            for kind, reason in self._fallbacks().items()
        ]
        return "; ".join(words)

    def facts(self) -> dict[str, Any]:
        """What was really done: ``capture`` in words, rows at once, and what could not be done as asked, with why."""
        return {"capture": self.way, "micro_batch": self.steps.micro_batch, "fallbacks": self._fallbacks()}

    def sampler(self, context: Mapping[str, SampleFormat] | None = None) -> Sampler:
        """Draws from the averaged generator as it is now, and as it goes on."""
        return Sampler(
            self.average.module, noise=self.rules.noise, device=self.device, sample=self.format, context=context,
            seed=self.rules.seed, rows=self.steps.rows,
        )  # fmt: skip

    def tensors(self) -> Iterator[torch.Tensor]:
        """Every parameter and buffer of every network."""
        for network in self._networks().values():
            yield from network.parameters()
            yield from network.buffers()

    def checkpoint(self) -> Checkpoint:
        """Everything that a continuation needs."""
        steps = self.steps
        weights = {part: state.tensors_of(_in_words(part), network) for part, network in self._networks().items()}
        training = {
            "generator_optimizer": steps.generator.optimizer_tensors(),
            "critic_optimizer": steps.critic.optimizer_tensors(),
            "random": self.random.tensors(),
            "readings": steps.readings.sums,
        }
        if self.adaptation is not None:
            training["augmentation"] = self.adaptation.tensors()
        facts = {
            "wganx": wganx.__version__,
            "step": self.step,
            "critic_updates": steps.critic_updates,
            "rollbacks": self.rollbacks,
            "readings": steps.readings.counts,
            "position": self.position,
            "health": self.health.memory,
            "device": self.device.type,
            "micro_batch": steps.micro_batch,
            "stage": str(steps.stage) if self._turns else None,
            "rules": self.rules.to_json(),
            "about": dict(self.about),
        }
        return Checkpoint(state.join(weights), state.join(training), facts)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Become the training that `checkpoint` was taken from.

        Random streams belong to a kind of device; on another one the training takes up a new course from its seed.
        Of networks alone (`read_networks`) it goes on with new optimizer states, and on a new course.

        Raises:
            CheckpointError: the networks differ in their parts or shapes.
        """
        steps, facts = self.steps, checkpoint.facts
        check_complete(facts)
        state.check_helpers(checkpoint.weights, self.helpers)
        for part, network in self._networks().items():
            state.load_tensors(_in_words(part), network, state.part(checkpoint.weights, part))
        for player in (steps.generator, steps.critic):
            player.load_optimizer_tensors(state.part(checkpoint.training, f"{player.role}_optimizer"))
        self.step, self.rollbacks = facts["step"], facts["rollbacks"]
        steps.critic_updates = facts["critic_updates"]
        whole = bool(checkpoint.training)
        if whole and facts["device"] == self.device.type:
            self.random.load_tensors(state.part(checkpoint.training, "random"))
        else:
            self.random.reseed(self.step)
        sums = {name: sum.to(self.device) for name, sum in state.part(checkpoint.training, "readings").items()}
        steps.readings.load(sums, facts["readings"] if whole else {})
        if not self.ranks.first:  # an unfinished window is the first rank's
            steps.readings.clear()
        if self.adaptation is not None:
            self.adaptation.load_tensors(state.part(checkpoint.training, "augmentation"))
        self.position = facts["position"]
        if self.rules.micro_batch == "auto":  # on the course it took, whatever is free now
            steps.micro_batch = facts.get("micro_batch")
        # Absent from checkpoints of versions that knew no health checks, and none of the caller's data.
        self.health.memory = copy.deepcopy(facts.get("health", {}))
        self.about = self.about or facts.get("about", {})
        self._enter(state.last_step(self.step))

    def _enter(self, step: int) -> None:
        """Tell the networks and the game which step it is, and keep what they make of it."""
        places, self._told = self._buffers(), step
        self.steps.stage = tuple(turn(step) for turn in self._turns)
        if self._buffers() != places:
            raise UsageError(f"at({step}) replaced a buffer that recorded steps read; change it in place (fill_)")
        try:
            hash(self.steps.stage)
        except TypeError as error:
            raise UsageError(f"at({step}) returned {self.steps.stage}, {error}; return a number or text") from None
        average = self.average.module
        if average is not self.generator and (turn := _turn(average)) is not None:
            turn(step)

    def _buffers(self) -> list[int]:
        players = (self.generator, self.critic) if self._turns else ()
        return [id(buffer) for network in players for buffer in network.buffers()]

    def _fallbacks(self) -> dict[str, str]:
        compiled = self.steps.compiled
        given_up = {"compile": compiled.reason} if compiled is not None and compiled.reason is not None else {}
        return {**self.fallbacks, **given_up}

    def _networks(self) -> dict[str, nn.Module]:
        """Every network under the name of its part in a checkpoint."""
        players = {"generator": self.generator, "critic": self.critic, "average": self.average.module}
        return {**players, **{f"helper/{name}": helper for name, helper in self.helpers.items()}}


def _in_words(part: str) -> str:
    return f"helper {part.removeprefix('helper/')!r}" if part.startswith("helper/") else part


def _turn(network: nn.Module) -> At | None:
    at: At | None = getattr(network, "at", None)
    return at if callable(at) else None

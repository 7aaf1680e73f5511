"""The loop of one training: steps, and what is done between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch

from wganx.batch import Batch
from wganx.engine.checkpoint import CheckpointStore
from wganx.engine.observer import Observer
from wganx.engine.readings import name_readings
from wganx.engine.stopping import StopRequest
from wganx.engine.stream import Stream
from wganx.engine.vitals import measure
from wganx.errors import TrainingDiverged
from wganx.health import Finding, Vitals

if TYPE_CHECKING:
    from wganx.engine.trainer import Trainer


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


class Loop:
    """One call of `Trainer.fit`, up to step number `until`.

    Of several ranks, all go through the same agenda; only the first has observers, actions and checkpoints.
    """

    def __init__(
        self,
        trainer: Trainer,
        stream: Stream,
        until: int,
        observers: Sequence[Observer],
        checkpoints: CheckpointStore | None,
        heldout: Batch | None,
    ) -> None:
        self.trainer, self.stream, self.until = trainer, stream, until
        self.observers = observers if trainer.ranks.first else ()
        self.checkpoints = checkpoints if trainer.ranks.first else None
        self.heldout = None if heldout is None else heldout.to(trainer.device)
        self.history: list[Mapping[str, float]] = []

    def run(self, log_every: int, checkpoint_every: int, actions: Sequence[Every]) -> TrainResult:
        """Train to the end, or until someone asks to stop; back to the last checkpoint, once, where numbers break."""
        trainer, started = self.trainer, time.perf_counter()
        agenda = [
            Every(log_every, self._log),
            *(item if trainer.ranks.first else Every(item.steps, _nothing, item.when_stopping) for item in actions),
            Every(checkpoint_every, self._save, when_stopping=True),
        ]
        with StopRequest(patient=trainer.ranks.count > 1) as stop:
            self._start()
            while trainer.step < self.until:
                try:
                    self._steps(agenda, stop)
                    break
                except _NonFinite as failure:
                    self._roll_back(failure)
        status: Literal["finished", "interrupted"] = "interrupted" if trainer.step < self.until else "finished"
        return TrainResult(status, trainer.step, time.perf_counter() - started, self.history)

    def _steps(self, agenda: Sequence[Every], stop: StopRequest) -> None:
        trainer, ranks, stopping = self.trainer, self.trainer.ranks, False
        with trainer.running(self.stream):
            while trainer.step < self.until and not stopping:
                trainer.advance(self.until)
                stopping = ranks.any_soon(stop.requested)
                last = trainer.step == self.until
                if due := [item for item in agenda if item.due(trainer.step, last, stopping)]:
                    trainer.steps.readings.merge(ranks)
                    for item in due:
                        item.act()
        ranks.settle()

    def _start(self) -> None:
        trainer = self.trainer
        networks = (trainer.generator, trainer.critic, trainer.average.module)
        trainer.ranks.copy_from_first(
            tensor for network in networks for tensor in (*network.parameters(), *network.buffers())
        )
        if trainer.ranks.from_first(lambda: self.checkpoints is not None and not self.checkpoints.steps()):
            self._save()
        batch = self.stream.peek()
        trainer.ranks.rows(len(batch))
        trainer.check(batch)
        if trainer.micro_batch == "auto" and trainer.steps.micro_batch is None:
            from wganx.engine.memory import fit_to_memory

            trainer.steps.micro_batch = trainer.ranks.from_first(lambda: fit_to_memory(trainer, batch))

    def _log(self) -> None:
        self._check_finite()
        trainer = self.trainer
        if not trainer.ranks.first:
            trainer.steps.readings.clear()
            return
        scalars, findings = self._look()
        self.history.append({"step": trainer.step, **scalars})
        shares = trainer.stopwatch.shares()
        for observer in self.observers:
            observer.logged(trainer.step, scalars)
            observer.timed(trainer.step, shares)
            for finding in findings:
                observer.found(finding)

    def _look(self) -> tuple[dict[str, float], list[Finding]]:
        """Everything that is logged now, and what the health checks make of it."""
        trainer = self.trainer
        scalars = name_readings(trainer.steps.readings.read(), trainer.objective, trainer.constraint)
        batch = trainer.latest
        with trainer.random.apart((trainer.seed + trainer.step * 0x9E3779B97F4A7C15) % 2**63) as draws:
            fake, vitals = measure(trainer.steps, batch, self.heldout, draws)
        if "heldout" in vitals:
            vitals["w1_heldout" if "w1_raw" in scalars else "score_gap_heldout"] = vitals.pop("heldout")
        scalars |= {**vitals, "lr": trainer.learning_rate}
        seen = Vitals(step=trainer.step, scalars=scalars, real=batch.real[: len(fake)], fake=fake)
        return scalars, trainer.health.look(seen)

    def _save(self) -> None:
        self._check_finite()
        trainer = self.trainer
        trainer.position = self.stream.state()
        for player in (trainer.steps.generator, trainer.steps.critic):
            trainer.ranks.check_alike(f"the {player.role}'s weights", player.parameters)
        if self.checkpoints is not None:
            path = self.checkpoints.save(trainer.checkpoint(), trainer.step)
            for observer in self.observers:
                observer.saved(trainer.step, path)

    def _check_finite(self) -> None:
        players = (self.trainer.steps.critic, self.trainer.steps.generator)
        for player, failed in zip(players, torch.stack([player.failed for player in players]).tolist()):
            if failed:
                raise _NonFinite(
                    f"WX021 the {player.role}'s loss or gradient became non-finite before step {self.trainer.step}"
                )

    def _roll_back(self, failure: _NonFinite) -> None:
        trainer, checkpoints = self.trainer, self.checkpoints
        mend = "lower the learning rate (optimizer.lr) or raise the constraint's weight, and look at the data"
        trainer.ranks.settle()
        checkpoint = trainer.ranks.from_first(lambda: None if checkpoints is None else checkpoints.latest())
        if checkpoint is None:
            raise TrainingDiverged(f"{failure}; there is no checkpoint to return to; {mend}")
        rollbacks = trainer.rollbacks + 1
        if rollbacks > 1:
            raise TrainingDiverged(f"{failure}, again after a roll-back; {mend}")
        trainer.restore(checkpoint)
        self.stream.load_state(trainer.position)
        trainer.rollbacks = rollbacks
        trainer.random.reseed(rollbacks)
        for player in (trainer.steps.critic, trainer.steps.generator):
            player.failed.zero_()
        for observer in self.observers:
            observer.rolled_back(trainer.step, str(failure))


def _nothing() -> None:
    """What the first rank alone does, elsewhere."""

"""The loop of one training: steps, and what is done between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch

from wganx.batch import Batch
from wganx.devices import plain
from wganx.engine.blame import broken_by_data
from wganx.engine.carrying.pace import FirstPace
from wganx.engine.carrying.stream import Stream
from wganx.engine.checkpoint import CheckpointStore
from wganx.engine.history import History
from wganx.engine.observer import Audience, Observer, mute
from wganx.engine.planning.memory import fit_to_memory
from wganx.engine.progress.lines import SHOWN
from wganx.engine.proportion import diverged
from wganx.engine.steps.readings import name_readings
from wganx.engine.steps.vitals import measure
from wganx.engine.stopping import StopRequest
from wganx.engine.training import Training
from wganx.engine.turns import TURNS
from wganx.errors import DataError, TrainingDiverged
from wganx.health import Finding, Vitals
from wganx.tables import Table, figure


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
    """How a call of `Trainer.fit` ended.

    Attributes:
        status: ``interrupted`` where someone asked to stop before the last step.
        step: generator updates so far.
        seconds: that the call took.
        history: the scalars of every logging point; of more than 10,000 every second, fourth and so on, evenly spread
            from the first, and always the last. ``metrics.jsonl`` of a run, and an `Observer`, have all.
        findings: of the health checks, in the order in which they began and ended; of more than 10,000 the latest.
    """

    status: Literal["finished", "interrupted"]
    step: int
    seconds: float
    history: Sequence[Mapping[str, float]] = field(default=(), repr=False)
    findings: Sequence[Finding] = field(default=(), repr=False)

    def _repr_html_(self) -> str:
        rows = [("status", self.status), ("step", str(self.step)), ("seconds", figure(self.seconds))]
        last = self.history[-1] if self.history else {}
        rows += [(label, figure(last[name])) for name, label in SHOWN.items() if name in last]
        return Table("Training", (), rows, [f"step {finding.step}: {finding}" for finding in self.findings]).html()


class _NonFinite(Exception):
    """A loss or gradient became non-finite since the last check."""


class _BeyondReturn(_NonFinite):
    """Numbers are finite, and mean nothing any more."""


class Loop:
    """One call of `Trainer.fit`, up to step number `until`.

    Of several ranks, all go through the same agenda; only the first has observers, actions and checkpoints.

    Attributes:
        by_keyboard: whether Ctrl-C asked to stop.
    """

    def __init__(
        self,
        training: Training,
        stream: Stream,
        until: int,
        observers: Sequence[Observer],
        checkpoints: CheckpointStore | None,
        heldout: Batch | None,
    ) -> None:
        self.training, self.stream, self.until = training, stream, until
        self.audience = Audience(observers if training.ranks.first else (), training.random.aside)
        self.listener = self.audience.noted if training.ranks.first else mute
        self.checkpoints = checkpoints if training.ranks.first else None
        self.heldout = None if heldout is None else heldout.to(training.device)
        self.history = History()
        self.first_pace = FirstPace(training.device, self.audience.paced)
        self.by_keyboard = False

    def run(self, log_every: int, checkpoint_every: int, actions: Sequence[Every]) -> TrainResult:
        """Train to the end, or until someone asks to stop; back to the last checkpoint, once, where numbers break."""
        training, started = self.training, time.perf_counter()
        agenda = [
            Every(log_every, self._log),
            *(Every(item.steps, self._only_here(item.act), item.when_stopping) for item in actions),
            Every(checkpoint_every, self._save, when_stopping=True),
        ]
        before, training.listener = training.listener, self.listener
        try:
            patient = training.ranks.count > 1
            with TURNS.training(self.listener), StopRequest(patient=patient) as stop, training.ranks.watched():
                self._start()
                while training.step < self.until:
                    try:
                        self._steps(agenda, stop)
                        break
                    except _NonFinite as failure:
                        self._roll_back(failure)
            self.by_keyboard = stop.by_keyboard
        except RuntimeError as error:
            # torch answers the end of a worker by an error out of whatever the main thread is at.
            if "DataLoader worker" not in str(error):
                raise
            raise DataError(
                f"a worker process of the DataLoader died ({str(error).strip()}); it may be out of memory: give it "
                "fewer workers, or none"
            ) from error
        finally:
            training.release()
            training.listener = before
            training.stop_wanted.clear()
        status: Literal["finished", "interrupted"] = "interrupted" if training.step < self.until else "finished"
        history = self.history
        return TrainResult(status, training.step, time.perf_counter() - started, history.points, history.findings)

    def _steps(self, agenda: Sequence[Every], stop: StopRequest) -> None:
        training, ranks = self.training, self.training.ranks

        def asked() -> bool:
            return stop.requested or training.stop_wanted.is_set()

        stopping = ranks.count == 1 and asked()  # several settle it together, a step later
        with training.running(self.stream):
            while training.step < self.until and not stopping:
                training.advance(self.until)
                self._adapt()
                TURNS.offer()
                stopping = ranks.any_soon(asked())
                if not self.first_pace.known:
                    self.first_pace.look(training.step)
                last = training.step == self.until
                if due := [item for item in agenda if item.due(training.step, last, stopping)]:
                    training.steps.readings.merge(ranks)
                    training.position = self.stream.state()  # who captures the training now gets all of it
                    for item in due:
                        item.act()
        ranks.settle()

    def _start(self) -> None:
        training = self.training
        training.follow()
        training.ranks.copy_from_first(training.tensors())
        training.position = self.stream.state()
        if training.ranks.from_first(lambda: self.checkpoints is not None and not self.checkpoints.steps()):
            self._save()
        training.turn()  # the batch that is looked at is the next step's, and made as such
        with training.random.active():  # a DataLoader draws the order of its first epoch when it is started
            batch = self.stream.peek()
        training.check(batch)
        self._limit_batches()
        if (adaptation := training.adaptation) is not None:
            training.ranks.from_first(lambda: adaptation.check(self.heldout))
        if training.rules.micro_batch == "auto" and training.steps.micro_batch is None:
            training.steps.micro_batch = training.ranks.from_first(lambda: fit_to_memory(training, batch, self.until))
        self.audience.started(training.step, self.until)

    def _adapt(self) -> None:
        """Where the strength of augmentation follows the critic: read it now and then, on a course of its own."""
        training, adaptation = self.training, self.training.adaptation
        if adaptation is not None and adaptation.due:
            with training.random.apart(training.random.seed_of(training.step)) as draws:
                adaptation.follow(training.latest, self.heldout, draws)

    def _limit_batches(self) -> None:
        """Leave out, or cut, batches after the first that the networks could not be trained on."""
        stream, training, pack = self.stream, self.training, self.training.rules.pack
        stream.note, stream.multiple, stream.most = training.note, pack, training.steps.rows
        # Batch norm has no statistics of one row; and no process may be left without any.
        stream.least = training.steps.rows or max(2, training.ranks.count) * pack

    def _log(self) -> None:
        self._check_finite()
        training = self.training
        wrong = training.ranks.from_first(self._log_here)
        if not training.ranks.first:
            training.steps.readings.clear()
        if wrong:
            raise _BeyondReturn(f"WX021 the training diverged before step {training.step}: {wrong}")

    def _log_here(self) -> str | None:
        """Tell all who listen; what makes going on pointless, or None."""
        training = self.training
        scalars, findings = self._look()
        self.history.add({"step": training.step, **scalars})
        shares = training.stopwatch.shares()
        self.audience.logged(training.step, scalars)
        self.history.found(findings)
        self.audience.timed(training.step, shares)
        for finding in findings:
            self.audience.found(finding)
        return diverged(scalars)

    def _look(self) -> tuple[dict[str, float], list[Finding]]:
        """Everything that is logged now, and what the health checks make of it."""
        training = self.training
        scalars = name_readings(training.steps.readings.read(), training.rules.objective, training.rules.constraint)
        batch = training.latest
        with training.random.apart(training.random.seed_of(training.step)) as draws:
            fake, vitals = measure(training.steps, batch, self.heldout, draws)
        if "heldout" in vitals:
            read = next((name for name in ("w1_raw", "distance") if name in scalars), "score_gap")
            vitals[f"{read.removesuffix('_raw')}_heldout"] = vitals.pop("heldout")
        scalars |= {**vitals, "lr": training.learning_rate}
        if training.adaptation is not None:
            scalars |= training.adaptation.scalars()
        looked_at = batch[: len(fake)].each(torch.clone).each(plain)
        seen = Vitals(
            step=training.step, scalars=dict(scalars), real=looked_at.real, fake=plain(fake), context=looked_at.context
        )
        with training.random.aside():
            return scalars, training.health.look(seen)

    def _save(self) -> None:
        self._check_finite()
        training = self.training
        for player in (training.steps.generator, training.steps.critic):
            if player.parameters:  # there may be no critic
                training.ranks.check_alike(f"the {player.role}'s weights", player.parameters)
        if self.checkpoints is not None:
            path = self.checkpoints.save(training.checkpoint(), training.step)
            self.audience.saved(training.step, path)

    def _check_finite(self) -> None:
        players = (self.training.steps.critic, self.training.steps.generator)
        for player, failed in zip(players, torch.stack([player.failed for player in players]).tolist()):
            if failed:
                raise _NonFinite(
                    f"WX021 the {player.role}'s loss or gradient became non-finite before step {self.training.step}"
                )

    def _roll_back(self, failure: _NonFinite) -> None:
        training, checkpoints = self.training, self.checkpoints
        mend = "lower the learning rate (optimizer.lr) or raise the constraint's weight, and look at the data"
        training.ranks.settle()
        latest = None if checkpoints is None else checkpoints.latest
        checkpoint = training.ranks.from_first(lambda: None if latest is None else latest(self.listener))
        if (broken := broken_by_data(training, self.stream, checkpoint)) is not None:  # and would break them again
            raise DataError(f"{failure}, by the data: {broken}")
        if checkpoint is None:
            raise TrainingDiverged(f"{failure}; there is no checkpoint to return to; {mend}")
        rollbacks = training.rollbacks + 1
        if rollbacks > 1:
            raise TrainingDiverged(f"{failure}, again after a roll-back; {mend}")
        training.restore(checkpoint)
        self.stream.load_state(training.position)
        training.rollbacks = rollbacks
        training.random.reseed(rollbacks)
        for player in (training.steps.critic, training.steps.generator):
            player.failed.zero_()
        self.audience.rolled_back(training.step, str(failure))
        back = f"rolled back to the checkpoint of step {training.step}, once, on another random course"
        training.note(f"{failure}: {back}")

    def _only_here(self, act: Callable[[], None]) -> Callable[[], None]:
        """What the first rank alone does, without moving the training's random streams."""

        def guarded() -> None:
            if self.training.ranks.first:
                with self.training.random.aside(), self.training.ranks.away():
                    act()

        return guarded

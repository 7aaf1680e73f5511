"""Steps recorded once and replayed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from wganx.batch import Batch
from wganx.engine.carrying.snapshot import Snapshot
from wganx.engine.carrying.stopwatch import Stopwatch
from wganx.engine.carrying.stream import Stream
from wganx.engine.observer import log_note
from wganx.engine.steps.updates import Steps

_WARM_UP = 3
_SHORT_MS = 2.0
_PAST = 64  # cycles after which a stage that was not seen again has been left
# A recording may choose other kernels, in bfloat16 too; what is wrong is off by its whole length.
_ROUNDING = 0.05


class Recorder(Protocol):
    """Something that records device work without host work: CUDA graphs, or a tape in a test."""

    def active(self) -> AbstractContextManager[object]:
        """Around recording, replaying and the work before."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """What repeats the device work of `work`, which is not carried out now."""

    def milliseconds(self, work: Callable[[], None]) -> float:
        """How long the device takes for `work`."""


@dataclass(frozen=True)
class Recording:
    """Recorded work, and how the counts that the host keeps move with it."""

    replay: Callable[[], None]
    batches: Sequence[Batch]
    critic_updates: int
    counts: dict[str, float]


@dataclass
class _Stage:
    """What is known of the steps of one stage."""

    recordings: dict[Hashable, Recording] = field(default_factory=dict)
    runs: dict[Hashable, int] = field(default_factory=dict)
    whole_cycles: bool | None = None
    seen: int = 0


class Recorded:
    """Records each kind of update when it has run a few times, and replays it from then on.

    A recording holds for one form of the batches, one set of penalties that are due, one stage (see `Training`), one
    mode and one place of the networks; for others it is made anew, and those of stages that are past are let go. A
    short cycle becomes one recording. Everything recorded reads and writes fixed places: batches are staged there,
    rates and readings are tensors.

    A recording is first held against the work itself: replayed, it must give the same gradient. When it does not, or
    cannot be made, `note` is told why, once, and that kind of update is carried out one operation after another.

    Attributes:
        failures: why by kind of update (``critic``, ``generator``, ``cycle``) that cannot be recorded.
    """

    def __init__(
        self,
        steps: Steps,
        stream: Stream,
        stopwatch: Stopwatch,
        recorder: Recorder,
        failures: dict[str, str] | None = None,
        note: Callable[[str], None] = log_note,
    ) -> None:
        self.steps, self.stream, self.stopwatch, self.recorder = steps, stream, stopwatch, recorder
        self.batches: Sequence[Batch] = ()
        self.failures = {} if failures is None else failures
        self._note = note
        self._stages: dict[Hashable, _Stage] = {}
        self._cycles = 0

    @property
    def batch(self) -> Batch:
        return self.batches[0]

    def active(self) -> AbstractContextManager[object]:
        return self.recorder.active()

    def cycle(self, critic_steps: int, accumulate: int, step: int) -> None:
        stage = self._enter()
        warm = all(stage.runs.get(kind, 0) > _WARM_UP for kind in ("critic", "generator"))
        if stage.whole_cycles is None and warm and not self.failures:
            spent = self.recorder.milliseconds(lambda: self._parts(critic_steps, accumulate, step))
            stage.whole_cycles = spent < _SHORT_MS
        elif stage.whole_cycles and not self.failures:
            self._whole(critic_steps, accumulate, step)
        else:
            self._parts(critic_steps, accumulate, step)

    def _enter(self) -> _Stage:
        """What is known of the stage that the steps are in."""
        if (stage := self._stages.get(self.steps.stage)) is None:
            past = [key for key, known in self._stages.items() if self._cycles - known.seen > _PAST]
            for key in past:
                del self._stages[key]
            stage = self._stages[self.steps.stage] = _Stage()
        self._cycles += 1
        stage.seen = self._cycles
        self._stage_now = stage
        return stage

    def _parts(self, critic_steps: int, accumulate: int, step: int) -> None:
        slots = range(accumulate)
        for _ in range(critic_steps):
            forms = self._stage_batches(slots)
            with self.stopwatch.part("critic"):
                self._run("critic", (forms, self._due(1)), lambda step=step: self._update_critic(slots, step))
        if not critic_steps:
            forms = self._stage_batches(slots)
        own = slots if not critic_steps else range(0)
        with self.stopwatch.part("generator"):
            self._run("generator", forms, lambda step=step: self._update_generator(own, step))

    def _whole(self, critic_steps: int, accumulate: int, step: int) -> None:
        forms = self._stage_batches(range(critic_steps * accumulate))

        def work(step: int = step) -> None:
            for number in range(critic_steps):
                self._update_critic(range(number * accumulate, (number + 1) * accumulate), step)
            self.steps.update_generator(self.batches, step)

        with self.stopwatch.part("cycle"):
            self._run("cycle", (forms, self._due(critic_steps)), work)

    def _stage_batches(self, slots: range) -> tuple[str, ...]:
        with self.stopwatch.part("data"):
            return tuple(self.stream.stage(slot) for slot in slots)

    def _update_critic(self, slots: range, step: int) -> None:
        self.batches = [self.stream.assemble(slot) for slot in slots]
        self.steps.update_critic(self.batches, step)

    def _update_generator(self, slots: range, step: int) -> None:
        """On the batches of the critic's last update, or of `slots` where there is no critic."""
        if slots:
            self.batches = [self.stream.assemble(slot) for slot in slots]
        self.steps.update_generator(self.batches, step)

    def _due(self, updates: int) -> Hashable:
        """Which penalties the next `updates` of the critic have."""
        start, due = self.steps.critic_updates, self.steps.constraint.due
        return tuple(tuple((factor, penalty.name) for factor, penalty in due(start + i)) for i in range(updates))

    def _run(self, kind: str, form: Hashable, work: Callable[..., None]) -> None:
        stage, players = self._stage_now, (self.steps.critic, self.steps.generator)
        modes = tuple(
            (*(weight.data_ptr() for weight in player.parameters[:1]), *_modes(player.networks)) for player in players
        )
        key = (kind, form, modes)
        if (recording := stage.recordings.get(key)) is not None:
            self._replay(recording)
        elif kind not in self.failures and stage.runs.get(key, 0) >= _WARM_UP:
            self._record(kind, key, work)
        else:
            work()
        for counted in (key, kind):
            stage.runs[counted] = stage.runs.get(counted, 0) + 1

    def _record(self, kind: str, key: Hashable, work: Callable[..., None]) -> None:
        """Carry out `work` by a recording of it, which is first held against the work itself."""
        before = Snapshot(self.steps)
        try:
            # Whatever depends on the number of the step would be replayed with one and the same.
            work(step=_StepNumber())
            expected = [gradient.clone() for gradient in self._gradients()]
            before.restore()
            replay = self.recorder.record(lambda: work(step=_StepNumber()))
            updates, counts = before.grown()
            replay()
            off = torch.stack(list(map(_relative, self._gradients(), expected))).max().item()
            if not off <= _ROUNDING:  # so that what is not a number is refused too
                raise ValueError(f"replayed, the gradient is off by a relative {off:.1e}")
        except Exception as error:  # whatever the networks do that cannot be recorded
            self.failures[kind] = reason = str(error).partition("\n")[0] or type(error).__name__
            before.restore()
            self._note(f"the {kind}'s updates run one operation after another: recording failed ({reason})")
            work()
        else:
            self._stage_now.recordings[key] = Recording(replay, self.batches, updates, counts)

    def _gradients(self) -> Sequence[Tensor]:
        """Of the last update of each player."""
        return [player.gradient for player in (self.steps.critic, self.steps.generator)]

    def _replay(self, recording: Recording) -> None:
        recording.replay()
        self.batches = recording.batches
        self.steps.critic_updates += recording.critic_updates
        for name, count in recording.counts.items():
            self.steps.readings.counts[name] += count


def _modes(networks: Sequence[nn.Module]) -> list[bool]:
    return [network.training for network in networks]


def _relative(value: Tensor, right: Tensor) -> Tensor:
    error, length = (torch.linalg.vector_norm(each.float()) for each in (value - right, right))
    off: Tensor = error / length.clamp_min(torch.finfo(length.dtype).tiny)
    return off


class _StepNumber:
    """Stands for the number of a step while one is recorded, and can be asked for nothing."""

    def _refuse(self, *_: object) -> Any:
        raise ValueError("a loss depends on the number of the step")

    __bool__ = __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __index__ = __int__ = __float__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __pow__ = __rpow__ = __neg__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
    __hash__ = None  # type: ignore[assignment]

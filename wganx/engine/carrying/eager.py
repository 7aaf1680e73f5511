"""Steps carried out one operation after another."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from wganx.batch import Batch
from wganx.engine.carrying.stopwatch import Stopwatch
from wganx.engine.carrying.stream import Stream
from wganx.engine.steps.updates import Steps


class Eager:
    """Launches one operation after another."""

    def __init__(self, steps: Steps, stream: Stream, stopwatch: Stopwatch) -> None:
        self.steps, self.stream, self.stopwatch = steps, stream, stopwatch
        self.batches: Sequence[Batch] = ()

    @property
    def batch(self) -> Batch:
        return self.batches[0]

    def active(self) -> AbstractContextManager[object]:
        return nullcontext()

    def cycle(self, critic_steps: int, accumulate: int, step: int) -> None:
        part = self.stopwatch.part
        for _ in range(critic_steps):
            with part("data"):
                self.batches = self.stream.take(accumulate)
            with part("critic"):
                self.steps.update_critic(self.batches, step)
        if not critic_steps:  # there is no critic, whose last batches the generator would take
            with part("data"):
                self.batches = self.stream.take(accumulate)
        with part("generator"):
            self.steps.update_generator(self.batches, step)

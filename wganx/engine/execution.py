"""How the steps are carried out: one operation after another, or recorded once and replayed.

Both do the same work in the same order on the same random streams.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.engine.snapshot import Snapshot
from wganx.engine.steps import Steps
from wganx.engine.stopwatch import Stopwatch
from wganx.engine.stream import Stream
from wganx.errors import UsageError

log = logging.getLogger(__name__)

Capture = Literal["auto", "graph", "compile", "off"]

_WARM_UP = 3
_SHORT_MS = 2.0
# A recording may choose other kernels, in bfloat16 too; what is wrong is off by its whole length.
_ROUNDING = 0.05


class Execution(Protocol):
    """Carries out the updates that make one step of training.

    Attributes:
        batch: a batch of the last step.
    """

    @property
    def batch(self) -> Batch: ...

    def cycle(self, critic_steps: int, accumulate: int, step: int) -> None:
        """`critic_steps` updates of the critic and one of the generator, each on `accumulate` batches."""

    def active(self) -> AbstractContextManager[object]:
        """Around every cycle."""


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
                self.steps.update_critic(self.batches)
        with part("generator"):
            self.steps.update_generator(self.batches, step)


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


class Recorded:
    """Records each kind of update when it has run a few times, and replays it from then on.

    A recording holds for one form of the batches, one set of penalties that are due, one mode and one place of the
    networks; for others it is made anew. A short cycle becomes one recording. Everything recorded reads and writes
    fixed places: batches are staged there, rates and readings are tensors.

    A recording is first held against the work itself: replayed, it must give the same gradient. When it does not, or
    cannot be made, the training says why, once, and carries out that kind of update one operation after another.

    Attributes:
        failures: why by kind of update (``critic``, ``generator``, ``cycle``) that cannot be recorded.
    """

    def __init__(self, steps: Steps, stream: Stream, stopwatch: Stopwatch, recorder: Recorder) -> None:
        self.steps, self.stream, self.stopwatch, self.recorder = steps, stream, stopwatch, recorder
        self.batches: Sequence[Batch] = ()
        self.failures: dict[str, str] = {}
        self._recordings: dict[Hashable, Recording] = {}
        self._runs: dict[Hashable, int] = {}
        self._whole_cycles: bool | None = None

    @property
    def batch(self) -> Batch:
        return self.batches[0]

    def active(self) -> AbstractContextManager[object]:
        return self.recorder.active()

    def cycle(self, critic_steps: int, accumulate: int, step: int) -> None:
        warm = all(self._runs.get(kind, 0) > _WARM_UP for kind in ("critic", "generator"))
        if self._whole_cycles is None and warm and not self.failures:
            spent = self.recorder.milliseconds(lambda: self._parts(critic_steps, accumulate, step))
            self._whole_cycles = spent < _SHORT_MS
        elif self._whole_cycles:
            self._whole(critic_steps, accumulate, step)
        else:
            self._parts(critic_steps, accumulate, step)

    def _parts(self, critic_steps: int, accumulate: int, step: int) -> None:
        slots = range(accumulate)
        for _ in range(critic_steps):
            forms = self._stage(slots)
            with self.stopwatch.part("critic"):
                self._run("critic", (forms, self._due(1)), lambda step=step: self._update_critic(slots))
        with self.stopwatch.part("generator"):
            self._run("generator", forms, lambda step=step: self.steps.update_generator(self.batches, step))

    def _whole(self, critic_steps: int, accumulate: int, step: int) -> None:
        forms = self._stage(range(critic_steps * accumulate))

        def work(step: int = step) -> None:
            for number in range(critic_steps):
                self._update_critic(range(number * accumulate, (number + 1) * accumulate))
            self.steps.update_generator(self.batches, step)

        with self.stopwatch.part("cycle"):
            self._run("cycle", (forms, self._due(critic_steps)), work)

    def _stage(self, slots: range) -> tuple[str, ...]:
        with self.stopwatch.part("data"):
            return tuple(self.stream.stage(slot) for slot in slots)

    def _update_critic(self, slots: range) -> None:
        self.batches = [self.stream.assemble(slot) for slot in slots]
        self.steps.update_critic(self.batches)

    def _due(self, updates: int) -> Hashable:
        """Which penalties the next `updates` of the critic have."""
        start, due = self.steps.critic_updates, self.steps.constraint.due
        return tuple(tuple((factor, penalty.name) for factor, penalty in due(start + i)) for i in range(updates))

    def _run(self, kind: str, form: Hashable, work: Callable[..., None]) -> None:
        players = (self.steps.critic, self.steps.generator)
        modes = tuple((player.module.training, player.parameters[0].data_ptr()) for player in players)
        key = (kind, form, modes)
        if (recording := self._recordings.get(key)) is not None:
            self._replay(recording)
        elif kind not in self.failures and self._runs.get(key, 0) >= _WARM_UP:
            self._record(kind, key, work)
        else:
            work()
        for counted in (key, kind):
            self._runs[counted] = self._runs.get(counted, 0) + 1

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
            log.warning("the %s's updates run one operation after another: recording failed (%s)", kind, reason)
            self._whole_cycles = False
            before.restore()
            work()
        else:
            self._recordings[key] = Recording(replay, self.batches, updates, counts)

    def _gradients(self) -> Sequence[Tensor]:
        """Of the last update of each player."""
        return [player.gradient for player in (self.steps.critic, self.steps.generator)]

    def _replay(self, recording: Recording) -> None:
        recording.replay()
        self.batches = recording.batches
        self.steps.critic_updates += recording.critic_updates
        for name, count in recording.counts.items():
            self.steps.readings.counts[name] += count


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


class CudaGraphs:
    """Records CUDA graphs, all in one memory pool, on a stream of their own."""

    def __init__(self, device: torch.device, draws: torch.Generator) -> None:
        self._draws = draws
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._pool = torch.cuda.graph_pool_handle()

    @contextmanager
    def active(self) -> Iterator[None]:
        outside = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(outside)
        with torch.cuda.stream(self._stream):
            yield
        outside.wait_stream(self._stream)

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._draws)  # torch's own stream is known to it without
        # Other threads, such as one that pins memory, may call CUDA meanwhile.
        with torch.cuda.graph(graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"):
            work()
        return graph.replay

    def milliseconds(self, work: Callable[[], None]) -> float:
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        work()
        end.record()
        end.synchronize()  # once in a training
        return float(start.elapsed_time(end))


def check_capture(capture: str, device: torch.device) -> None:
    """
    Raises:
        UsageError: no such way to carry out steps, or not on this device.
    """
    if capture not in get_args(Capture):
        raise UsageError(f"capture must be one of {', '.join(get_args(Capture))}, got {capture!r}")
    if capture == "graph" and device.type != "cuda":
        raise UsageError(
            f"capture graph needs a CUDA device, and training runs on {device.type}; use auto, compile or off"
        )


def describe(capture: str, device: torch.device, steps: Steps) -> str:
    """In words, how `choose_execution` will have the steps carried out."""
    compiled = "the critic's loss compiled, " if steps.compiled is not None else ""
    if device.type != "cuda" or capture == "off":
        return f"{compiled}one operation after another"
    return f"{compiled}recorded as CUDA graphs"


def choose_execution(
    capture: str, device: torch.device, steps: Steps, stream: Stream, stopwatch: Stopwatch
) -> Execution:
    """What `capture` means on `device`."""
    if device.type == "cuda" and capture != "off":
        return Recorded(steps, stream, stopwatch, CudaGraphs(device, steps.draws))
    return Eager(steps, stream, stopwatch)

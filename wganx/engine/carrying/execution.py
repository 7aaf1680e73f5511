"""How the steps are carried out: one operation after another, or recorded once and replayed.

Both do the same work in the same order on the same random streams.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Literal, Protocol, get_args

import torch

from wganx.batch import Batch
from wganx.devices import on_apple
from wganx.engine.carrying.cuda_graphs import CudaGraphs
from wganx.engine.carrying.eager import Eager
from wganx.engine.carrying.recorded import Recorded
from wganx.engine.carrying.stopwatch import Stopwatch
from wganx.engine.carrying.stream import Stream
from wganx.engine.steps.updates import Steps
from wganx.errors import UsageError

Capture = Literal["auto", "graph", "compile", "off"]


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
    if capture == "compile" and on_apple(device):
        raise UsageError("capture compile is for CPUs and CUDA devices, not for Apple's GPU; use auto or off")


def describe(capture: str, device: torch.device, steps: Steps) -> str:
    """In words, how `choose_execution` will have the steps carried out."""
    compiles = steps.compiled is not None and steps.compiled.reason is None
    compiled = "the critic's loss compiled, " if compiles else ""
    if device.type != "cuda" or capture == "off":
        return f"{compiled}one operation after another"
    return f"{compiled}recorded as CUDA graphs"


def choose_execution(
    capture: str,
    device: torch.device,
    steps: Steps,
    stream: Stream,
    stopwatch: Stopwatch,
    failures: dict[str, str],
    note: Callable[[str], None],
) -> Execution:
    """What `capture` means on `device`; `failures` holds what is known not to be recordable, and gets what is found."""
    if device.type == "cuda" and capture != "off":
        return Recorded(steps, stream, stopwatch, CudaGraphs(device, steps.draws), failures, note)
    return Eager(steps, stream, stopwatch)

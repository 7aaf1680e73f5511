"""What all peers have in common, and how their imports are helped along."""

from __future__ import annotations

import itertools
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import torch
from handwritten import BETAS, CRITIC_STEPS, LEARNING_RATE
from torch import Tensor
from torch.nn import Parameter
from trainings import Setup, multiplying


class Peer(ABC):
    """A package's own training step around the networks of a `Setup`.

    Attributes:
        package: its name and version.
        timed: what is called in one cycle.
        patches: what had to be changed for it to run here; never the step itself.
    """

    package: ClassVar[str]
    timed: ClassVar[str]
    patches: ClassVar[tuple[str, ...]] = ()

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.generator, self.critic = setup.networks()
        self.generator.train()
        self.critic.train()
        self.reals: Iterator[Tensor] = itertools.cycle(setup.reals())
        (self.noise,) = setup.network.noise

    def active(self) -> AbstractContextManager[object]:
        """Around everything that is run."""
        return nullcontext()

    def run(self, cycles: int) -> None:
        """`cycles` times five critic updates and one of the generator."""
        with multiplying(self.setup.precision, self.setup.device):
            for _ in range(cycles):
                self.cycle([next(self.reals) for _ in range(CRITIC_STEPS)])

    @abstractmethod
    def cycle(self, reals: list[Tensor]) -> None:
        """One cycle on as many batches as there are critic updates."""

    @abstractmethod
    def penalty(self, points: Tensor) -> float:
        """The weighted penalty that its own code computes where real and fake samples are both `points` ``(B, ...)``.

        Points between them are then `points` too, whichever way interpolation weights are drawn.
        """

    @abstractmethod
    def train_by_itself(self, folder: Path) -> None:
        """A short training by the package's own top-level call, which may write into `folder`."""

    def remarks(self) -> list[str]:
        """Facts about its step, found by running it."""
        return []

    def own_training(self) -> str:
        """How `train_by_itself` ends."""
        with tempfile.TemporaryDirectory() as folder:
            try:
                self.train_by_itself(Path(folder))
            except Exception as error:
                return f"fails: {reason(error)}"
        return "runs"


def adam(params: Iterable[Parameter]) -> torch.optim.Adam:
    """The optimizer that all peers are given: Adam as torch builds it by default."""
    return torch.optim.Adam(params, lr=LEARNING_RATE, betas=BETAS)


def reason(error: BaseException) -> str:
    """One line: the kind of error and the first line of its message."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


@contextmanager
def stand_ins(modules: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
    """Inside, importing one of `modules` gives an empty module with the given attributes."""
    for name, attributes in modules.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        module.__dict__.update(attributes)
        sys.modules[name] = module
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]

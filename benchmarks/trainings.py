"""The ways to take one training cycle that are timed against each other, all from one start."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from handwritten import BETAS, CRITIC_STEPS, EMA, LEARNING_RATE, WEIGHT, Bare, Careful, ConstantMaskLeakyReLU, Textbook
from networks import Network, leaky_relu
from torch import Tensor, nn

import wganx
from wganx.engine.carrying.stream import Stream

BASELINE = "textbook"


class Training(Protocol):
    """A pair of networks and a way to train them."""

    generator: nn.Module
    critic: nn.Module

    def active(self) -> AbstractContextManager[object]:
        """Around everything that is run."""

    def run(self, cycles: int) -> None:
        """`cycles` times five critic updates and one of the generator."""


@dataclass(frozen=True)
class Variant:
    """A way to take the step: whose, in which precision, and how the engine is to capture it."""

    name: str
    bf16: bool = False
    capture: str = "off"

    @property
    def way(self) -> str:
        """``textbook``, ``careful``, ``bare`` or ``wganx``."""
        return self.name.split("-")[0]


VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("textbook"),
        Variant("careful"),
        Variant("bare"),
        Variant("wganx"),
        Variant("wganx-graph", capture="graph"),
        Variant("wganx-compile", capture="compile"),
        Variant("textbook-bf16", bf16=True),
        Variant("careful-bf16", bf16=True),
        Variant("bare-bf16", bf16=True),
        Variant("wganx-bf16", bf16=True),
        Variant("wganx-graph-bf16", bf16=True, capture="graph"),
        Variant("wganx-compile-bf16", bf16=True, capture="compile"),
    )
}


@dataclass(frozen=True)
class Setup:
    """What all variants share: networks, batch, device, the precision of those that are not bf16, type of weights."""

    network: Network
    batch: int
    device: torch.device
    precision: str
    seed: int = 0
    dtype: torch.dtype = torch.float32

    def networks(self, *, constant_mask: bool = False) -> tuple[nn.Module, nn.Module]:
        """Generator and critic, always from the same initial weights."""
        with torch.random.fork_rng([]):
            torch.manual_seed(self.seed)
            generator, critic = self.network.make_generator(), self.network.make_critic(leaky_relu)
        if constant_mask:
            masked = self.network.make_critic(ConstantMaskLeakyReLU)
            masked.load_state_dict(critic.state_dict())
            critic = masked
        return generator.to(self.device, self.dtype), critic.to(self.device, self.dtype)

    def reals(self) -> list[Tensor]:
        """A few batches on the device."""
        return [real.to(self.dtype) for real in self.network.reals(CRITIC_STEPS, self.batch, self.device)]

    def make(self, variant: Variant) -> Training:
        """A fresh training of the variant."""
        return Wganx(self, variant) if variant.way == "wganx" else ByHand(self, variant)


class Wganx:
    """The engine with its defaults, as `Trainer.fit` runs it between two logging points."""

    def __init__(self, setup: Setup, variant: Variant) -> None:
        self.generator, self.critic = setup.networks()
        self.trainer = wganx.Trainer(
            self.generator,
            self.critic,
            noise=setup.network.noise,
            constraint=wganx.GradientPenalty(WEIGHT),
            critic_steps=CRITIC_STEPS,
            ema=EMA,
            precision="bf16" if variant.bf16 else setup.precision,
            capture=variant.capture,
            device=setup.device,
            seed=setup.seed,
            optimizer=wganx.Optimizer(lr=LEARNING_RATE, betas=BETAS),
        )
        self.device = setup.device
        self.precision = "tf32" if variant.bf16 else setup.precision
        self.stream = Stream(setup.reals(), setup.device)

    def active(self) -> AbstractContextManager[object]:
        return self.trainer.training.running(self.stream)

    def run(self, cycles: int) -> None:
        # Also set by the training itself, but several are active here at a time.
        with multiplying(self.precision, self.device):
            for _ in range(cycles):
                self.trainer.training.advance()


class ByHand:
    """One of the steps of `handwritten`; the bare one joins forward passes and lays out images as the engine does."""

    def __init__(self, setup: Setup, variant: Variant) -> None:
        self.generator, self.critic = setup.networks(constant_mask=variant.way == "bare")
        draws = torch.Generator(setup.device).manual_seed(setup.seed)
        arguments = (self.generator, self.critic, setup.network.noise, draws)
        self.steps: Textbook | Careful | Bare
        if variant.way == "bare":
            engine = Wganx(setup, VARIANTS["wganx"]).trainer.steps
            self.steps = Bare(*arguments, bf16=variant.bf16, joined=engine.joined, layout=engine.layout)
        else:
            kind = Textbook if variant.way == "textbook" else Careful
            self.steps = kind(*arguments, bf16=variant.bf16)
        self.device = setup.device
        self.precision = "tf32" if variant.bf16 else setup.precision
        self.reals = itertools.cycle(setup.reals())

    def active(self) -> AbstractContextManager[object]:
        return nullcontext()

    def run(self, cycles: int) -> None:
        with multiplying(self.precision, self.device):
            for _ in range(cycles):
                self.steps.cycle(self.reals)


@contextmanager
def multiplying(precision: str, device: torch.device) -> Iterator[None]:
    """Inside, matrix products and convolutions of a GPU run in `precision`: IEEE fp32, or TF32."""
    if device.type != "cuda":
        yield
        return
    switches: Sequence[Any] = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]
    before = [switch.fp32_precision for switch in switches]
    for switch in switches:
        switch.fp32_precision = "tf32" if precision == "tf32" else "ieee"
    try:
        yield
    finally:
        for switch, value in zip(switches, before):
            switch.fp32_precision = value


@contextmanager
def complaints() -> Iterator[list[str]]:
    """What the engine warns of meanwhile: it then goes on without what was asked for, which is not to be timed."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    listener = Listener(logging.WARNING)
    logging.getLogger("wganx").addHandler(listener)
    try:
        yield heard
    finally:
        logging.getLogger("wganx").removeHandler(listener)


def distances(
    network: Network, device: torch.device, names: Sequence[str], dtype: torch.dtype = torch.float64
) -> dict[str, float]:
    """How far from textbook's the parameters are after three cycles, relative, by name of the variant.

    Small batches, because the mathematics does not depend on their size; noise and interpolation weights are the same
    numbers, drawn from streams of one seed. In float64, because Adam without a memory of the gradient divides each of
    its entries by about its own size: where an entry is rounding alone, so is the step, and in fp32 that grows to
    some 1e-3 in three cycles between trainings which do the same.
    """
    setup = Setup(network, min(network.batch, 4), device, "fp32", dtype=dtype)
    trainings = {name: setup.make(VARIANTS[name]) for name in dict.fromkeys((BASELINE, *names))}
    for training in trainings.values():
        with training.active():
            training.run(3)
    reference = trainings.pop(BASELINE)
    return {name: distance(training, reference) for name, training in trainings.items()}


def distance(one: Training, other: Training) -> float:
    """Of all parameters of a network together, ``‖p - q‖ / ‖q‖``; of the two networks the larger."""
    found = []
    for module, reference in ((one.generator, other.generator), (one.critic, other.critic)):
        p, q = (
            torch.cat([parameter.detach().double().reshape(-1) for parameter in each.parameters()])
            for each in (module, reference)
        )
        found.append(float((p - q).norm() / q.norm()))
    return max(found)

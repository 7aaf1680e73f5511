"""What a training step computes, found by watching it: the same for every step, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from floor import Floor, count
from handwritten import CRITIC_STEPS, WEIGHT
from networks import Activation, Network
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from trainings import Setup, Training

SLOPE = 2.0
"""Of the linear critic whose update is taken apart."""

BATCH = 64
"""Samples in the batch of that update."""

_WAITS = ("_local_scalar_dense", "nonzero", "_unique2", "equal", "is_nonzero")


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """What passes through the networks and optimizers, and how often the host needs a result.

    Attributes:
        critic_updates: weight and gradient of the critic's first parameter before each step of an optimizer that has
            it.
        waits: operations for which the host would wait for a GPU. Those inside an optimizer do not count: Adam reads
            its number of steps, which lies on the CPU.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.critic_inputs: list[Tensor] = []
        self.generator_outputs: list[Tensor] = []
        self.critic_updates: list[tuple[Tensor, Tensor]] = []
        self.optimizer_steps = self.waits = 0
        self.in_optimizer = False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.waits += func.overloadpacket.__name__ in _WAITS and not self.in_optimizer
        return func(*args, **(kwargs or {}))


@contextmanager
def _watching(training: Training) -> Iterator[_Watch]:
    watch = _Watch()
    weight = next(training.critic.parameters())

    def before_step(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        watch.optimizer_steps += 1
        watch.in_optimizer = True
        if any(each is weight for group in optimizer.param_groups for each in group["params"]):
            assert weight.grad is not None
            watch.critic_updates.append((weight.detach().clone(), weight.grad.detach().clone()))

    def after_step(optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        watch.in_optimizer = False

    handles = [
        training.critic.register_forward_pre_hook(lambda _, inputs: watch.critic_inputs.append(inputs[0].detach())),
        training.generator.register_forward_hook(lambda _, inputs, output: watch.generator_outputs.append(output)),
        register_optimizer_step_pre_hook(before_step),
        register_optimizer_step_post_hook(after_step),
    ]
    try:
        with watch:
            yield watch
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class Conduct:
    """One cycle in numbers.

    Attributes:
        critic_passes: forward passes of the critic, in batches.
        generator_passes: forward passes of the generator, in batches.
        generator_graphs: how many of those recorded a graph; one is needed.
        optimizer_steps: six are needed.
        waits: operations for which the host would wait for a GPU.
        arithmetic: floating-point operations over the least that the cycle needs.
    """

    critic_passes: float
    generator_passes: float
    generator_graphs: int
    optimizer_steps: int
    waits: int
    arithmetic: float


def watch_cycle(training: Training, batch: int, floor: Floor) -> Conduct:
    """One cycle of `training`, on batches of `batch` samples."""
    with _watching(training) as watch:
        operations = count(lambda: training.run(1))
    return Conduct(
        critic_passes=sum(len(each) for each in watch.critic_inputs) / batch,
        generator_passes=sum(len(each) for each in watch.generator_outputs) / batch,
        generator_graphs=sum(each.requires_grad for each in watch.generator_outputs),
        optimizer_steps=watch.optimizer_steps,
        waits=watch.waits,
        arithmetic=operations / floor.cycle(CRITIC_STEPS),
    )


@dataclass(frozen=True)
class Mathematics:
    """What one critic update minimises.

    The critic is linear, ``f(x) = w·x + b`` with ``‖w‖ = 2``, the generator constant, and every real sample the same.
    The gradient of ``mean f(fake) - mean f(real) + λ mean (‖∇f‖ - 1)²`` for w is then
    ``fake - real + 2 λ (‖w‖ - 1) w/‖w‖``, wherever between them the penalty is taken.

    Attributes:
        difference: coefficient of ``fake - real`` in the gradient; 1.
        weight: λ as it follows from the rest of the gradient; 10.
        unexplained: what neither direction explains, relative to the gradient.
        interpolation_weights: how many different points between real and fake the critic met.
    """

    difference: float
    weight: float
    unexplained: float
    interpolation_weights: int

    def is_wgan_gp(self, batch: int) -> bool:
        """Whether the numbers are those of WGAN-GP on `batch` samples, the sign of the scores aside."""
        off = abs(abs(self.difference) - 1), abs(self.weight / WEIGHT - 1), self.unexplained
        return max(off) < 1e-3 and self.interpolation_weights == batch


class _Repeated(Network):
    """Every batch is one sample, repeated: what stands on one side of the difference."""

    def reals(self, count: int, batch: int, device: torch.device) -> list[Tensor]:
        one = super().reals(1, 1, device)[0]
        return [one.expand(batch, *self.sample).clone() for _ in range(count)]


def _constant_generator(sample: tuple[int, ...], noise: int) -> nn.Module:
    linear = nn.Linear(noise, math.prod(sample))
    nn.init.zeros_(linear.weight)
    nn.init.uniform_(linear.bias, -1, 1)
    return nn.Sequential(linear, nn.Unflatten(1, sample))


def linear_critic(sample: tuple[int, ...], slope: float) -> nn.Module:
    """``f(x) = w·x + b`` with ``‖w‖ = slope``."""
    linear = nn.Linear(math.prod(sample), 1)
    with torch.no_grad():
        linear.weight.mul_(slope / linear.weight.norm())
    return nn.Sequential(nn.Flatten(), linear, nn.Flatten(0))


def linear_setup(batch: int, device: torch.device, precision: str, slope: float = SLOPE) -> Setup:
    """A linear critic of the given slope against a constant generator, on pictures of 3 x 8 x 8."""
    sample, noise = (3, 8, 8), 16

    def make_critic(activation: Activation) -> nn.Module:
        return linear_critic(sample, slope)

    network = _Repeated("linear", sample, (noise,), batch, lambda: _constant_generator(sample, noise), make_critic)
    return Setup(network, batch, device, precision)


def take_apart(make: Callable[[Setup], Training], setup: Setup) -> Mathematics:
    """The first critic update of a training on `linear_setup`; it may take several optimizer steps."""
    torch.manual_seed(0)  # for those that draw from torch's own stream
    training = make(setup)
    with torch.no_grad():
        fake = training.generator(torch.zeros(1, *setup.network.noise, device=setup.device))[0].flatten()
    real = setup.reals()[0][0].flatten()
    with training.active(), _watching(training) as watch:
        training.run(1)
    steps = watch.critic_updates[: len(watch.critic_updates) // CRITIC_STEPS]
    difference, weight, rest, total = 0.0, 0.0, 0.0, 0.0
    for w, gradient in steps:
        w, gradient = w.flatten().double(), gradient.flatten().double()
        slope = w.norm()
        directions = torch.stack([(fake - real).double(), 2 * (slope - 1) * w / slope], 1)
        coefficients = torch.linalg.lstsq(directions, gradient[:, None], driver="gelsd" if w.is_cpu else None).solution
        difference, weight = difference + float(coefficients[0]), weight + float(coefficients[1])
        rest += float((gradient - (directions @ coefficients)[:, 0]).square().sum())
        total += float(gradient.square().sum())
    return Mathematics(difference, weight, math.sqrt(rest / total), _different_weights(watch, real, fake, setup.batch))


def _different_weights(watch: _Watch, real: Tensor, fake: Tensor, batch: int) -> int:
    """Distinct positions on the segment from `fake` to `real` in the first batch of points that lie inside it."""
    fake = fake.double()
    line = real - fake
    for inputs in watch.critic_inputs:
        places = ((inputs.flatten(1) - fake) * line).sum(1) / line.square().sum()
        inside = places[(places > 1e-6) & (places < 1 - 1e-6)]
        if len(inside) >= batch - 1:
            return len(torch.unique((inside * 1e6).round()))
    return 0

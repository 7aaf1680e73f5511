"""Training steps written by hand around the same two networks, which wganx is measured against.

`Textbook` is the step of the popular scripts. `Careful` is what someone writes who knows where its waste is, with
stock parts only. `Bare` does everything the engine does and nothing around it: what the engine takes longer is its
overhead. All three compute the same updates from the same draws, and draw in the engine's order: noise, then
interpolation weights in a critic step; noise in a generator step.

WGAN-GP with the settings of Gulrajani et al., 2017: penalty weight 10, Adam(1e-4, betas (0, 0.9)), five critic updates
to one of the generator.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

WEIGHT = 10.0
LEARNING_RATE = 1e-4
BETAS = (0.0, 0.9)
CRITIC_STEPS = 5
EMA = 0.999


class Handwritten(ABC):
    """What the three have in common: the networks, the draws, the cycle.

    Args:
        noise: shape of one noise sample.
        draws: the one stream of noise and interpolation weights, on the device of the networks.
        bf16: whether forward passes run under autocast to bfloat16; gradient norms stay in fp32.
    """

    def __init__(
        self, generator: nn.Module, critic: nn.Module, noise: tuple[int, ...], draws: torch.Generator, *, bf16: bool
    ) -> None:
        self.generator, self.critic, self.noise, self.draws, self.bf16 = generator, critic, noise, draws, bf16
        self.kind = next(critic.parameters()).dtype
        self.generator.train()
        self.critic.train()

    def cycle(self, reals: Iterator[Tensor]) -> None:
        """Five critic updates and one of the generator."""
        for _ in range(CRITIC_STEPS):
            real = next(reals)
            self.update_critic(real)
        self.update_generator(len(real))

    @abstractmethod
    def update_critic(self, real: Tensor) -> None:
        """One critic update on a batch ``(B, ...)``."""

    @abstractmethod
    def update_generator(self, size: int) -> None:
        """One generator update on `size` samples."""

    def make_fake(self, size: int) -> Tensor:
        noise = torch.randn((size, *self.noise), generator=self.draws, device=self.draws.device, dtype=self.kind)
        fake: Tensor = self.generator(noise)
        return fake

    def weights(self, real: Tensor) -> Tensor:
        """One weight in [0, 1) a sample, to be broadcast over its axes."""
        shape = (len(real),) + (1,) * (real.ndim - 1)
        return torch.rand(shape, generator=self.draws, device=self.draws.device, dtype=self.kind)

    def autocast(self) -> AbstractContextManager[object]:
        return torch.autocast(self.draws.device.type, torch.bfloat16) if self.bf16 else nullcontext()


class Textbook(Handwritten):
    """The step of the popular scripts, with all that it computes for nothing.

    The fakes of a critic step carry the generator's graph, so that `backward` runs through the generator too; the
    generator step fills the gradients of the critic's weights; Adam goes through the tensors one by one; every step
    reads its loss on the host.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        settings: dict[str, Any] = {"lr": LEARNING_RATE, "betas": BETAS, "foreach": False, "fused": False}
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), **settings)
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), **settings)
        self.critic_loss = self.generator_loss = 0.0

    def update_critic(self, real: Tensor) -> None:
        self.critic_optimizer.zero_grad()
        with self.autocast():
            fake = self.make_fake(len(real))
            real_scores = self.critic(real)
            fake_scores = self.critic(fake)
            between = torch.lerp(real, fake.detach().to(real.dtype), self.weights(real)).requires_grad_(True)
            scores = self.critic(between)
            (slope,) = torch.autograd.grad(
                scores, between, grad_outputs=torch.ones_like(scores), create_graph=True, retain_graph=True
            )
            penalty = ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()
            loss = fake_scores.mean() - real_scores.mean() + WEIGHT * penalty
        loss.backward()
        self.critic_optimizer.step()
        self.critic_loss = loss.item()

    def update_generator(self, size: int) -> None:
        self.generator_optimizer.zero_grad()
        with self.autocast():
            loss = -self.critic(self.make_fake(size)).mean()
        loss.backward()
        self.generator_optimizer.step()
        self.generator_loss = loss.item()


class Careful(Handwritten):
    """No graph for the generator in critic steps, the critic frozen in generator steps, no reading on the host.

    The optimizer is Adam as torch builds it by default.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=LEARNING_RATE, betas=BETAS)
        self.generator_optimizer = torch.optim.Adam(self.generator.parameters(), lr=LEARNING_RATE, betas=BETAS)

    def update_critic(self, real: Tensor) -> None:
        with self.autocast():
            with torch.no_grad():
                fake = self.make_fake(len(real)).to(real.dtype)
            loss = self.critic(fake).to(self.kind).mean() - self.critic(real).to(self.kind).mean()
            between = torch.lerp(real, fake, self.weights(real)).requires_grad_(True)
            scores = self.critic(between)
            (slope,) = torch.autograd.grad(scores.to(self.kind).sum(), between, create_graph=True)
            norms = torch.linalg.vector_norm(slope.to(self.kind).flatten(1), dim=1)
            loss = loss + WEIGHT * (norms - 1).square().mean()
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()

    def update_generator(self, size: int) -> None:
        self.critic.requires_grad_(False)
        with self.autocast():
            loss = -self.critic(self.make_fake(size)).to(self.kind).mean()
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        self.critic.requires_grad_(True)


class Bare(Handwritten):
    """Everything the engine does to be fast, without the engine.

    As `Careful`, and: gradients by `torch.autograd.grad` into places kept for them; fused Adam; the generator's weight
    average; `layout` for what has four axes. Its critic is to be built with `ConstantMaskLeakyReLU`. No guard against
    non-finite values, no readings, no schedule.

    Args:
        joined: whether real and fake samples go through the critic in one forward pass.
        layout: order in memory of images ``(N, C, H, W)`` and of the weights of 2-d convolutions.
    """

    def __init__(
        self, *args: Any, joined: bool = False, layout: torch.memory_format = torch.contiguous_format, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.joined, self.layout = joined, layout
        self.critic.to(memory_format=layout)  # type: ignore[call-overload]
        self.generator.to(memory_format=layout)  # type: ignore[call-overload]
        self.critic_parameters = list(self.critic.parameters())
        self.generator_parameters = list(self.generator.parameters())
        for parameter in self.critic_parameters + self.generator_parameters:
            parameter.grad = torch.zeros_like(parameter)
        settings: dict[str, Any] = {"lr": LEARNING_RATE, "betas": BETAS, "fused": True}
        if self.draws.device.type == "cuda":
            settings["capturable"] = True
        self.critic_optimizer = torch.optim.Adam(self.critic_parameters, **settings)
        self.generator_optimizer = torch.optim.Adam(self.generator_parameters, **settings)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)

    def update_critic(self, real: Tensor) -> None:
        if real.ndim == 4:
            real = real.contiguous(memory_format=self.layout)
        with self.autocast():
            with torch.no_grad():
                fake = self.make_fake(len(real)).to(real.dtype)
            if self.joined:
                real_scores, fake_scores = self.critic(torch.cat([real, fake])).to(self.kind).chunk(2)
            else:
                real_scores, fake_scores = self.critic(real).to(self.kind), self.critic(fake).to(self.kind)
            between = torch.lerp(real, fake, self.weights(real)).requires_grad_(True)
            (slope,) = torch.autograd.grad(self.critic(between).to(self.kind).sum(), between, create_graph=True)
            norms = torch.linalg.vector_norm(slope.to(self.kind).flatten(1), dim=1)
            loss = fake_scores.mean() - real_scores.mean() + WEIGHT * (norms - 1).square().mean()
        fill_gradients(self.critic_parameters, loss)
        self.critic_optimizer.step()

    def update_generator(self, size: int) -> None:
        for parameter in self.critic_parameters:
            parameter.requires_grad_(False)
        with self.autocast():
            loss = -self.critic(self.make_fake(size)).to(self.kind).mean()
        for parameter in self.critic_parameters:
            parameter.requires_grad_(True)
        fill_gradients(self.generator_parameters, loss)
        self.generator_optimizer.step()
        with torch.no_grad():
            averaged: list[Tensor] = list(self.average.parameters())
            current: list[Tensor] = list(self.generator_parameters)
            torch._foreach_lerp_(averaged, current, 1 - EMA)


def fill_gradients(parameters: list[nn.Parameter], loss: Tensor) -> None:
    """The gradient of `loss` into the parameters' ``.grad``, which keep their places."""
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    places = [parameter.grad for parameter in parameters if parameter.grad is not None]
    torch._foreach_copy_(places, list(gradients))


class _Mask(torch.autograd.Function):
    """``x`` where the mask's source is positive, ``slope * x`` elsewhere; linear in ``x``, so its own derivative."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, source: Tensor, slope: float) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(source)
        ctx.slope = slope
        out: Tensor = torch.ops.aten.leaky_relu_backward(x, source, slope, False)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None, None]:
        if gradient is None:
            return None, None, None
        return _Mask.apply(gradient, *ctx.saved_tensors, ctx.slope), None, None  # type: ignore[no-untyped-call]


class ConstantMaskLeakyReLU(nn.Module):
    """Leaky ReLU whose derivative is a constant to autograd, as it is almost everywhere.

    The stock activation lets the double backward of a penalty run through its saved input once more, over zeros: two
    of the twelve forward passes' worth of work of a critic step.
    """

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = _Mask.apply(x, x.detach(), self.slope)  # type: ignore[no-untyped-call]
        return out

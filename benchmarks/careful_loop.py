"""A whole training by hand, as someone writes it who knows where the waste of the popular scripts is.

The step is that of `handwritten.Careful`, with what a training has beside its step: batches of its own, labels, and
the weight average of the generator that samples are drawn from. Nothing of wganx in it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn

Labelled = tuple[Tensor, Mapping[str, Tensor]]
"""Real samples ``(B, ...)``, and what generator and critic are given beside, by keyword."""


def random_batches(real: Tensor, given: Mapping[str, Tensor], size: int, seed: int) -> Iterator[Labelled]:
    """Endless batches, drawn with replacement from samples ``(N, ...)`` that lie in memory, ready for the critic."""
    draws = torch.Generator().manual_seed(seed)
    while True:
        rows = torch.randint(len(real), (size,), generator=draws)
        yield real[rows], {name: tensor[rows] for name, tensor in given.items()}


class CarefulLoop:
    """WGAN-GP of Gulrajani et al., 2017, with Adam.

    No graph for the generator in critic steps, the critic frozen in generator steps, the slope of every sample by
    itself, Adam as torch builds it by default, no reading on the host. A critic step draws noise, then interpolation
    weights; a generator step draws noise.

    Args:
        noise: length of a noise vector.
        critic_steps: critic updates for each generator update.
        weight: of the penalty ``E (‖∇ critic‖ - 1)²``.
        ema: decay of the weight average, ``min(ema, (1 + t) / (10 + t))`` in update number t.
        seed: of noise and interpolation weights.
        until: generator updates after which the rate has fallen to 0 along a line; None keeps it.
    """

    def __init__(
        self,
        generator: nn.Module,
        critic: nn.Module,
        batches: Iterator[Labelled],
        *,
        noise: int,
        critic_steps: int,
        lr: float,
        betas: tuple[float, float],
        weight: float,
        ema: float,
        seed: int,
        until: int | None = None,
    ) -> None:
        self.generator, self.critic, self.batches = generator.train(), critic.train(), batches
        self.noise, self.critic_steps, self.weight, self.ema = noise, critic_steps, weight, ema
        self.draws = torch.Generator().manual_seed(seed)
        self.generator_optimizer = torch.optim.Adam(generator.parameters(), lr=lr, betas=betas)
        self.critic_optimizer = torch.optim.Adam(critic.parameters(), lr=lr, betas=betas)
        self.average = copy.deepcopy(generator).requires_grad_(False).eval()
        self.lr, self.until, self.step = lr, until, 0

    def cycle(self) -> None:
        """`critic_steps` critic updates, one of the generator, one of the weight average."""
        if self.until is not None:
            for optimizer in (self.generator_optimizer, self.critic_optimizer):
                optimizer.param_groups[0]["lr"] = self.lr * (1 - self.step / self.until)
        for _ in range(self.critic_steps):
            real, given = next(self.batches)
            self.update_critic(real, given)
        self.update_generator(real, given)
        self.update_average()
        self.step += 1

    def update_critic(self, real: Tensor, given: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            fake = self.generator(self.draw_noise(real), **given)
        loss = self.critic(fake, **given).mean() - self.critic(real, **given).mean()
        shape = (len(real),) + (1,) * (real.ndim - 1)
        between = torch.lerp(real, fake, torch.rand(shape, generator=self.draws, dtype=real.dtype))
        between.requires_grad_(True)
        (slope,) = torch.autograd.grad(self.critic(between, **given).sum(), between, create_graph=True)
        norms = torch.linalg.vector_norm(slope.flatten(1), dim=1)
        loss = loss + self.weight * (norms - 1).square().mean()
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.critic_optimizer.step()

    def update_generator(self, real: Tensor, given: Mapping[str, Tensor]) -> None:
        self.critic.requires_grad_(False)
        loss = -self.critic(self.generator(self.draw_noise(real), **given), **given).mean()
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        self.critic.requires_grad_(True)

    @torch.no_grad()
    def update_average(self) -> None:
        decay = min(self.ema, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - decay)
        for ours, theirs in zip(self.average.buffers(), self.generator.buffers()):
            if ours.is_floating_point():
                ours.lerp_(theirs, 1 - decay)
            else:
                ours.copy_(theirs)

    def draw_noise(self, real: Tensor) -> Tensor:
        return torch.randn(len(real), self.noise, generator=self.draws, dtype=real.dtype)

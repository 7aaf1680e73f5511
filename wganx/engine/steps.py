"""The two steps: one update of the critic, one update of the generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wganx.batch import Batch
from wganx.engine.player import Player
from wganx.engine.precision import Precision
from wganx.engine.readings import Readings
from wganx.wasserstein import Constraint, Objective

ExtraLosses = Callable[[nn.Module, Tensor, Batch, int], Mapping[str, Tensor]]
"""``(generator, fake, batch, step) -> {name: weighted scalar}``, added to the generator's loss."""


@dataclass
class Steps:
    """Both players, the rules between them, and what they read off the game. Nothing here waits for the device.

    `failed` holds one boolean a player, set on the device by a non-finite loss or gradient; from then on that
    player's weights receive no gradient, and whoever reads the flags decides what happens.
    """

    generator: Player
    critic: Player
    objective: Objective
    constraint: Constraint
    noise: tuple[int, ...] | None
    precision: Precision
    draws: torch.Generator
    extra_losses: ExtraLosses | None = None
    readings: Readings = field(default_factory=Readings)
    critic_updates: int = 0

    def __post_init__(self) -> None:
        self.failed = {
            player.role: torch.zeros((), dtype=torch.bool, device=player.gradient.device)
            for player in (self.critic, self.generator)
        }

    def update_critic(self, batches: Sequence[Batch]) -> None:
        """One critic update on the mean gradient of `batches`."""
        for batch in batches:
            loss = self._critic_loss(batch)
            self.failed["critic"].logical_or_(torch.isfinite(loss).logical_not())
            self.critic.add_gradient(loss, 1 / len(batches))
        self.critic.update(self.failed["critic"])
        self.constraint.after_update(self.critic.module)
        self.critic_updates += 1

    def update_generator(self, batches: Sequence[Batch], step: int) -> None:
        """One generator update on the mean gradient of `batches`; the critic only passes gradients through."""
        with self.critic.frozen():
            for batch in batches:
                loss = self._generator_loss(batch, step)
                self.failed["generator"].logical_or_(torch.isfinite(loss).logical_not())
                self.generator.add_gradient(loss, 1 / len(batches))
        self.generator.update(self.failed["generator"])

    def make_fake(self, batch: Batch, draws: torch.Generator | None = None) -> Tensor:
        """The generator's samples for the context of `batch`; noise comes from `draws`, the training's own if None."""
        if self.noise is None:
            fake = self.generator.module(**batch.context)
        else:
            shape = (len(batch), *self.noise)
            draws = draws or self.draws
            noise = torch.randn(shape, generator=draws, device=draws.device, dtype=batch.real.dtype)
            fake = self.generator.module(noise, **batch.context)
        # Under autocast the last layer answers in bf16; samples keep the data's type.
        return fake.to(batch.real.dtype)  # type: ignore[no-any-return]

    def score(self, samples: Tensor, batch: Batch) -> Tensor:
        """The critic's scores ``(N,)`` in fp32 at least."""
        scores = self.constraint.scores(self.critic.module, samples, batch.condition)
        return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores

    def _critic_loss(self, batch: Batch) -> Tensor:
        # Weights that a constraint computes (orthonormal, divided by their norm) are computed once an update.
        with self.precision.autocast(), parametrize.cached():
            with torch.no_grad():
                fake = self.make_fake(batch)
            real_scores, fake_scores = self.score(batch.real, batch), self.score(fake, batch)
            loss = self.objective.critic_loss(real_scores, fake_scores)
            self.readings.add("critic_loss", loss)
            self.readings.add("score_gap", real_scores.detach().mean() - fake_scores.detach().mean())
            for factor, penalty in self.constraint.due(self.critic_updates):
                terms = penalty.terms(self.critic.module, batch.real, fake, batch.condition, self.draws)
                own = "" if penalty is self.constraint else f"/{penalty.name}"
                self.readings.add(f"penalty{own}", terms.loss)
                self.readings.add(f"gradient_norm{own}", terms.gradient_norm)
                loss = loss + factor * terms.loss
            if self.constraint.drift:
                drift = self.constraint.drift * real_scores.square().mean()
                self.readings.add("drift", drift)
                loss = loss + drift
        return loss

    def _generator_loss(self, batch: Batch, step: int) -> Tensor:
        with self.precision.autocast():
            fake = self.make_fake(batch)
            loss = self.objective.generator_loss(self.score(fake, batch))
            self.readings.add("generator_loss", loss)
            if self.extra_losses is not None:
                for name, extra in self.extra_losses(self.generator.module, fake, batch, step).items():
                    self.readings.add(f"extra/{name}", extra)
                    loss = loss + extra
        return loss

"""The two steps: one update of the critic, one update of the generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wganx.batch import Batch
from wganx.engine.player import Player
from wganx.engine.precision import Precision
from wganx.engine.ranks import Ranks
from wganx.engine.readings import Readings
from wganx.engine.whole_batch import AsWholeBatch
from wganx.nn import constant_masks
from wganx.wasserstein import Constraint, Objective, Penalty

if TYPE_CHECKING:
    from wganx.engine.compiled import CompiledLoss

ExtraLosses = Callable[[nn.Module, Tensor, Batch, int], Mapping[str, Tensor]]
"""``(generator, fake, batch, step) -> {name: weighted scalar}``, added to the generator's loss."""


@dataclass(frozen=True)
class Part:
    """The rows of a batch that are computed at once, with the share of the batch that they are."""

    batch: Batch
    noise: Tensor | None
    share: float
    as_whole: AbstractContextManager[object]


@dataclass
class Steps:
    """Both players, the rules between them, and what they read off the game. Nothing here waits for the device.

    Attributes:
        draws: the stream of all noise and of the penalties' draws.
        ranks: who shares every batch.
        micro_batch: rows that a backward pass takes at most; None for all of this rank's.
        joined: real and fake samples go through the critic together, in fewer and larger operations.
        constant_mask: differentiate rectifiers as what they are, piecewise linear (`wganx.nn.constant_masks`).
        layout: order in memory of samples ``(N, C, H, W)``.
    """

    generator: Player
    critic: Player
    objective: Objective
    constraint: Constraint
    noise: tuple[int, ...] | None
    precision: Precision
    draws: torch.Generator
    extra_losses: ExtraLosses | None = None
    ranks: Ranks = field(default_factory=Ranks)
    micro_batch: int | None = None
    joined: bool = False
    constant_mask: bool = True
    layout: torch.memory_format = torch.contiguous_format
    readings: Readings = field(default_factory=Readings)
    critic_updates: int = 0
    compiled: CompiledLoss | None = None

    def update_critic(self, batches: Sequence[Batch]) -> None:
        """One critic update on the mean gradient of `batches`."""
        for batch in batches:
            for part in self._parts(batch):
                with part.as_whole:
                    self._differentiate_critic(part, part.share / len(batches))
        self.critic.update(self.ranks)
        self.constraint.after_update(self.critic.module)
        self.critic_updates += 1

    def update_generator(self, batches: Sequence[Batch], step: int) -> None:
        """One generator update on the mean gradient of `batches`; the critic only passes gradients through."""
        with self.critic.frozen():
            for batch in batches:
                for part in self._parts(batch):
                    with part.as_whole:
                        loss = self._generator_loss(part, step) * (part.share / len(batches))
                        self.generator.add_gradient(loss)
        self.generator.update(self.ranks)

    def draw_noise(self, batch: Batch, draws: torch.Generator | None = None) -> Tensor | None:
        """Noise for every row of `batch`, from the training's own stream if `draws` is None; None without noise."""
        if self.noise is None:
            return None
        draws = draws or self.draws
        return torch.randn((len(batch), *self.noise), generator=draws, device=draws.device, dtype=batch.real.dtype)

    def make_fake(self, batch: Batch, noise: Tensor | None) -> Tensor:
        """The generator's samples for the context of `batch`."""
        inputs = () if noise is None else (noise,)
        fake = self.generator.module(*inputs, **batch.context)
        # Under autocast the last layer answers in bf16; samples keep the data's type.
        return fake.to(batch.real.dtype)  # type: ignore[no-any-return]

    def score(self, samples: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
        """The critic's scores ``(N,)`` in fp32 at least."""
        scores = self.constraint.scores(self.critic.module, samples, condition)
        return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores

    def _parts(self, batch: Batch) -> Iterator[Part]:
        """This rank's rows of `batch`, as many at once as `micro_batch` allows."""
        noise, total, ranks = self.draw_noise(batch), len(batch), self.ranks
        pieces = math.ceil(math.ceil(total / ranks.count) / self.micro_batch) if self.micro_batch else 1
        pieces = min(pieces, total // ranks.count)  # no rank may be left without a row
        shares = [ranks.rows(total, number) for number in range(ranks.count)]
        for piece in range(pieces):
            cut = [_piece(share, piece, pieces) for share in shares]
            rows = cut[ranks.number]
            together = sum(each.stop - each.start for each in cut)
            yield Part(
                batch[rows] if together < total or ranks.count > 1 else batch,
                None if noise is None else noise[rows],
                (rows.stop - rows.start) / total,
                AsWholeBatch(rows, total, together, ranks) if ranks.count > 1 else nullcontext(),
            )

    def _differentiate_critic(self, part: Part, factor: float) -> None:
        """Add `factor` times the gradient of the critic's loss on `part`."""
        with torch.no_grad(), self.precision.autocast():
            fake = self.make_fake(part.batch, part.noise)
        real, condition = self._arranged(part.batch.real), part.batch.condition
        due = tuple(self.constraint.due(self.critic_updates))
        if self.compiled is None:
            loss, readings = self._critic_loss(real, fake, condition, due)
            self.critic.add_gradient(loss * factor)
        else:
            found = self.compiled.gradients(real, fake, condition, due)
            readings = found.readings
            self.critic.add(found.gradients, found.loss, factor)
        for name, value in readings.items():
            self.readings.add(name, value, part.share)

    def compile(self) -> None:
        """From now on the critic's loss is differentiated by a compiled graph, where that is possible."""
        from wganx.engine.compiled import CompiledLoss

        self.compiled = CompiledLoss(self.critic.module, self._critic_loss)

    def _critic_loss(
        self, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor], due: Sequence[tuple[float, Penalty]]
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss, and scalars to log; nothing but these arguments, the critic and draws goes into it."""
        # Weights that a constraint computes (orthonormal, divided by their norm) are computed once an update.
        # The masks gain most in penalties; elsewhere they keep an activation's output in place of its input.
        with self.precision.autocast(), parametrize.cached(), self._masks():
            real_scores, fake_scores = self._score_both(real, fake, condition)
            loss = self.objective.critic_loss(real_scores, fake_scores)
            gap = real_scores.detach().mean() - fake_scores.detach().mean()
            readings = {"critic_loss": loss, "score_gap": gap}
            for factor, penalty in due:
                terms = penalty.terms(self.critic.module, real, fake, condition, self.draws)
                own = "" if penalty is self.constraint else f"/{penalty.name}"
                readings |= {f"penalty{own}": terms.loss, f"gradient_norm{own}": terms.gradient_norm}
                loss = loss + factor * terms.loss
            if self.constraint.drift:
                readings["drift"] = self.constraint.drift * real_scores.square().mean()
                loss = loss + readings["drift"]
        return loss, readings

    def _generator_loss(self, part: Part, step: int) -> Tensor:
        with self.precision.autocast():
            fake = self.make_fake(part.batch, part.noise)
            # Where scores themselves hold a gradient, they are differentiated twice here too.
            with self._masks() if self.constraint.owns == "scores" else nullcontext():
                scores = self.score(fake, part.batch.condition)
            loss = self.objective.generator_loss(scores)
            self.readings.add("generator_loss", loss, part.share)
            if self.extra_losses is not None:
                for name, extra in self.extra_losses(self.generator.module, fake, part.batch, step).items():
                    self.readings.add(f"extra/{name}", extra, part.share)
                    loss = loss + extra
        return loss

    def _score_both(self, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        if not self.joined:
            return self.score(real, condition), self.score(fake, condition)
        twice = {name: torch.cat([rows, rows]) for name, rows in condition.items()}
        real_scores, fake_scores = self.score(torch.cat([real, fake]), twice).chunk(2)
        return real_scores, fake_scores

    def _masks(self) -> AbstractContextManager[object]:
        return constant_masks() if self.constant_mask else nullcontext()

    def _arranged(self, samples: Tensor) -> Tensor:
        return samples.contiguous(memory_format=self.layout) if samples.ndim == 4 else samples


def _piece(rows: slice, number: int, count: int) -> slice:
    size = rows.stop - rows.start
    return slice(rows.start + size * number // count, rows.start + size * (number + 1) // count)

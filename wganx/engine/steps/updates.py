"""The two steps: one update of the critic, one update of the generator."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wganx.batch import Batch
from wganx.engine.device import arranged, as_judged, twice_differentiable_attention
from wganx.engine.precision import Precision
from wganx.engine.ranks import Ranks
from wganx.engine.steps.features import CriticFeatures, OneDirection
from wganx.engine.steps.packs import in_packs, packs_in
from wganx.engine.steps.player import Player
from wganx.engine.steps.readings import Readings
from wganx.engine.steps.whole_batch import AsWholeBatch
from wganx.networks import Networks
from wganx.nn import constant_masks
from wganx.wasserstein import BatchDistance, Constraint, Objective, Penalty

Losses = Callable[[Networks, Tensor, Batch, int], Mapping[str, Tensor]]
"""``(networks, fake, batch, step) -> {name: weighted scalar}``, added to a player's loss."""


class LossGradient(NamedTuple):
    """The gradient of a loss for each trained weight, the loss, and scalars to log; nothing of it has a graph."""

    gradients: Sequence[Tensor]
    loss: Tensor
    readings: Mapping[str, Tensor]


class Variant(NamedTuple):
    """What makes one critic's loss another function than the next: the penalties that are due, and the stage."""

    due: Sequence[tuple[float, Penalty]]
    stage: Hashable


class Differentiator(Protocol):
    """Takes the gradient of the critic's loss in another way than autograd does; see `compiled`."""

    reason: str | None

    def gradients(
        self, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor], variant: Variant
    ) -> LossGradient: ...


Augment = Callable[[Tensor, torch.Generator, Tensor], Tensor]
"""``(samples, rng, strength) -> samples``: what the critic is shown in their place, real and made alike."""


@dataclass(frozen=True)
class Part:
    """The rows of a batch that are computed at once, with the share of the batch that they are.

    `as_whole` and `packs_as_whole` stand around what is computed row by row, and pack by pack.
    """

    batch: Batch
    noise: Tensor | None
    share: float
    as_whole: AbstractContextManager[object]
    packs_as_whole: AbstractContextManager[object]


@dataclass
class Steps:
    """Both players, the rules between them, and what they read off the game. Nothing here waits for the device.

    Attributes:
        draws: the stream of all noise and of the penalties' draws.
        helpers: networks beside the players, for the losses below.
        generator_losses: added to the generator's loss.
        critic_losses: added to the critic's loss; the fakes they are given have no graph.
        augment: changes what the critic is shown; the penalties' points lie between changed samples.
        strength: what `augment` is told, a tensor ``()`` that keeps its place; see `Adaptation`.
        ranks: who shares every batch.
        micro_batch: rows that a backward pass takes at most; None for all of this rank's.
        pack: samples that the critic scores together; constraint, objective and readings see a pack as one row.
        joined: real and fake samples go through the critic together, in fewer and larger operations.
        constant_mask: differentiate rectifiers as what they are, piecewise linear (`wganx.nn.constant_masks`).
        layout: order in memory of samples ``(N, C, H, W)``.
        rows: of a batch, where the networks take no other number.
        attention: the critic's attention is differentiated twice, which one of its kernels allows.
        stage: what the networks and the game make of the number of the step; see `Training`.
    """

    generator: Player
    critic: Player
    objective: Objective
    constraint: Constraint
    noise: tuple[int, ...] | None
    precision: Precision
    draws: torch.Generator
    helpers: Mapping[str, nn.Module] = field(default_factory=dict)
    generator_losses: Losses | None = None
    critic_losses: Losses | None = None
    augment: Augment | None = None
    strength: Tensor = field(default_factory=lambda: torch.ones(()))
    ranks: Ranks = field(default_factory=Ranks)
    micro_batch: int | None = None
    pack: int = 1
    joined: bool = False
    constant_mask: bool = True
    layout: torch.memory_format = torch.contiguous_format
    rows: int | None = None
    attention: bool = False
    readings: Readings = field(default_factory=Readings)
    critic_updates: int = 0
    stage: Hashable = ()
    compiled: Differentiator | None = None

    def update_critic(self, batches: Sequence[Batch], step: int) -> None:
        """One critic update on the mean gradient of `batches`."""
        with self.generator.frozen() if self.critic_losses is not None else nullcontext():
            for batch in batches:
                for part in self._parts(batch):
                    with part.as_whole:
                        self._differentiate_critic(part, part.share / len(batches), step)
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
        """What the objective is given of samples (or packs) ``(N, ...)``, in fp32 at least.

        The critic's scores ``(N,)``; where batches are compared, its features, or the samples, as rows ``(N, d)``.
        """
        critic = CriticFeatures(self.critic.module) if self.compares_features else self.critic.module
        scores = self.constraint.scores(critic, samples, condition)
        return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores

    def one_score(self) -> nn.Module:
        """The critic as one number a sample: its score, or, where its features are compared, one direction of them."""
        critic = self.critic.module
        return OneDirection(CriticFeatures(critic)) if self.compares_features else critic

    @property
    def compares_features(self) -> bool:
        """Whether the objective compares batches of what the critic makes of samples."""
        return self.objective.trains_critic and isinstance(self.objective, BatchDistance)

    def packed(self, rows: Tensor) -> Tensor:
        """Samples ``(N, ...)`` as the critic is given them: as they are, or in packs."""
        return rows if self.pack == 1 else in_packs(rows, self.pack)

    def judged(self, fake: Tensor) -> Tensor:
        """Samples of the generator ``(N, ...)`` as the critic is given them."""
        return self.packed(as_judged(fake, self.layout))

    def shown(self, samples: Tensor) -> Tensor:
        """Samples as the critic sees them in training."""
        return samples if self.augment is None else self.augment(samples, self.draws, self.strength)

    def kernels(self) -> AbstractContextManager[object]:
        """Around what is differentiated twice."""
        return twice_differentiable_attention() if self.attention else nullcontext()

    def packed_condition(self, batch: Batch) -> Mapping[str, Tensor]:
        """The condition of `batch` beside samples that are `packed`."""
        if self.pack == 1:
            return batch.condition
        return {name: in_packs(rows, self.pack) for name, rows in batch.condition.items()}

    def critic_loss(
        self, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor], variant: Variant
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The loss, and scalars to log; nothing but these arguments, the critic and draws goes into it."""
        # Weights that a constraint computes (orthonormal, divided by their norm) are computed once an update.
        # The masks gain most in penalties; elsewhere they keep an activation's output in place of its input.
        with self.precision.autocast(), parametrize.cached(), self._masks(), self.kernels():
            real_scores, fake_scores = self._score_both(real, fake, condition)
            loss = self.objective.critic_loss(real_scores, fake_scores)
            readings = {"critic_loss": loss}
            if not self.compares_features:
                readings["score_gap"] = real_scores.detach().mean() - fake_scores.detach().mean()
            for factor, penalty in variant.due:
                terms = penalty.terms(self.one_score(), real, fake, condition, self.draws)
                own = "" if penalty is self.constraint else f"/{penalty.name}"
                readings |= {f"penalty{own}": terms.loss, f"gradient_norm{own}": terms.gradient_norm}
                loss = loss + factor * terms.loss
            if self.constraint.drift:
                readings["drift"] = self.constraint.drift * real_scores.square().mean()
                loss = loss + readings["drift"]
        return loss, readings

    def _parts(self, batch: Batch) -> Iterator[Part]:
        """This rank's rows of `batch`, as many at once as `micro_batch` allows; whole packs everywhere."""
        noise, total, ranks, pack = self.draw_noise(batch), len(batch), self.ranks, self.pack
        packs = packs_in(total, pack)
        at_once = self.micro_batch // pack if self.micro_batch else 0
        pieces = math.ceil(math.ceil(packs / ranks.count) / at_once) if at_once else 1
        pieces = min(pieces, packs // ranks.count)  # no rank may be left without a row
        shares = [ranks.rows(packs, number) for number in range(ranks.count)]
        for piece in range(pieces):
            cut = [_piece(share, piece, pieces) for share in shares]
            own = cut[ranks.number]
            rows = slice(own.start * pack, own.stop * pack)
            together = sum(each.stop - each.start for each in cut) * pack
            whole = AsWholeBatch(rows, total, together, ranks) if ranks.count > 1 else None
            yield Part(
                batch[rows] if together < total or ranks.count > 1 else batch,
                None if noise is None else noise[rows],
                (rows.stop - rows.start) / total,
                nullcontext() if whole is None else whole,
                nullcontext() if whole is None or pack == 1 else whole.by_packs(pack),
            )

    def _differentiate_critic(self, part: Part, factor: float, step: int) -> None:
        """Add `factor` times the gradient of the critic's loss on `part`."""
        with torch.no_grad(), self.precision.autocast():
            fake = self.make_fake(part.batch, part.noise)
        variant = Variant(tuple(self.constraint.due(self.critic_updates)), self.stage)
        seen_real, seen_fake = self.shown(part.batch.real), self.shown(fake)
        with part.packs_as_whole:
            real, condition = self.packed(arranged(seen_real, self.layout)), self.packed_condition(part.batch)
            if self.compiled is not None:
                found = self.compiled.gradients(real, self.judged(seen_fake), condition, variant)
            else:
                loss, readings = self.critic_loss(real, self.judged(seen_fake), condition, variant)
        if self.compiled is not None:
            readings = found.readings
            self.critic.add(found.gradients, found.loss, factor)
        else:
            if self.critic_losses is not None:
                with self.precision.autocast():
                    loss = self._with_extras(loss, "extra/critic", self.critic_losses, fake, part, step)
            self.critic.add_gradient(loss * factor)
        for name, value in readings.items():
            self.readings.add(name, value, part.share)

    def _generator_loss(self, part: Part, step: int) -> Tensor:
        with self.precision.autocast():
            fake = self.make_fake(part.batch, part.noise)
            seen = self.shown(fake)
            with part.packs_as_whole:
                condition = self.packed_condition(part.batch)
                # Where scores themselves hold a gradient, they are differentiated twice here too.
                with self._masks() if self.constraint.owns == "scores" else nullcontext(), self.kernels():
                    scores = self.score(self.judged(seen), condition)
                if self.objective.generator_needs_real:
                    with torch.no_grad():
                        real = self.shown(part.batch.real)
                        real_scores = self.score(self.packed(arranged(real, self.layout)), condition)
                    loss = self.objective.generator_loss(scores, real_scores)
                else:
                    loss = self.objective.generator_loss(scores)
            self.readings.add("generator_loss", loss, part.share)
            if self.generator_losses is not None:
                loss = self._with_extras(loss, "extra", self.generator_losses, fake, part, step)
        return loss

    def _with_extras(self, loss: Tensor, kind: str, losses: Losses, fake: Tensor, part: Part, step: int) -> Tensor:
        networks = Networks(self.generator.module, self.critic.module, self.helpers)
        for name, extra in losses(networks, fake, part.batch, step).items():
            self.readings.add(f"{kind}/{name}", extra, part.share)
            loss = loss + extra
        return loss

    def _score_both(self, real: Tensor, fake: Tensor, condition: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        if not self.joined:
            return self.score(real, condition), self.score(fake, condition)
        twice = {name: torch.cat([rows, rows]) for name, rows in condition.items()}
        real_scores, fake_scores = self.score(torch.cat([real, fake]), twice).chunk(2)
        return real_scores, fake_scores

    def _masks(self) -> AbstractContextManager[Any]:
        return constant_masks() if self.constant_mask else nullcontext()


def _piece(rows: slice, number: int, count: int) -> slice:
    size = rows.stop - rows.start
    return slice(rows.start + size * number // count, rows.start + size * (number + 1) // count)

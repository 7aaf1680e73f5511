"""Penalties that ask for slope zero, on the samples themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.options import option
from wganx.wasserstein.constraints.base import Penalty, PenaltyTerms
from wganx.wasserstein.gradients import Critic, gradient_norms


@dataclass(frozen=True)
class ZeroCentredPenalty(Penalty):
    """Base of the penalties ``weight/2 * E ‖∇f(x)‖²`` on whole batches of samples; no random draw is made."""

    weight: float = option(10.0, "gamma: half of it is the factor of the mean squared gradient norm", ge=0)

    @abstractmethod
    def batches(self, real: Tensor, fake: Tensor) -> Sequence[Tensor]:
        """The batches ``(N, ...)`` whose penalties are added up."""

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        batches = self.batches(real, fake)
        repeated = {name: torch.cat([rows] * len(batches)) for name, rows in condition.items()}
        norms = gradient_norms(critic, torch.cat(list(batches)), repeated)
        # The batches are equally long, so the sum of their means is the mean over all rows, times their number.
        loss = 0.5 * self.weight * len(batches) * norms.square().mean()
        return PenaltyTerms(loss, norms.detach().mean())


@dataclass(frozen=True)
class R1(ZeroCentredPenalty):
    """Zero-centred gradient penalty on the real samples: ``weight/2 * E ‖∇f(real)‖²``.

    Makes the game of the two players converge locally where WGAN and WGAN-GP with few critic steps circle; it bounds
    no slope, so the gap of the mean scores is not a reading of W1. Mescheder, Geiger, Nowozin, "Which Training
    Methods for GANs do actually Converge?", 2018; gamma 10 there.

    Costs about as much as `GradientPenalty`, and a k-th of it with ``every=k``. Karras et al., "Analyzing and
    Improving the Image Quality of StyleGAN", 2020, apply it in every 16th update with 16 times the weight:
    ``R1(every=16)``. They also shrink Adam's rate and betas a little (by and to the power of 16/17), because their
    penalty has an update of its own; here it shares the update of the objective and nothing needs shrinking.
    """

    name = "r1"

    def batches(self, real: Tensor, fake: Tensor) -> Sequence[Tensor]:
        return [real]


@dataclass(frozen=True)
class R2(ZeroCentredPenalty):
    """Zero-centred gradient penalty on the fake samples: ``weight/2 * E ‖∇f(fake)‖²``.

    Source, reading and cost as `R1`.
    """

    name = "r2"

    def batches(self, real: Tensor, fake: Tensor) -> Sequence[Tensor]:
        return [fake]


@dataclass(frozen=True)
class R1R2(ZeroCentredPenalty):
    """`R1` and `R2` at once, with one weight: ``weight/2 * (E ‖∇f(real)‖² + E ‖∇f(fake)‖²)``.

    One pass over both batches, so twice the penalty's rows. Huang et al., "The GAN is dead; long live the GAN! A Modern
    GAN Baseline", 2024, find that both together hold where R1 alone diverges.
    """

    name = "r1+r2"

    def batches(self, real: Tensor, fake: Tensor) -> Sequence[Tensor]:
        return [real, fake]

"""What the names in `wganx_tones.rules` stand for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Parameter

from wganx import MetricContext, Optimizer, Sides, option
from wganx.wasserstein import Critic, Objective, Penalty, PenaltyTerms, gradient_norms, interpolate


@dataclass(frozen=True)
class MarginPenalty(Penalty):
    """``weight * E max(0, |gradient| - 1 - margin)^2`` between real and fake samples."""

    name = "margin-penalty"

    margin: float = option(0.1, "by how much a slope may exceed 1", ge=0)

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        norms = gradient_norms(critic, interpolate(real, fake, rng), condition)
        return PenaltyTerms(self.weight * (norms - 1 - self.margin).clamp_min(0).square().mean(), norms.mean())


@dataclass(frozen=True)
class Tilted(Objective):
    """The Wasserstein objective with `tilt` times as much weight on real scores."""

    name = "tilted"

    tilt: float = option(1.5, "weight of real scores", gt=0)

    def critic_loss(self, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
        return fake_scores.mean() - self.tilt * real_scores.mean()

    def generator_loss(self, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
        return -fake_scores.mean()


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Stochastic gradient descent with momentum."""

    momentum: float = option(0.5, "memory of the gradient", gt=0)

    def build(self, parameters: Iterable[Parameter], lr: float, capturable: bool = False) -> torch.optim.Optimizer:
        return torch.optim.SGD(list(parameters), lr=lr, momentum=self.momentum, nesterov=True)


def loudness(sides: Sides, context: MetricContext) -> Mapping[str, float]:
    """Root mean square of the candidate."""
    return {"loudness": float(sides.candidate.real.square().mean().sqrt())}

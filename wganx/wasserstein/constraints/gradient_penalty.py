"""Penalties on the critic's gradient norm at points between real and fake samples."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.constraints.base import Penalty, PenaltyTerms
from wganx.wasserstein.gradients import Critic, gradient_norms, interpolate


def without_penalty_bias(raw: float, weight: float) -> float:
    """``W = λ (√(1 + 2R/λ) - 1)`` for a reading ``R >= 0`` under a quadratic penalty of weight λ around slope 1.

    Scaling the optimal critic by s gives ``sW - λ (s - 1)²``, largest at ``s = 1 + W/(2λ)``, where it reads
    ``R = W + W²/(2λ)``; solved for W. A negative reading is no distance and is returned as it is, and so is any
    reading under weight 0, whose bias is unbounded.
    """
    if raw <= 0 or weight == 0:
        return raw
    return weight * (math.sqrt(1 + 2 * raw / weight) - 1)


@dataclass(frozen=True)
class InterpolatedPenalty(Penalty):
    """Base of the penalties on the gradient norm ``n`` at interpolated points: ``weight * E excess(n)²``."""

    reads_w1 = True

    @abstractmethod
    def excess(self, norms: Tensor) -> Tensor:
        """How far each norm ``(N,)`` is from what the penalty asks for."""

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        norms = gradient_norms(critic, interpolate(real, fake, rng), condition)
        return PenaltyTerms(self.weight * self.excess(norms).square().mean(), norms.detach().mean())

    def correct(self, raw: float) -> float:
        """The reading without the penalty's bias: `without_penalty_bias`."""
        return without_penalty_bias(raw, self.weight)


@dataclass(frozen=True)
class GradientPenalty(InterpolatedPenalty):
    """Two-sided gradient penalty: ``weight * E (‖∇f(x̂)‖ - 1)²``, ``x̂`` uniform between a real and a fake sample.

    It acts on the segments between the two samples, not on the whole space. Gulrajani et al., "Improved Training of
    Wasserstein GANs", 2017; weight 10 there. Costs about one and a half more critic passes with their double
    backward, roughly half of a critic step.
    """

    name = "gradient-penalty"

    def excess(self, norms: Tensor) -> Tensor:
        return norms - 1


@dataclass(frozen=True)
class LipschitzPenalty(InterpolatedPenalty):
    """One-sided gradient penalty: ``weight * E max(0, ‖∇f(x̂)‖ - 1)²``; a slope below 1 costs nothing.

    Petzka, Fischer, Lukovnikov, "On the regularization of Wasserstein GANs", 2018. Cost as `GradientPenalty`.
    """

    name = "lipschitz-penalty"

    def excess(self, norms: Tensor) -> Tensor:
        return (norms - 1).clamp_min(0)

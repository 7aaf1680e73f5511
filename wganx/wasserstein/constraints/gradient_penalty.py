"""Penalties on the critic's gradient norm at points between real and fake samples."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.settings import setting
from wganx.wasserstein.constraints.base import Constraint, Critic, PenaltyTerms


def interpolate(real: Tensor, fake: Tensor, rng: torch.Generator | None = None) -> Tensor:
    """A uniform point on the segment between each real sample and its fake partner.

    One weight per sample, the same for all its axes: ``real + u (fake - real)``, ``u ~ U[0, 1]``. Any rank; the
    result carries no graph.
    """
    shape = (len(real),) + (1,) * (real.ndim - 1)
    weight = torch.rand(shape, generator=rng, device=real.device, dtype=real.dtype)
    return torch.lerp(real.detach(), fake.detach(), weight)


def gradient_norms(critic: Critic, points: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
    """Euclidean norm of the critic's input gradient per sample, ``(N,)``, over all axes but the first.

    Differentiable with respect to the critic's parameters, with a finite gradient (zero) where the norm is zero. The
    norm is taken in fp32 at least, whatever the precision of the forward pass.
    """
    points = points.detach().requires_grad_(True)
    scores = critic(points, **condition)
    (gradient,) = torch.autograd.grad(scores.float().sum(), points, create_graph=True)
    if gradient.dtype in (torch.bfloat16, torch.float16):
        gradient = gradient.float()
    norms: Tensor = torch.linalg.vector_norm(gradient.flatten(1), dim=1)
    return norms


@dataclass(frozen=True)
class InterpolatedPenalty(Constraint):
    """Base of the penalties on the gradient norm ``n`` at interpolated points: ``weight * E excess(n)²``."""

    penalises = True

    weight: float = setting(10.0, "factor of the penalty in the critic's loss", ge=0)
    every: int = setting(1, "apply in every k-th critic update only, with k times the weight", ge=1)

    @abstractmethod
    def excess(self, norms: Tensor) -> Tensor:
        """How far each norm ``(N,)`` is from what the penalty asks for."""

    def penalty(self, critic: Critic, real: Tensor, fake: Tensor, **condition: Tensor) -> Tensor:
        """The weighted penalty, a scalar, for samples ``(N, ...)`` of any rank; `condition` is held per row."""
        return self.terms(critic, real, fake, condition).loss

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

    def due(self, update: int) -> float:
        return float(self.every) if update % self.every == 0 else 0.0

    def correct(self, raw: float) -> float:
        """``W = λ (√(1 + 2R/λ) - 1)`` for a reading ``R >= 0``.

        Scaling the optimal critic by s gives ``sW - λ (s - 1)²``, largest at ``s = 1 + W/(2λ)``, where it reads
        ``R = W + W²/(2λ)``; solved for W. A negative reading is no distance and is returned as it is, and so is any
        reading under weight 0, whose bias is unbounded.
        """
        if raw <= 0 or self.weight == 0:
            return raw
        return self.weight * (math.sqrt(1 + 2 * raw / self.weight) - 1)


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

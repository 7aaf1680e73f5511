"""Gradient normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.constraints.base import Constraint
from wganx.wasserstein.gradients import Critic


@dataclass(frozen=True)
class GradientNormalization(Constraint):
    """Both players see ``f(x) / (n(x) + |f(x)|)`` instead of the critic's score, ``n = ‖∇f(x)‖``.

    The result lies in (-1, 1), and where f is linear its slope is ``(n / (n + |f|))²``, at most 1: it holds for every
    piecewise linear critic, as those of (leaky) ReLU are, between the kinks. Being bounded it is no potential of
    W1, so nothing is read. Wu et al., "Gradient Normalization for Generative Adversarial Networks", 2021. The gradient
    is taken inside every score and differentiated again by both players' updates, so the critic must be twice
    differentiable and score each row by itself; costs about as much as a gradient penalty.
    """

    name = "gradient-normalization"
    owns = "scores"

    def scores(self, critic: Critic, samples: Tensor, condition: Mapping[str, Tensor]) -> Tensor:
        """``f / (n + |f|)``, shape ``(N,)``; keeps the graph to samples and weights unless gradients are off."""
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            points = samples if samples.requires_grad else samples.detach().requires_grad_(True)
            scores = critic(points, **condition)
            scores = scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores
            (gradient,) = torch.autograd.grad(scores.sum(), points, create_graph=wanted)
            norms = torch.linalg.vector_norm(gradient.to(scores.dtype).flatten(1), dim=1)
            # A critic that is flat and zero scores zero, not nan.
            normalised: Tensor = scores / (norms + scores.abs()).clamp_min(torch.finfo(scores.dtype).eps)
        return normalised if wanted else normalised.detach()

"""Gradient penalty around the real samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.options import option
from wganx.wasserstein.constraints.base import Penalty, PenaltyTerms
from wganx.wasserstein.gradients import Critic, gradient_norms, whole_batch


@dataclass(frozen=True)
class Dragan(Penalty):
    """Two-sided gradient penalty near the data: ``weight * E (‖∇f(x + δ)‖ - 1)²``, x real, ``δ ~ U[0, spread * std]``.

    `std` is one number, the standard deviation of all values of the real batch, and every value of δ is drawn on its
    own. The fake batch is not looked at: between the two distributions nothing bounds the slope, so the gap of the
    mean scores is not a reading of W1. It steadies games with any objective.

    Kodali et al., "On Convergence and Stability of GANs", 2017: weight 10 and slope 1. The noise is that of their
    released code (spread 0.5); the paper writes ``δ ~ N(0, c)`` with c to be tuned to the data's range, and the
    authors say that the standard deviation stands in for c. Costs as `GradientPenalty`.
    """

    name = "dragan"

    spread: float = option(0.5, "width of the noise, in standard deviations of the real batch", ge=0)

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        noise = torch.rand(real.shape, generator=rng, device=real.device, dtype=real.dtype)
        points = real.detach() + self.spread * whole_batch(real.detach()).std(correction=0) * noise
        norms = gradient_norms(critic, points, condition)
        return PenaltyTerms(self.weight * (norms - 1).square().mean(), norms.detach().mean())

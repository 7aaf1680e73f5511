"""The Wasserstein divergence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.options import option
from wganx.wasserstein.constraints.base import Penalty, PenaltyTerms
from wganx.wasserstein.gradients import Critic, gradient_norms, interpolate


@dataclass(frozen=True)
class WganDiv(Penalty):
    """Penalty on a high power of the gradient norm: ``weight * E ‖∇f(x̂)‖^power``, ``x̂`` as in `GradientPenalty`.

    No slope is prescribed. The critic settles at the slope ``s`` where a steeper one would cost more than it gains,
    and reads ``R = sW``; `correct` solves that for W. Wu et al., "Wasserstein Divergence for GANs", 2018: weight
    ``k = 2``, power ``p = 6``, applied to the Euclidean norm; some public codes apply it to the squared norm instead,
    which is ``power=12`` here. Costs as `GradientPenalty`.
    """

    name = "wgan-div"
    reads_w1 = True

    weight: float = option(2.0, "k: factor of the mean power of the gradient norm", ge=0)
    power: float = option(6.0, "p: power of the gradient norm", gt=1)

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        norms = gradient_norms(critic, interpolate(real, fake, rng), condition)
        return PenaltyTerms(self.weight * norms.pow(self.power).mean(), norms.detach().mean())

    def correct(self, raw: float) -> float:
        """``W = (k p R^(p-1))^(1/p)`` for a reading ``R > 0``.

        Scaling a critic of slope 1 by s gives ``sW - k s^p``, largest where ``W = k p s^(p-1)``; there it reads
        ``R = sW``. A reading that is not positive is no distance and is returned as it is, and so is any reading
        under weight 0.
        """
        if raw <= 0 or self.weight == 0:
            return raw
        return float((self.weight * self.power * raw ** (self.power - 1)) ** (1 / self.power))

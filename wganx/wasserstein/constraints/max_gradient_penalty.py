"""Penalty on the largest gradient norms of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.options import option
from wganx.wasserstein.constraints.base import PenaltyTerms
from wganx.wasserstein.constraints.gradient_penalty import LipschitzPenalty
from wganx.wasserstein.gradients import Critic, gradient_norms, interpolate, whole_batch


@dataclass(frozen=True)
class MaxGradientPenalty(LipschitzPenalty):
    """One-sided gradient penalty where the critic is steepest: ``weight * mean max(0, n - 1)²`` over the `pool` largest
    of the norms ``n = ‖∇f(x̂)‖``, found among `candidates` points ``x̂`` on each segment between real and fake.

    With ``pool=1`` this is ``weight * max(0, max n - 1)²``; with a pool as large as the number of candidate points
    (or larger) it is `LipschitzPenalty` on them. A Lipschitz constant is a largest slope, and the mean over a batch
    hides a few steep places that the maximum does not.

    Zhou et al., "Lipschitz Generative Adversarial Nets", 2019, penalise the maximum of the batch. Two things differ
    here. Their released code defaults to ``0.1 * max n²`` around slope 0, which leaves the slope open; around slope 1
    the reading stays one of W1, with weight 10 as the other penalties of that kind have. And it can carry the hardest
    points of one update over to the next; here they are sought anew in every batch, because a constraint keeps no
    state between updates: a run that is resumed must go on with the same bits. More `candidates` take its place.

    Costs as `GradientPenalty` for one candidate, and in proportion for several.
    """

    name = "max-gradient-penalty"

    pool: int = option(1, "how many of the largest gradient norms are penalised", ge=1)
    candidates: int = option(1, "points tried on each segment between a real and a fake sample", ge=1)

    def terms(
        self,
        critic: Critic,
        real: Tensor,
        fake: Tensor,
        condition: Mapping[str, Tensor],
        rng: torch.Generator | None = None,
    ) -> PenaltyTerms:
        points = torch.cat([interpolate(real, fake, rng) for _ in range(self.candidates)])
        repeated = {name: torch.cat([rows] * self.candidates) for name, rows in condition.items()}
        norms = gradient_norms(critic, points, repeated)
        everywhere = whole_batch(norms)
        hardest = everywhere.topk(min(self.pool, len(everywhere))).values
        return PenaltyTerms(self.weight * self.excess(hardest).square().mean(), norms.detach().mean())

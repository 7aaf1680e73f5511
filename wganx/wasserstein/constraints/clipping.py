"""Weight clipping."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from wganx.options import option
from wganx.wasserstein.constraints.base import Constraint


@dataclass(frozen=True)
class WeightClipping(Constraint):
    """After each critic update every weight is clamped to ``[-limit, limit]``.

    Bounds the Lipschitz constant by a number that depends on the architecture and is not 1, so the reading is not
    a W1. Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017: limit 0.01, with RMSprop at 5e-5. Costs next to nothing.
    """

    name = "clip"
    owns = "weights"

    limit: float = option(0.01, "largest absolute weight of the critic", gt=0)

    @torch.no_grad()
    def after_update(self, critic: nn.Module) -> None:
        for parameter in critic.parameters():
            parameter.clamp_(-self.limit, self.limit)

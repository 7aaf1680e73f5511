"""Weight clipping."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from wganx.errors import PreflightError
from wganx.options import option
from wganx.wasserstein.constraints.base import Constraint
from wganx.wasserstein.constraints.layers import is_made_elsewhere, is_normalised, of_what


@dataclass(frozen=True)
class WeightClipping(Constraint):
    """After each critic update every weight is clamped to ``[-limit, limit]``.

    Bounds the Lipschitz constant by a number that depends on the architecture and is not 1, so the reading is not
    a W1. Frozen weights stay, being bounded by what they are.
    Arjovsky, Chintala, Bottou, "Wasserstein GAN", 2017: limit 0.01, with RMSprop at 5e-5. Costs next to nothing.

    Raises:
        PreflightError: a weight of the critic is computed from another one whose size does not matter.
    """

    name = "clip"
    owns = "weights"

    limit: float = option(0.01, "largest absolute weight of the critic", gt=0)

    def prepare(self, critic: nn.Module) -> None:
        for name, layer in critic.named_modules():
            if is_normalised(layer):
                raise PreflightError(
                    f"constraint 'clip' cannot bound the critic's layer {name!r}: its weight is divided by its norm, "
                    "whatever is clipped before; take that off, or choose constraint 'none' beside it"
                )
            if is_made_elsewhere(layer):
                raise PreflightError(
                    f"constraint 'clip' cannot bound the critic's layer {name!r}: its weight is made of "
                    f"{of_what(layer)}, and nothing says what clipping these does to it; take that off, or choose "
                    "constraint 'none' beside it"
                )

    @torch.no_grad()
    def after_update(self, critic: nn.Module) -> None:
        for parameter in critic.parameters():
            if parameter.requires_grad:
                parameter.clamp_(-self.limit, self.limit)

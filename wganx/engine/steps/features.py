"""A critic as what it makes of samples before it scores them, for objectives that compare batches of that."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wganx.errors import PreflightError
from wganx.wasserstein.critic_features import last_inputs


class CriticFeatures(nn.Module):
    """``(x (N, ...), **condition) -> (N, k)``: what enters the critic's last layer with weights.

    The score itself is left aside, and the last layer learns nothing.
    """

    def __init__(self, critic: nn.Module) -> None:
        super().__init__()
        self.critic = critic

    def forward(self, x: Tensor, /, **condition: Tensor) -> Tensor:
        with last_inputs(self.critic) as inputs:
            self.critic(x, **condition)
        if not inputs or len(inputs[-1]) != len(x):
            raise PreflightError(
                "the critic has no features to compare: what enters its last layer is not one row a sample; take "
                "another critic, or compare samples (objective.features=samples)"
            )
        return inputs[-1].flatten(1)


class OneDirection(nn.Module):
    """Features along one random direction, ``(N,)``: what a constraint holds in place of a score.

    A map is 1-Lipschitz if it is so along every direction. The direction is drawn from torch's own stream, as dropout
    is, when it is first called.
    """

    def __init__(self, features: CriticFeatures) -> None:
        super().__init__()
        self.features = features
        self._direction: Tensor | None = None

    def forward(self, x: Tensor, /, **condition: Tensor) -> Tensor:
        rows = self.features(x, **condition)
        if self._direction is None:  # with an axis of one, or processes that share a batch would each draw their own
            drawn = torch.randn(1, rows.shape[1], device=rows.device, dtype=torch.float32)[0]
            self._direction = drawn / torch.linalg.vector_norm(drawn)
        along: Tensor = rows @ self._direction.to(rows.dtype)
        return along

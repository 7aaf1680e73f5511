"""A critic for any length, and one for pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wganx import BuildContext, PreflightError
from wganx_tones.configs import ConvConfig


class PatchCritic(nn.Module):
    """``(x (N, 1, T), noisy (N, 1, T)) -> (N,)`` for any T."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        if set(context.inputs) != {"noisy"}:
            raise PreflightError("critic 'patches' is for tasks that show it 'noisy'")
        self.layers = nn.Sequential(
            nn.Conv1d(2, config.width, 9, padding=4), nn.LeakyReLU(0.2), nn.Conv1d(config.width, 1, 9, padding=4)
        )

    def forward(self, x: Tensor, noisy: Tensor) -> Tensor:
        scores: Tensor = self.layers(torch.cat([x, noisy], dim=1)).mean(dim=(1, 2))
        return scores


class PairCritic(nn.Module):
    """``(pairs (N, 2, *sample.shape)) -> (N,)``: one score a pair."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(2 * context.sample.size, config.width),
            nn.LeakyReLU(0.2),
            nn.Linear(config.width, 1),
        )

    def forward(self, pairs: Tensor, **labels: Tensor) -> Tensor:
        scores: Tensor = self.layers(pairs)[:, 0]
        return scores

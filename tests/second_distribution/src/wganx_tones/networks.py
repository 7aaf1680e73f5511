"""A generator and a critic of two convolutions each."""

from __future__ import annotations

from torch import Tensor, nn

from wganx import BuildContext
from wganx_tones.configs import ConvConfig


class Generator(nn.Module):
    """``(noise (N, Z)) -> (N, 1, T)`` in [-1, 1]."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        channels, length = context.sample.sizes
        self.layers = nn.Sequential(
            nn.Linear(context.noise, config.width * length // 4),
            nn.Unflatten(1, (config.width, length // 4)),
            nn.ReLU(),
            nn.Upsample(scale_factor=4),
            nn.Conv1d(config.width, config.width, 9, padding=4),
            nn.ReLU(),
            nn.Conv1d(config.width, channels, 9, padding=4),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor) -> Tensor:
        made: Tensor = self.layers(noise)
        return made


class Critic(nn.Module):
    """``(x (N, 1, T)) -> (N,)``."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        channels, length = context.sample.sizes
        self.layers = nn.Sequential(
            nn.Conv1d(channels, config.width, 8, stride=2, padding=3),
            nn.LeakyReLU(0.2),
            nn.Conv1d(config.width, config.width, 8, stride=2, padding=3),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(config.width * length // 4, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        scores_N1: Tensor = self.layers(x)
        return scores_N1[:, 0]

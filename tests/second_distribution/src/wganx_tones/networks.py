"""Small networks for tones."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, PreflightError
from wganx_tones.configs import ConvConfig


class SmallGenerator(nn.Module):
    """``(noise (N, *Z), **labels (N,)) -> (N, *sample.shape)`` in [-1, 1]."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        self.shape = context.sample.sizes
        if others := [name for name, format in context.inputs.items() if not format.is_label]:
            raise PreflightError(f"generator 'small' takes labels, and is given {', '.join(others)}; choose another")
        self.labels = {name: len(format.classes) for name, format in context.inputs.items()}
        given = math.prod(context.noise) + sum(self.labels.values())
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(given, config.width),
            nn.ReLU(),
            nn.Linear(config.width, context.sample.size),
            nn.Tanh(),
        )

    def forward(self, noise: Tensor, **labels: Tensor) -> Tensor:
        told = [F.one_hot(labels[name], classes).to(noise.dtype) for name, classes in self.labels.items()]
        made: Tensor = self.layers(torch.cat([noise.flatten(1), *told], dim=1))
        return made.reshape(-1, *self.shape)


class Filter(nn.Module):
    """``(noisy (N, 1, T)) -> (N, 1, T)`` in [-1, 1], without noise of its own."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        if set(context.inputs) != {"noisy"} or context.noise:
            raise PreflightError("generator 'filter' is for tasks that give it 'noisy', with generator.noise=0")
        self.layers = nn.Sequential(
            nn.Conv1d(1, config.width, 9, padding=4),
            nn.LeakyReLU(0.2),
            nn.Conv1d(config.width, 1, 9, padding=4),
            nn.Tanh(),
        )

    def forward(self, noisy: Tensor) -> Tensor:
        made: Tensor = self.layers(noisy)
        return made


class SmallCritic(nn.Module):
    """``(x (N, *sample.shape), **condition) -> (N,)``; labels by projection, anything else beside the sample."""

    def __init__(self, config: ConvConfig, context: BuildContext) -> None:
        super().__init__()
        self.beside = [name for name, format in context.inputs.items() if not format.is_label]
        size = context.sample.size + sum(context.inputs[name].size for name in self.beside)
        self.layers = nn.Sequential(nn.Linear(size, config.width), nn.LeakyReLU(0.2))
        self.score = nn.Linear(config.width, 1)
        self.labels = nn.ModuleDict(
            {
                name: nn.Embedding(len(format.classes), config.width)
                for name, format in context.inputs.items()
                if format.is_label
            }
        )

    def forward(self, x: Tensor, **condition: Tensor) -> Tensor:
        seen = torch.cat([x.flatten(1), *(condition[name].flatten(1) for name in self.beside)], dim=1)
        features: Tensor = self.layers(seen)
        scores: Tensor = self.score(features)[:, 0]
        for name, embedding in self.labels.items():
            scores = scores + (embedding(condition[name]) * features).sum(dim=1)
        return scores

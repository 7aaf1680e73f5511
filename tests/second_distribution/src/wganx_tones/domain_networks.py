"""The translator between pitches and the classifier that judges it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import BuildContext, Config, PreflightError


class Translator(nn.Module):
    """``(source (N, 1, T), origin (N,), pitch (N,)) -> (N, 1, T)`` in [-1, 1]."""

    def __init__(self, config: Config, context: BuildContext) -> None:
        super().__init__()
        if set(context.inputs) != {"source", "origin", "pitch"}:
            raise PreflightError("generator 'translator' is for task.name=domains")
        self.classes = len(context.inputs["pitch"].classes)
        size = context.sample.size
        self.layers = nn.Sequential(nn.Linear(size + 2 * self.classes, 64), nn.LeakyReLU(0.2), nn.Linear(64, size))

    def forward(self, source: Tensor, origin: Tensor, pitch: Tensor) -> Tensor:
        told = [F.one_hot(label, self.classes).to(source.dtype) for label in (origin, pitch)]
        return torch.tanh(self.layers(torch.cat([source.flatten(1), *told], dim=1))).reshape(source.shape)


def classifier(size: int, width: int, classes: int) -> nn.Module:
    """``(N, 1, T) -> (N, classes)``: which pitch a tone has."""
    return nn.Sequential(nn.Flatten(), nn.Linear(size, width), nn.LeakyReLU(0.2), nn.Linear(width, classes))

"""The classifier that helps a generator: of which domain a picture is, by every label that matters."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx import SampleFormat

_HALVINGS = 3


class DomainClassifier(nn.Module):
    """Logits for the classes of several labels, from one set of convolutions.

    Norms are over groups of channels of one sample, so that a row's answer does not depend on the others. Over the
    places mean and maximum are taken, so that height and width are free, from 8 px on. A label of two classes has two
    logits, whose softmax is the sigmoid of their difference: cross-entropy of both is the binary one.

    Shapes:
        ``x (N, C, H, W)`` -> by label ``(N, classes)``.
    """

    def __init__(self, channels: int, labels: Mapping[str, SampleFormat], width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for halving in range(_HALVINGS):
            c_out = width * 2**halving
            layers += [nn.Conv2d(channels, c_out, 3, padding=1), nn.GroupNorm(4, c_out), nn.ReLU(), nn.MaxPool2d(2)]
            channels = c_out
        self.layers = nn.Sequential(*layers)
        # By their order, and not by `wganx.nn.ByName`: so they are called in the checkpoints there are.
        self.names = tuple(labels)
        self.heads = nn.ModuleList(nn.Linear(2 * channels, len(format.classes)) for format in labels.values())

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        h = self.layers(x)
        found = torch.cat([h.mean((2, 3)), h.amax((2, 3))], 1)
        return {name: head(found) for name, head in zip(self.names, self.heads)}

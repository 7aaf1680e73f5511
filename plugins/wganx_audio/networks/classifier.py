"""The classifier that helps a conversion: what a spectrogram is, of every label that matters."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wganx import SampleFormat
from wganx.nn import ByName
from wganx_audio.networks.prosody import ProsodyEncoder

_HALVINGS = 3


class LabelClassifier(nn.Module):
    """Logits for the classes of several labels, from one set of convolutions.

    While it learns and judges, noise of deviation `noise` lies on what it is shown. So a generator has to make what a
    class sounds like, since patterns far below what is heard no longer pass for it.

    Norms are over groups of channels of one sample, so that a row's answer does not depend on the others. Frequencies
    stay where they are; over time mean and maximum are taken, so that the length is free.

    Shapes:
        ``x (N, C, F, T)`` -> by label ``(N, classes)``.
    """

    def __init__(
        self, format: SampleFormat, labels: Mapping[str, SampleFormat], width: int, *, prosody: bool, noise: float = 0.0
    ) -> None:
        super().__init__()
        channels, bins, _ = format.shape
        assert channels is not None
        assert bins is not None
        layers: list[nn.Module] = []
        for halving in range(_HALVINGS + 1):
            c_out = width * min(2**halving, 4)
            layers += [nn.Conv2d(channels, c_out, 3, padding=1), nn.GroupNorm(4, c_out), nn.ReLU(), nn.MaxPool2d(2)]
            channels, bins = c_out, bins // 2
        self.layers = nn.Sequential(*layers)
        self.prosody = ProsodyEncoder(format, width * 2, _HALVINGS) if prosody else None
        features = 2 * channels * bins + (4 * width if prosody else 0)
        self.noise = noise
        self.heads = ByName({name: nn.Linear(features, len(labels[name].classes)) for name in labels})

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        if self.training and self.noise:
            x = x + self.noise * torch.randn_like(x)
        h = self.layers(x)
        parts = [h.mean(3).flatten(1), h.amax(3).flatten(1)]
        if self.prosody is not None:
            contours = self.prosody(x)
            parts += [contours.mean(2), contours.amax(2)]
        found = torch.cat(parts, 1)
        return {name: head(found) for name, head in self.heads.items()}

"""Normalisation whose scale and shift depend on the class."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConditionalNorm(nn.Module):
    """A normalisation followed by the scale and shift of the row's class.

    ``y[n, c] = scale[label[n], c] * normalise(x)[n, c] + shift[label[n], c]``

    (de Vries et al. 2017, "Modulating early visual processing by language"; Dumoulin et al. 2017, "A learned
    representation for artistic style".) Scales start at one and shifts at zero, so a new layer is `normalise` alone.

    Args:
        normalise: the normalisation without an affine part of its own, e.g. ``nn.BatchNorm2d(c, affine=False)`` or
            ``nn.InstanceNorm1d(c)``; it decides how many axes follow the channels.
        channels: size of axis 1.
        classes: number of classes.

    Shapes:
        ``x (N, channels, *)``, ``label (N,)`` integers in ``[0, classes)`` -> ``(N, channels, *)``.
    """

    def __init__(self, normalise: nn.Module, channels: int, classes: int) -> None:
        super().__init__()
        self.normalise = normalise
        self.scale = nn.Embedding(classes, channels)
        self.shift = nn.Embedding(classes, channels)
        nn.init.ones_(self.scale.weight)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        per_channel = (*x.shape[:2], *[1] * (x.ndim - 2))
        scale = self.scale(label).view(per_channel)
        shift = self.shift(label).view(per_channel)
        return torch.addcmul(shift, scale, self.normalise(x))

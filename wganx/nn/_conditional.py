"""Normalisation whose scale and shift depend on the class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from wganx.nn._classes import ClassEmbedding


class ConditionalNorm(nn.Module):
    """A normalisation followed by the scale and shift of the row's class.

    ``y[n, c] = scale[label[n], c] * normalise(x)[n, c] + shift[label[n], c]``

    (de Vries et al. 2017, "Modulating early visual processing by language"; Dumoulin et al. 2017, "A learned
    representation for artistic style".) Scales start at one and shifts at zero, so a new layer is `normalise` alone. Of
    a row with several labels the scales of its classes are summed, and so are the shifts.

    Args:
        normalise: the normalisation without an affine part of its own, e.g. ``nn.BatchNorm2d(c, affine=False)`` or
            ``nn.InstanceNorm1d(c)``; it decides how many axes follow the channels.
        channels: size of axis 1.
        classes: number of classes, all labels' together (`ClassEmbedding`).
        labels: how many labels a row has.

    Shapes:
        ``x (N, channels, *)``, ``label (N,)``, of several ``(N, labels)``, integers in ``[0, classes)`` ->
        ``(N, channels, *)``.
    """

    def __init__(self, normalise: nn.Module, channels: int, classes: int, labels: int = 1) -> None:
        super().__init__()
        self.normalise = normalise
        self.scale = ClassEmbedding(classes, channels)
        self.shift = ClassEmbedding(classes, channels)
        nn.init.constant_(self.scale.weight, 1 / labels)
        nn.init.zeros_(self.shift.weight)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        per_channel = (*x.shape[:2], *[1] * (x.ndim - 2))
        scale = self.scale(label).view(per_channel)
        shift = self.shift(label).view(per_channel)
        return torch.addcmul(shift, scale, self.normalise(x))

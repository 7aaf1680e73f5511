"""Differentiable augmentation: what the critic is shown in place of pictures, real and made alike.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training". A critic that has few pictures learns
them by heart; shown another version of each every time, it has to learn what they have in common.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from wganx_image.configs.tasks import AugmentationName

Draw = Callable[..., Tensor]
"""``draw(*sizes)``: numbers in [0, 1), one stream for all."""


def augmented(
    pictures_NCHW: Tensor, names: Sequence[AugmentationName], probability: float | Tensor, rng: torch.Generator
) -> Tensor:
    """Each picture with every change of `names`, each with this probability; gradients pass.

    With a probability of 0, or no names, the pictures are the same tensor and nothing is drawn. A probability that
    changes is a tensor ``()``, whose value is never asked for: at 0 the same values come back. Below 1, the pictures
    themselves are among what the critic sees, so that a generator cannot do well by making changed ones: at 1 it may
    learn grey squares and drawn-out edges.
    """
    changes = isinstance(probability, Tensor)
    if not changes and probability == 0:
        return pictures_NCHW

    def draw(*sizes: int) -> Tensor:
        return torch.rand(*sizes, generator=rng, device=pictures_NCHW.device, dtype=pictures_NCHW.dtype)

    for name in names:
        changed = _CHANGES[name](pictures_NCHW, draw)
        if changes or probability < 1:
            changed = torch.where(draw(len(changed), 1, 1, 1) < probability, changed, pictures_NCHW)
        pictures_NCHW = changed
    return pictures_NCHW


def _colour(x_NCHW: Tensor, draw: Draw) -> Tensor:
    """Brightness by up to half the distance from grey to white, saturation up to twice, contrast by half."""
    x_NCHW = x_NCHW + draw(len(x_NCHW), 1, 1, 1) - 0.5
    grey = x_NCHW.mean(dim=1, keepdim=True)
    x_NCHW = (x_NCHW - grey) * (2 * draw(len(x_NCHW), 1, 1, 1)) + grey
    middle = x_NCHW.mean(dim=(1, 2, 3), keepdim=True)
    return (x_NCHW - middle) * (draw(len(x_NCHW), 1, 1, 1) + 0.5) + middle


def _translation(x_NCHW: Tensor, draw: Draw) -> Tensor:
    """Moved by up to an eighth of each side; the edge is repeated where something comes in."""
    count, channels, height, width = x_NCHW.shape
    rows, columns = (_moved(size, draw(count, 1)) for size in (height, width))
    lines = x_NCHW.gather(2, rows[:, None, :, None].expand(-1, channels, -1, width))
    return lines.gather(3, columns[:, None, None, :].expand(-1, channels, height, -1))


def _moved(size: int, drawn: Tensor) -> Tensor:
    """For every place of an axis, where its value comes from."""
    most = round(size / 8)
    shift = (drawn * (2 * most + 1)).floor().long() - most
    return (torch.arange(size, device=drawn.device) + shift).clamp(0, size - 1)


def _cutout(x_NCHW: Tensor, draw: Draw) -> Tensor:
    """A square of half the size, anywhere and partly outside, becomes grey."""
    count, _, height, width = x_NCHW.shape
    inside = [
        (torch.arange(size, device=x_NCHW.device) - (draw(count, 1) * size).floor()).abs() < size / 4
        for size in (height, width)
    ]
    hole = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return x_NCHW.masked_fill(hole, 0.0)


_CHANGES: Mapping[AugmentationName, Callable[[Tensor, Draw], Tensor]] = {
    "colour": _colour,
    "translation": _translation,
    "cutout": _cutout,
}

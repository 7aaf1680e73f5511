"""What judges see of samples and of their truth: pixels in [0, 1], in colour or in luma, without the border."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wganx import DataError, MetricContext, SampleFormat, Sides
from wganx_video.configs.judges import PixelsConfig

Numbers = dict[str, float | dict[str, float]]

_CHUNK_VALUES = 2**22
"""Values of a side that are compared at once: filters take several times their memory."""
_LUMA = (65.481, 128.553, 24.966)
"""Of BT.601 for R, G and B in [0, 1]: 16 to 235 of 255."""


def pairs(sides: Sides, context: MetricContext) -> Iterator[tuple[Tensor, Tensor]]:
    """Samples and their truth ``(n, T, C, H, W)`` in [0, 1], a few rows at a time, by the metric's `PixelsConfig`."""
    config, format = context.config, context.game.sample
    options = config if isinstance(config, PixelsConfig) else PixelsConfig()
    for made, true in together(sides.candidate.real, sides.truth.real):
        yield shown(unit(made, format), options), shown(unit(true, format), options)


def together(made: Tensor, true: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """The same rows of both, a few at a time."""
    rows = max(_CHUNK_VALUES // max(made[:1].numel(), 1), 1)
    yield from zip(torch.split(made, rows), torch.split(true, rows))


def unit(samples: Tensor, format: SampleFormat) -> Tensor:
    """Samples in the format's range to [0, 1]; what lies outside is cut off, as OpenSTL does.

    Raises:
        DataError: some are not finite.
    """
    low, high = format.value_range or (0.0, 1.0)
    if wrong := int((~samples.isfinite()).flatten(1).any(1).sum()):
        raise DataError(
            f"{wrong} of {len(samples)} samples hold values that are not finite; the generator has diverged"
        )
    return ((samples.float() - low) / (high - low)).clamp(0, 1)


def shown(frames: Tensor, config: PixelsConfig) -> Tensor:
    """Frames ``(..., C, H, W)`` as the options want them compared.

    Raises:
        DataError: no luma, since they are neither grey nor RGB; or the border is all there is.
    """
    if config.colour == "y":
        frames = luma(frames)
    if not config.border:
        return frames
    height, width = frames.shape[-2:]
    if 2 * config.border >= min(height, width):
        raise DataError(f"border={config.border} leaves nothing of frames of {width} x {height} px; lower it")
    inside = slice(config.border, -config.border)
    return frames[..., inside, inside]


def luma(frames: Tensor) -> Tensor:
    """Y of BT.601 of RGB in [0, 1], from 16/255 to 235/255 as in Matlab's ``rgb2ycbcr``; grey frames are themselves.

    Raises:
        DataError: frames of another number of channels.
    """
    if frames.shape[-3] == 1:
        return frames
    if frames.shape[-3] != 3:
        raise DataError(f"colour=y is for frames of 1 or 3 channels, and these have {frames.shape[-3]}; leave it out")
    weights = torch.tensor(_LUMA, device=frames.device).view(3, 1, 1) / 255
    return (frames * weights).sum(-3, keepdim=True) + 16 / 255


def suffix(context: MetricContext) -> str:
    """What the names of numbers end in: ``_y`` for those of luma, which are no match for those of colours."""
    return "_y" if isinstance(context.config, PixelsConfig) and context.config.colour == "y" else ""

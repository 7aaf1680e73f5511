"""How people look at pictures: single files, and a grid of them."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from wganx import Batch, DataError, Preview, SampleFormat

_PREVIEW_WIDTH = 512  # a grid narrower than this is enlarged by the whole factor that reaches it
_GAP = 2


def write_pictures(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    """One PNG a sample, ``folder/stem-0000.png``, in its own size.

    Raises:
        DataError: the samples have neither 1 nor 3 channels, or the disk takes no more.
    """
    paths = [folder / f"{stem}-{index:04d}.png" for index in range(len(batch))]
    for pixels_CHW, path in zip(_pixels(batch.real, format), paths):
        save_picture(_picture(pixels_CHW), path, "PNG")
    return paths


def save_picture(picture: Image.Image, path: Path, kind: str, **options: Any) -> None:
    """Write a picture file, whole or with an error.

    By way of memory, since Pillow's own encoders write past Python and do not notice what a full disk left out.

    Raises:
        DataError: the disk takes no more, or the folder nothing.
    """
    content = io.BytesIO()
    picture.save(content, kind, **options)
    try:
        path.write_bytes(content.getbuffer())
    except OSError as error:
        raise DataError(f"no picture can be written into {path.parent}: {error.strerror or error}") from error


def preview_pictures(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
    """All samples in a grid as nearly square as it gets.

    Small pictures are enlarged by a whole factor, pixel by pixel, so that nothing is smoothed.

    Raises:
        DataError: the samples have neither 1 nor 3 channels.
    """
    return Preview(draw_grid(samples, format, columns=math.ceil(math.sqrt(len(samples)))))


def draw_grid(samples: Tensor, format: SampleFormat, columns: int) -> Tensor:
    """Samples row by row in so many columns, uint8 ``(C, H, W)``, enlarged by a whole factor where they are small.

    Raises:
        DataError: the samples have neither 1 nor 3 channels.
    """
    from torchvision.utils import make_grid

    pixels_NCHW = _pixels(samples, format)
    factor = math.ceil(_PREVIEW_WIDTH / (columns * pixels_NCHW.shape[3]))
    enlarged = pixels_NCHW.repeat_interleave(factor, dim=2).repeat_interleave(factor, dim=3)
    grid: Tensor = make_grid(enlarged, nrow=columns, padding=_GAP, pad_value=128)
    return grid


def _pixels(samples: Tensor, format: SampleFormat) -> Tensor:
    """Samples in the format's range to ``uint8 (N, C, H, W)``; what lies outside the range is cut off."""
    if samples.shape[1] not in (1, 3):
        raise DataError(f"a picture is written with 1 or 3 channels, and these samples have {samples.shape[1]}")
    low, high = format.value_range or (-1.0, 1.0)
    unit = (samples.detach().float().cpu() - low) / (high - low)
    return (unit.clamp(0, 1) * 255).round().to(torch.uint8)


def _picture(pixels_CHW: Tensor) -> Image.Image:
    pixels_HWC = pixels_CHW.permute(1, 2, 0).squeeze(2) if pixels_CHW.shape[0] == 1 else pixels_CHW.permute(1, 2, 0)
    return Image.fromarray(pixels_HWC.contiguous().numpy())

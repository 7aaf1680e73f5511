"""One picture file: read, checked, brought to the size and channels asked for."""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from wganx import DataError, SampleFormat


def stored_picture(channels: int, size: int) -> SampleFormat:
    """The format of square pictures as they are stored: bytes in 0 .. 255."""
    return SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size), value_range=(0.0, 255.0))


def decode(content: bytes, path: str, *, size: int, channels: int) -> dict[str, Tensor]:
    """The largest centred square of a picture, antialiased to `size`: ``{"sample": uint8 (channels, size, size)}``.

    The orientation that a camera noted is honoured, transparent parts become white, 16-bit values are divided by 257.

    Raises:
        DataError: the content is no picture that can be read whole.
    """
    picture = ImageOps.exif_transpose(_read(content, path))
    plain = _opaque(_eight_bit(picture, path)).convert("L" if channels == 1 else "RGB")
    square = ImageOps.fit(plain, (size, size), Image.Resampling.LANCZOS)
    pixels_HWC = np.array(square).reshape(size, size, channels)
    return {"sample": torch.from_numpy(pixels_HWC).permute(2, 0, 1).contiguous()}


def probe(content: bytes, path: str) -> Mapping[str, str]:
    """Size and Pillow mode of a picture, once it was decoded whole: ``{"size": "640x480", "mode": "RGB"}``.

    Raises:
        DataError: the content is no picture that can be read whole.
    """
    picture = _read(content, path)
    return {"size": f"{picture.width}x{picture.height}", "mode": picture.mode}


def _read(content: bytes, path: str) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content))
        picture.load()
    except MemoryError:
        raise
    except Exception as error:  # a damaged file makes Pillow's decoders raise errors of many kinds
        raise DataError(f"{path} is no readable picture: {error}") from error
    return picture


def _eight_bit(picture: Image.Image, path: str) -> Image.Image:
    if picture.mode == "F":
        raise DataError(f"{path} holds floating-point values of unknown range; convert it to 8 or 16 bit")
    if not picture.mode.startswith("I"):
        return picture
    values = np.asarray(picture)
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path} holds values beyond 16 bit; convert it to 8 or 16 bit")
    return Image.fromarray(np.round(values / 257).astype(np.uint8))


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture
    picture = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)

"""One picture file: read, checked, brought to the size and channels asked for."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from wganx import DataError, SampleFormat
from wganx_image.configs.datasets import HEIF_SUFFIXES, Crop

_THUMBNAIL = 8

ELONGATED = 3
"""Pictures that are so many times as long as wide lose most of what they show."""

_ROWS = 512
_SPARE = 4
"""A JPEG that is many times as large is decoded at a half, a quarter or an eighth of its size, while that is still so
many times what is wanted: photos of 12 million pixels in a third of the time, no pixel off by more than a few steps."""

# Pillow warns of half the size from which on it refuses; panoramas have that, and nobody needs to hear of it.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

ORIENTATION = 0x0112
"""The number under which cameras note how a picture is to be turned; above 4 on its side."""

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def stored_picture(channels: int, size: int) -> SampleFormat:
    """The format of square pictures as they are stored: bytes in 0 .. 255."""
    return SampleFormat(axes=("channel", "height", "width"), shape=(channels, size, size), value_range=(0.0, 255.0))


def decode(
    content: bytes, path: str, *, size: int, channels: int, bits: int = 16, crop: Crop = "square"
) -> dict[str, Tensor]:
    """The largest centred square of a picture, or the `whole` of it between bands, antialiased to `size`.

    ``{"sample": uint8 (channels, size, size)}``. The bands have the mean colour of the border they lie beside.

    The orientation that a camera noted is honoured, transparent parts become white, and of values in 16-bit files,
    which use so many `bits`, the largest becomes 255.

    Raises:
        DataError: the content is no picture that can be read whole, or has values beyond `bits`.
    """
    picture = ImageOps.exif_transpose(read_picture(io.BytesIO(content), path, least=_SPARE * size))
    plain = _opaque(to_eight_bit(picture, path, bits)).convert("L" if channels == 1 else "RGB")
    square = _whole(plain, size) if crop == "whole" else ImageOps.fit(plain, (size, size), Image.Resampling.LANCZOS)
    pixels_HWC = np.array(square).reshape(size, size, channels)
    return {"sample": torch.from_numpy(pixels_HWC).permute(2, 0, 1).contiguous()}


def _whole(picture: Image.Image, size: int) -> Image.Image:
    """All of a picture in the middle of a square, its longer side `size`."""
    scale = size / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    small = picture.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.array(small).reshape(height, width, -1)
    across = width < height
    edges = (pixels[:, 0], pixels[:, -1]) if across else (pixels[0], pixels[-1])
    missing = size - min(width, height)
    before = np.broadcast_to(edges[0].mean(axis=0), (size, size, pixels.shape[2]))
    after = np.broadcast_to(edges[1].mean(axis=0), (size, size, pixels.shape[2]))
    parts = [before[:, : missing // 2], pixels, after[:, : missing - missing // 2]]
    if not across:
        parts = [before[: missing // 2], pixels, after[: missing - missing // 2]]
    whole = np.concatenate([np.round(part).astype(np.uint8) for part in parts], axis=int(across))
    return Image.fromarray(whole[..., 0] if whole.shape[2] == 1 else whole)


def probe(file: BinaryIO, path: str) -> Mapping[str, str]:
    """What a picture is like, once it was decoded whole, as the training will.

    ``{"size": "640x480", "mode": "RGB", "shorter side": "256 to 511"}``; ``turned`` where the camera noted an
    orientation, ``shape`` where little of it is in its middle square, ``bits`` of values in 16-bit files, ``moving`` of
    animations, ``alike`` a thumbnail by which the same picture is found in another size or format.

    Raises:
        DataError: the content is no picture that the training can read.
    """
    picture = read_picture(file, path)
    plain = _opaque(to_eight_bit(ImageOps.exif_transpose(picture), path, 16)).convert("RGB")
    found = {"size": f"{picture.width}x{picture.height}", "mode": picture.mode}
    side = 2 ** (min(picture.size).bit_length() - 1)
    found["shorter side"] = f"{side} to {2 * side - 1}"
    if is_turned(picture):
        found["turned"] = "as the camera noted"
    if max(picture.size) > ELONGATED * min(picture.size):
        found["shape"] = f"more than {ELONGATED} times as long as wide"
    if picture.mode.startswith("I"):
        found["bits"] = str(max(int(np.asarray(picture).max()).bit_length(), 1))
    if getattr(picture, "n_frames", 1) > 1 and picture.format != "MPO":  # which is a photo with a copy of it
        found["moving"] = "the first of several pictures is used"
    if min(picture.size) >= _THUMBNAIL:
        found["alike"] = plain.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX).tobytes().hex()
    return found


def open_picture(source: BinaryIO, path: str) -> Image.Image:
    """A picture of which no more than the header was read.

    Raises:
        DataError: this is no picture.
    """
    if path.lower().endswith(HEIF_SUFFIXES):
        _learn_heif(path)
    try:
        return Image.open(source)
    except UnidentifiedImageError as error:
        source.seek(0)
        raise DataError(f"{path} is no readable picture: {_what_it_is(source.read(16))}") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise DataError(f"{path} has more pixels than the {most:.0f} million that are read; shrink it") from error


def is_turned(picture: Image.Image) -> bool:
    """Whether a camera noted that the picture is to be turned or mirrored; of PNG files only once they are read."""
    if picture.format == "PNG" and "exif" not in picture.info:
        return False
    return picture.getexif().get(ORIENTATION, 1) in range(2, 9)


def is_wide(picture: Image.Image) -> bool:
    """Whether values are stored in 16 bit, whatever they use of them."""
    if picture.mode.startswith("I"):
        return True
    # Of colours, Pillow keeps what the file says in the raw mode: RGB;16B.
    return any(";16" in str(tile[3]) for tile in getattr(picture, "tile", []))


def read_picture(file: BinaryIO, path: str, least: int = 0) -> Image.Image:
    """A picture, read whole; of JPEG a smaller one where each side is then still `least`.

    Raises:
        DataError: this is no picture, or it cannot be read whole.
    """
    try:
        picture = open_picture(file, path)
        if least:
            picture.draft(None, (least, least))
        picture.load()
    except (MemoryError, DataError):
        raise
    except Exception as error:  # a damaged file makes Pillow's decoders raise errors of many kinds
        raise DataError(f"{path} is no readable picture: {error}") from error
    return picture


def _what_it_is(start: bytes) -> str:
    """What a file is that is none of the pictures known, by its first bytes."""
    if not start:
        return "it is empty"
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS:
        return "it holds a HEIF picture, whatever its name; convert it to PNG or JPEG, or name it .heic"
    if start.lstrip()[:5].lower() in (b"<html", b"<!doc"):
        return "it holds a web page; download it again"
    return "it holds no kind of picture that is known here; save it anew as PNG or JPEG"


def _learn_heif(path: str) -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise DataError(f"{path} is a HEIF picture: pip install pillow-heif to read it") from error
    pillow_heif.register_heif_opener()


def to_eight_bit(picture: Image.Image, path: str, bits: int) -> Image.Image:
    """The picture with values in 0 .. 255, where it has others.

    Raises:
        DataError: values are floating-point ones, or beyond `bits`.
    """
    if picture.mode == "F":
        raise DataError(f"{path} holds floating-point values of unknown range; convert it to 8 or 16 bit")
    if not picture.mode.startswith("I"):
        return picture
    values, largest = np.asarray(picture), 2**bits - 1
    if values.min() < 0 or values.max() > 65535:
        raise DataError(f"{path} holds values beyond 16 bit; convert it to 8 or 16 bit")
    if values.max() > largest:
        raise DataError(f"{path} holds values beyond {bits} bit, up to {values.max()}; set dataset.bits=16")
    scaled = np.round(np.arange(largest + 1) * (255 / largest)).astype(np.uint8)  # in place of as many floats as pixels
    return Image.fromarray(scaled[values])


def _opaque(picture: Image.Image) -> Image.Image:
    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture
    seen = Image.new("RGB", picture.size)
    for top in range(0, picture.height, _ROWS):  # in strips, of which several copies are in memory
        strip = picture.crop((0, top, picture.width, min(top + _ROWS, picture.height))).convert("RGBA")
        seen.paste(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB"), (0, top))
    return seen

"""Single pictures, and films of pictures in one file: GIF, animated WebP, APNG and AVIF, by Pillow."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

from wganx import DataError
from wganx_video.video.decoding import AGAIN
from wganx_video.video.header import Frames, Header, Times
from wganx_video.video.sniffing import missing_bytes

_MILLISECOND = Fraction(1, 1000)
_SHORTEST = 20
_INSTEAD = 100
"""Browsers show a frame of less than 20 ms for 100 ms, and so do we."""
_MODES = {"1": "L", "L": "L", "LA": "LA", "La": "LA", "I;16": "L", "I;16B": "L", "I;16L": "L", "I": "L"}
_SEE_THROUGH = ("RGBA", "RGBa", "PA")

# Pillow warns of half the size from which on it refuses; that is no reason to say anything.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


class OpenPictures(Frames):
    """A GIF, or an animated WebP, PNG or AVIF; a picture that does not move is a film of one frame.

    Pillow lays each frame over those before, so going back is decoding from the begin; one frame is kept.
    """

    def __init__(self, file: BinaryIO, name: str, kind: str) -> None:
        """Decodes it once, from begin to end, to know its frames and times.

        Raises:
            DataError: it is damaged or cut short; says how many frames are there.
        """
        super().__init__()
        self.name, self._file = name, file
        whole = not missing_bytes(file, kind)
        self._picture_file = _open(file, name)
        width, height = self._picture_file.size
        # A canvas, the one before, and what is handed on of it are in memory at once, whatever few bytes it is told by.
        if width * height > (Image.MAX_IMAGE_PIXELS or math.inf):
            self.close()
            raise DataError(
                f"{name} has frames of {width}x{height}, and of pictures that move those of up to "
                f"{(Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels are read; shrink it, or convert it to mp4"
            )
        ticks: list[int] = []
        at, modes, alpha, count, why = 0, set(), False, 0, "its end is missing"
        try:
            for frame in ImageSequence.Iterator(self._picture_file):
                frame.load()
                ticks.append(at)
                length = round(frame.info.get("duration", 0) or 0)
                at += length if length >= _SHORTEST else _INSTEAD
                modes.add(frame.mode)
                alpha = alpha or _shows_through(frame)
            count = len(ticks)
        except Exception as error:  # a damaged file makes Pillow's decoders raise errors of many kinds
            whole, why = False, str(error)
        if not whole:
            self.close()
            raise DataError(f"{name} is damaged: {len(ticks):,} of its frames are there ({why}); {AGAIN}")
        grey = all(mode in _MODES for mode in modes)
        self._mode = ("LA" if alpha else "L") if grey else ("RGBA" if alpha else "RGB")
        first = self._sought(0)
        self.times = Times(np.array(ticks, dtype=np.int64), _MILLISECOND)
        rate = Fraction(1000 * count, at)
        self.header = Header(
            frames=count,
            channels=len(self._mode),
            height=first.height,
            width=first.width,
            rate=self.times.rate(rate.limit_denominator(1001)),
            kind="apng" if kind == "png" and count > 1 else kind,
            codec=kind,
        )

    def close(self) -> None:
        with self._lock:
            self._picture_file.close()
            self._file.close()

    def _sought(self, number: int) -> Image.Image:
        if number != self._picture_file.tell():
            self._picture_file.seek(number)
        self._picture_file.load()
        return self._picture_file

    def _picture(self, number: int) -> NDArray[np.uint8]:
        try:
            frame = self._sought(number)
        except Exception as error:  # as above
            raise DataError(f"{self.name} is damaged: frame {number:,} cannot be decoded ({error}); {AGAIN}") from error
        return _pixels(frame, self._mode).transpose(2, 0, 1)


def read_picture(source: Path | BinaryIO, name: str) -> NDArray[np.uint8]:
    """A picture file ``(H, W, C)``, with as many channels as it has, turned as a camera noted; 16 bit become 8.

    Raises:
        DataError: it is no picture that can be read whole.
    """
    try:
        with _open(source, name) as picture:
            turned = ImageOps.exif_transpose(picture)
            return _pixels(turned, mode_of(turned))
    except DataError:
        raise
    except Exception as error:  # a damaged file makes Pillow's decoders raise errors of many kinds
        raise DataError(f"{name} is no readable picture: {error}; {AGAIN}") from error


def mode_of(picture: Image.Image) -> str:
    """What a picture is read as: L, LA, RGB or RGBA."""
    if picture.mode in ("LA", "La"):
        return "LA"
    alpha = picture.mode in _SEE_THROUGH or "transparency" in picture.info
    grey = picture.mode in _MODES
    return ("LA" if alpha else "L") if grey else ("RGBA" if alpha else "RGB")


def bits_of(picture: Image.Image) -> int:
    """Bits of a stored value."""
    wide = picture.mode.startswith("I") or any(";16" in str(tile[3]) for tile in getattr(picture, "tile", []))
    return 16 if wide else 8


def _open(source: Path | BinaryIO, name: str) -> Image.Image:
    try:
        return Image.open(source)
    except UnidentifiedImageError as error:
        raise DataError(f"{name} is no readable picture; save it anew as PNG, or leave it out") from error
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6
        raise DataError(f"{name} has more pixels than the {most:.0f} million that are read; shrink it") from error
    except Exception as error:  # a damaged file makes Pillow's decoders raise errors of many kinds
        raise DataError(f"{name} is no readable picture: {error}; {AGAIN}") from error


def _pixels(picture: Image.Image, mode: str) -> NDArray[np.uint8]:
    if picture.mode == "F":
        raise ValueError("it holds floating-point values of unknown range; convert it to 8 or 16 bit")
    if picture.mode.startswith("I"):
        values_HW = np.asarray(picture)
        if values_HW.min() < 0 or values_HW.max() > 65535:
            raise ValueError("it holds values beyond 16 bit; convert it to 8 or 16 bit")
        scaled = np.round(np.arange(65536) * (255 / 65535)).astype(np.uint8)  # in place of as many floats as pixels
        pixels_HW1: NDArray[np.uint8] = scaled[values_HW][..., None]
        return pixels_HW1
    converted = picture if picture.mode == mode else picture.convert(mode)
    return np.array(converted).reshape(picture.height, picture.width, len(mode))


def _shows_through(frame: Image.Image) -> bool:
    """Whether anything of a frame is transparent; GIF files note a transparent colour only to save room, too."""
    if frame.mode not in ("RGBA", "LA", "PA") and "transparency" not in frame.info:
        return False
    return int(np.asarray(frame.convert("RGBA"))[..., 3].min()) < 255

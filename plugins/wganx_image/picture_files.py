"""Picture files as streams of rows: read as they are to be looked at, and written like the file they were made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from wganx import DataError, SampleFormat, Source, UsageError
from wganx_image.configs.datasets import HEIF_SUFFIXES, SUFFIXES
from wganx_image.datasets.pictures import read_picture, to_eight_bit
from wganx_image.writers import save_picture

_WITH_ALPHA = ("PNG", "WEBP", "TIFF", "HEIF")
_WITH_EXIF = ("JPEG", "PNG", "WEBP", "HEIF")
_KEPT = ("icc_profile", "dpi")
_QUALITY = 95
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L")


class PictureSource:
    """A picture file, turned as its camera noted: uint8 ``(C, rows, W)``, grey or RGB, a row of pixels after the other.

    Where it is fully transparent it is white, as in training; how transparent it is lies in `alpha`.

    Attributes:
        format: of what is read.
        length: rows.
        alpha: uint8 ``(H, W)``, or None for a picture without transparent parts.
        kept: what else the file says that one made of it should say, too: colour profile, the camera's notes but the
            turning, resolution.
    """

    def __init__(self, path: Path) -> None:
        """
        Raises:
            DataError: this is no picture that can be read whole, or it is several.
        """
        with path.open("rb") as file:
            picture = read_picture(file, str(path))
            count = getattr(picture, "n_frames", 1)
            if count > 1 and picture.format != "MPO":  # what cameras store beside a photo is a smaller copy of it
                raise DataError(f"{path} is a film of {count} pictures; save those that you want as files of their own")
        picture = ImageOps.exif_transpose(picture)
        self.kept: dict[str, Any] = {name: picture.info[name] for name in _KEPT if name in picture.info}
        if exif := picture.getexif():
            self.kept["exif"] = exif.tobytes()
        if picture.mode == "CMYK":
            self.kept.pop("icc_profile", None)  # it is about inks, and what is read are lights
        picture = to_eight_bit(picture, str(path), 16)
        grey = picture.mode in _GREY
        self.alpha: Tensor | None = None
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            alpha = picture.getchannel("A")
            seen = Image.new("RGB", picture.size, "white")
            seen.paste(picture.convert("RGB"), mask=alpha.point(lambda value: 255 if value else 0))
            picture = seen
            if (hidden := torch.from_numpy(np.array(alpha))).min() < 255:
                self.alpha = hidden
        pixels_HWC = np.array(picture.convert("L" if grey else "RGB")).reshape(picture.height, picture.width, -1)
        self._pixels_CHW = torch.from_numpy(pixels_HWC).permute(2, 0, 1).contiguous()
        self.length = picture.height
        self.format = SampleFormat(
            axes=("channel", "height", "width"),
            shape=(self._pixels_CHW.shape[0], None, picture.width),
            value_range=(0.0, 255.0),
        )

    def read(self, start: int, count: int) -> Tensor:
        """`count` rows from `start` on, fewer at the end."""
        return self._pixels_CHW[:, start : start + count]

    def close(self) -> None:
        """The file was let go of when it was read."""


class PictureSink:
    """A picture file in the format of its ending, with the transparency, profile and notes of the source."""

    def __init__(self, path: Path, like: Source) -> None:
        """
        Raises:
            UsageError: the ending is none of a picture that can be written, or cannot keep the source's transparency.
        """
        self._path, self._rows = path, list[Tensor]()
        self._kind = _kind(path)
        self._channels = like.format.shape[0]
        self._kept = dict(getattr(like, "kept", {}))
        self._alpha: Tensor | None = getattr(like, "alpha", None)
        if self._alpha is not None and self._kind not in _WITH_ALPHA:
            raise UsageError(f"{path.suffix} keeps no transparency, which this picture has; name what is made .png")

    def expect(self, format: SampleFormat) -> None:
        """Rows of other channels come: a grey picture becomes a coloured one, or the other way round."""
        if format.shape[0] != self._channels:
            self._kept.pop("icc_profile", None)

    def write(self, chunk: Tensor) -> None:
        """Append rows ``(C, rows, W)`` in 0 .. 255, whole numbers or not."""
        self._rows.append(chunk.float().round().clamp(0, 255).to(torch.uint8).cpu())

    def close(self) -> None:
        """Write the file; nothing where no row came.

        Raises:
            DataError: the disk takes no more.
        """
        if not self._rows:
            return
        pixels_HWC = torch.cat(self._rows, dim=1).permute(1, 2, 0).contiguous().numpy()
        picture = Image.fromarray(pixels_HWC[..., 0] if pixels_HWC.shape[2] == 1 else pixels_HWC)
        if self._alpha is not None:
            picture.putalpha(Image.fromarray(self._alpha.numpy()))
        if self._kind not in _WITH_EXIF:
            self._kept.pop("exif", None)
        save_picture(picture, self._path, self._kind, quality=_QUALITY, **self._kept)


def _kind(path: Path) -> str:
    """Pillow's name of the format that an ending means.

    Raises:
        UsageError: there is none that can be written.
    """
    if path.suffix.lower() in HEIF_SUFFIXES and path.suffix.lower() in SUFFIXES:
        import pillow_heif

        pillow_heif.register_heif_opener()
    kinds = Image.registered_extensions()
    known = [suffix for suffix in SUFFIXES if kinds.get(suffix) in Image.SAVE]
    if path.suffix.lower() not in known:
        # What is written aside under a name without an ending has this one.
        its = path.suffix if path.suffix not in ("", ".writing") else "no ending"
        raise UsageError(f"pictures are written as {', '.join(known)}, not as {its}; name what is made so")
    return kinds[path.suffix.lower()]

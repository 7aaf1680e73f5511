"""Films as pictures that move, and as folders of pictures, by Pillow."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import GifImagePlugin, Image, PngImagePlugin

from wganx import DataError
from wganx_video.video.writing import COMMENTS, Form

_CENTISECOND = Fraction(1, 100)
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_WEBP_QUALITY = 90
_SEE_THROUGH = 255
"""The colour of a GIF that stands for none."""
_DESCRIPTION = 0x010E


class GifWriter:
    """A GIF that is repeated, each frame with the 256 colours that suit it, and none left out."""

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._form = path, form
        self._file: BinaryIO = _created(path)
        self._waiting: tuple[Image.Image, Fraction] | None = None
        self._told = 0  # hundredths of a second so far, so that rounding does not add up
        self._begin = Fraction(0)

    def add(self, picture_HWC: NDArray[np.uint8], time: Fraction) -> None:
        picture = _picture(picture_HWC)
        if self._waiting is None:
            self._begin = time
            self._heading(picture)
        else:
            self._put(*self._waiting, until=time)
        self._waiting = picture, time

    def close(self) -> None:
        if self._file.closed:
            return
        if self._waiting is not None:
            self._put(*self._waiting, until=self._waiting[1] + 1 / self._form.rate)
            self._file.write(b";")
        self._file.close()

    def _heading(self, picture: Image.Image) -> None:
        comment = COMMENTS[self._form.origin].encode("ascii")
        size = self._form.width.to_bytes(2, "little") + self._form.height.to_bytes(2, "little")
        # Without colours for all; then it is to be repeated without end, and says what it is.
        self._file.write(b"GIF89a" + size + b"\x70\0\0" + b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
        self._file.write(b"!\xfe" + bytes([len(comment)]) + comment + b"\0")

    def _put(self, picture: Image.Image, time: Fraction, *, until: Fraction) -> None:
        end = round((until - self._begin) / _CENTISECOND)
        duration, self._told = max(end - self._told, 1), max(end, self._told + 1)
        reduced, how = _reduced(picture)
        how |= {"duration": 10 * duration, "include_color_table": True}
        try:
            for block in GifImagePlugin.getdata(reduced, (0, 0), **how):
                self._file.write(block)
        except OSError as error:
            raise DataError(f"{self._path} cannot be written: {error.strerror}") from error


def _reduced(picture: Image.Image) -> tuple[Image.Image, dict[str, int]]:
    """A picture with a palette, and how GIF is to lay it over the one before."""
    if picture.mode in ("L", "RGB"):
        palette = picture if picture.mode == "L" else picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
        return palette, {"disposal": 1}
    alpha_HW = np.asarray(picture.getchannel("A"))
    index_HW = np.array(palette := picture.convert("RGB").quantize(_SEE_THROUGH))
    index_HW[alpha_HW < 128] = _SEE_THROUGH
    reduced = Image.fromarray(index_HW, "P")
    reduced.putpalette(palette.getpalette() or [])
    return reduced, {"disposal": 2, "transparency": _SEE_THROUGH}


class PictureWriter:
    """An animated WebP or PNG; frames that follow each other and are the same become one that is shown longer.

    All wait on the disk until `close`, because Pillow asks for them at once.
    """

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._form = path, form
        _created(path).close()
        self._spool: BinaryIO = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115
        self._times: list[Fraction] = []

    def add(self, picture_HWC: NDArray[np.uint8], time: Fraction) -> None:
        try:
            self._spool.write(np.ascontiguousarray(picture_HWC).tobytes())
        except OSError as error:
            raise DataError(f"{self._path} cannot be written: {error.strerror}") from error
        self._times.append(time)

    def close(self) -> None:
        if self._spool.closed:
            return
        try:
            if self._times:
                self._save()
        finally:
            self._spool.close()

    def _save(self) -> None:
        form, rest = self._form, _Rest(self._spool, len(self._times), self._form)
        ends = [*self._times[1:], self._times[-1] + 1 / form.rate]
        begin = self._times[0]
        ticks = [round((time - begin) * 1000) for time in (begin, *ends)]
        durations = [after - before for before, after in pairwise(ticks)]
        comment = COMMENTS[form.origin]
        first = rest.frame(0)
        try:
            if self._path.suffix.lower() == ".webp":
                exif = Image.Exif()
                exif[_DESCRIPTION] = comment
                first.save(
                    self._path, "WEBP", save_all=True, append_images=rest, duration=durations, loop=0,
                    quality=_WEBP_QUALITY, exif=exif,
                    lossless=first.mode in ("LA", "RGBA"),  # else libwebp forgets to say that there is alpha
                )  # fmt: skip
            else:
                first.save(
                    self._path, "PNG", save_all=True, append_images=rest, duration=durations, loop=0,
                    pnginfo=_note(comment),
                )  # fmt: skip
        except OSError as error:
            raise DataError(f"{self._path} cannot be written: {error}") from error


class _Rest:
    """All frames but the first, as often as they are asked for: Pillow goes through them twice."""

    def __init__(self, spool: BinaryIO, count: int, form: Form) -> None:
        self._spool, self._count, self._shape = spool, count, (form.height, form.width, form.channels)

    def __iter__(self) -> Iterator[Image.Image]:
        return (self.frame(number) for number in range(1, self._count))

    def frame(self, number: int) -> Image.Image:
        size = math.prod(self._shape)
        self._spool.seek(number * size)
        return _picture(np.frombuffer(self._spool.read(size), dtype=np.uint8).reshape(self._shape))


class FolderWriter:
    """A folder of PNG files: 000001.png, 000002.png, ... It has no room for times."""

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._form, self._count = path, form, 0
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"{path} cannot be made: {error.strerror}") from error

    def add(self, picture_HWC: NDArray[np.uint8], time: Fraction) -> None:
        self._count += 1
        try:
            _picture(picture_HWC).save(
                self._path / f"{self._count:06d}.png", pnginfo=_note(COMMENTS[self._form.origin])
            )
        except OSError as error:
            raise DataError(f"{self._path} cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Every frame is whole already."""


def _created(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror}") from error


def _picture(picture_HWC: NDArray[np.uint8]) -> Image.Image:
    mode = _MODES[picture_HWC.shape[2]]
    return Image.fromarray(np.ascontiguousarray(picture_HWC[..., 0] if mode == "L" else picture_HWC), mode)


def _note(comment: str) -> PngImagePlugin.PngInfo:
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", comment)
    return note

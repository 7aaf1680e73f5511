"""Films as arrays of numpy, .npy and .npz, of which no more is read than is asked for."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from contextlib import ExitStack
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from wganx import DataError
from wganx.data import array_header
from wganx_video.video.decoding import AGAIN
from wganx_video.video.header import USUAL_RATE, Frames, Header, Times

_NAMES = ("frames", "video", "film", "clip", "arr_0")
"""The member of an .npz that is meant where it has several."""


class OpenArray(Frames):
    """An array of a film: axes T (frames), H, W and, where it has four, C (channels)."""

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        kind: str,
        *,
        layout: str | None = None,
        value_range: tuple[float, float] | None = None,
    ) -> None:
        """
        Args:
            layout: order of the axes; where it is left out, the axis of the channels is the shorter of the second and
                the last.
            value_range: what becomes 0 and 255. uint8 is that already, bool is 0 .. 1 and uint16 is 0 .. 65535.

        Raises:
            DataError: it is no array of numbers, cut short, has no axes for a film, or values of unknown range.
        """
        super().__init__()
        self.name, self._file, self._open = name, file, ExitStack()
        self._open.callback(file.close)
        try:
            self._array, length = _member(file, name, self._open) if kind == "npz" else (file, _length(file))
            self._heading = array_header(self._array, name)
            self._shape, self._type = self._heading.shape, self._heading.dtype
            self.layout = _layout(self._shape, layout, name)
            _see_that_it_is_whole(length - self._heading.begin, self._shape, self._type, name)
            self._low, self._high = _range(self._type, value_range, name)
        except BaseException:
            self.close()
            raise
        size = dict(zip(self.layout, self._shape))
        self.header = Header(
            frames=size["T"],
            channels=size.get("C", 1),
            height=size["H"],
            width=size["W"],
            rate=None,
            kind=kind,
            codec=str(self._type),
            depth=1 if self._type.kind == "b" else 8 * self._type.itemsize,
        )
        self.times = Times.steady(size["T"], USUAL_RATE)
        self._whole: NDArray[np.generic] | None = None

    def close(self) -> None:
        with self._lock:
            self._open.close()

    def stored(self, number: int) -> NDArray[np.generic]:
        """A frame ``(C, H, W)`` in the values that are stored."""
        if self._heading.fortran or self.layout[0] != "T":
            values: NDArray[np.generic] = np.take(self._all(), number, axis=self.layout.index("T"))
        else:
            length = math.prod(self._shape[1:]) * self._type.itemsize
            content = self._read(number * length, length)
            values = np.frombuffer(content, dtype=self._type).reshape(self._shape[1:])
        rest = self.layout.replace("T", "")
        if "C" not in rest:
            values, rest = values[..., None], rest + "C"
        return values.transpose([rest.index(axis) for axis in "CHW"])

    def extremes(self) -> tuple[float, float]:
        """The smallest and the largest stored value, of those that are numbers; reads all of it, frame by frame."""
        low, high = math.inf, -math.inf
        with self._lock:
            for number in range(self.header.frames):
                values = self.stored(number)
                finite = values[np.isfinite(values)]
                if finite.size:
                    low, high = min(low, float(finite.min())), max(high, float(finite.max()))
        return low, high

    def _picture(self, number: int) -> NDArray[np.uint8]:
        values_CHW = self.stored(number)
        if values_CHW.dtype == np.uint8 and (self._low, self._high) == (0, 255):
            return cast("NDArray[np.uint8]", np.array(values_CHW))
        if not np.isfinite(values_CHW).all():
            raise DataError(f"{self.name} holds values that are no numbers in frame {number:,}; fill them in first")
        scaled = (values_CHW.astype(np.float64) - self._low) * (255 / (self._high - self._low))
        return np.clip(np.round(scaled), 0, 255).astype(np.uint8)

    def _all(self) -> NDArray[np.generic]:
        """An array in which the frames do not follow each other is held whole."""
        if self._whole is None:
            content = self._read(0, self._heading.bytes)
            order = "F" if self._heading.fortran else "C"
            self._whole = np.frombuffer(content, dtype=self._type).reshape(self._shape, order=order)  # type: ignore[call-overload]
        return self._whole

    def _read(self, place: int, length: int) -> bytes:
        """So many bytes of the values, from `place` on."""
        try:
            self._array.seek(self._heading.begin + place)
            content = self._array.read(length)
        except _DAMAGE as error:
            raise DataError(f"{self.name} is damaged: {error}; {AGAIN}") from error
        if len(content) < length:  # of an archive, the directory need not be right
            raise DataError(f"{self.name} is cut short: {length - len(content):,} bytes are missing; {AGAIN}")
        return content


_DAMAGE = (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error)
"""What comes of content that is not as an archive or a header says."""


def _length(file: BinaryIO) -> int:
    length = file.seek(0, io.SEEK_END)
    file.seek(0)
    return length


def _member(file: BinaryIO, name: str, held: ExitStack) -> tuple[BinaryIO, int]:
    """The array of an archive that is the film, and its bytes once it is unpacked."""
    try:
        archive = held.enter_context(zipfile.ZipFile(file))
        arrays = [member.removesuffix(".npy") for member in archive.namelist() if member.endswith(".npy")]
        if not arrays:
            raise DataError(f"{name} is a zip archive without arrays; unpack it, or give it as a folder of films")
        chosen = arrays if len(arrays) == 1 else [found for found in _NAMES if found in arrays]
        if not chosen:
            raise DataError(f"{name} holds {', '.join(arrays)}; name the array that is the film 'frames'")
        member = chosen[0] + ".npy"
        return cast(BinaryIO, held.enter_context(archive.open(member))), archive.getinfo(member).file_size
    except (*_DAMAGE, NotImplementedError, RuntimeError) as error:  # packed in a way of its own, or by a password
        raise DataError(f"{name} is no readable array: {_line(error)}; {AGAIN}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _layout(shape: tuple[int, ...], layout: str | None, name: str) -> str:
    if layout is not None:
        if sorted(layout) not in (sorted("THW"), sorted("THWC")) or len(layout) != len(shape):
            raise DataError(
                f"{name} has the shape {shape}, which the layout {layout!r} does not name; give each axis one of "
                "T, C, H, W"
            )
    elif len(shape) == 3:
        layout = "THW"
    elif len(shape) == 4 and shape[1] != shape[3]:
        layout = "TCHW" if shape[1] < shape[3] else "THWC"
    else:
        raise DataError(
            f"{name} has the shape {shape}, of which the axes are not plain; say its layout, such as TCHW, or save a "
            "file for each film"
        )
    if any(side < 1 for side in shape):
        raise DataError(f"{name} has the shape {shape}, so nothing is in it; leave it out")
    return layout


def _see_that_it_is_whole(there: int, shape: tuple[int, ...], type_: np.dtype[np.generic], name: str) -> None:
    frame = math.prod(shape[1:]) * type_.itemsize
    if there < shape[0] * frame:
        raise DataError(f"{name} is cut short: {there // frame:,} of {shape[0]:,} frames are there; {AGAIN}")


def _range(type_: np.dtype[np.generic], value_range: tuple[float, float] | None, name: str) -> tuple[float, float]:
    if value_range is not None and type_ != np.uint8:
        return value_range
    if type_.kind == "b":
        return 0, 1
    if type_.kind == "u" and type_.itemsize <= 2:
        return 0, 255 if type_.itemsize == 1 else 65535
    raise DataError(f"{name} holds values of type {type_}, whose range is not known; say what is black and what white")

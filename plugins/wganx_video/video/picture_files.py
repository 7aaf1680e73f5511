"""Pictures that are the frames of a film, wherever they lie: in a folder, or in an archive of one."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wganx import DataError
from wganx_video.video.header import USUAL_RATE, Frames, Header, Times
from wganx_video.video.pictures import bits_of, mode_of, read_picture

_SWAPPED = (5, 6, 7, 8)
"""Orientations noted by a camera that swap height and width."""
_ORIENTATION = 0x0112


class PictureFiles(io.RawIOBase):
    """Pictures as one file, so that a film of them is handed on as any other: their contents, one after the other.

    Attributes:
        names: of the pictures, in the order in which they are shown.
    """

    def __init__(self, names: Sequence[str], open: Callable[[str], BinaryIO], sizes: Sequence[int]) -> None:
        """
        Args:
            names: of the pictures, in order.
            open: gives the content of one, seekable, by its name.
            sizes: bytes of each.
        """
        self.names, self.open = tuple(names), open
        self._ends = np.cumsum(np.array(sizes, dtype=np.int64))
        self._place = 0
        self._within: tuple[int, BinaryIO] | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: int(self._ends[-1])}[whence]
        self._place = max(0, base + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        number = int(np.searchsorted(self._ends, self._place, side="right"))
        if number == len(self.names):
            return 0
        if self._within is None or self._within[0] != number:
            self._leave()
            self._within = number, self.open(self.names[number])
        begin = int(self._ends[number - 1]) if number else 0
        self._within[1].seek(self._place - begin)
        content = self._within[1].read(min(len(buffer), int(self._ends[number]) - self._place))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

    def close(self) -> None:
        self._leave()
        super().close()

    def _leave(self) -> None:
        if self._within is not None:
            self._within[1].close()
            self._within = None


class OpenPictureFiles(Frames):
    """A film of pictures of one size; of the first, no more than the header is read to know it."""

    def __init__(self, files: PictureFiles, name: str) -> None:
        """
        Raises:
            DataError: the first is no picture.
        """
        super().__init__()
        self.name, self._files = name, files
        first = files.names[0]
        try:
            with files.open(first) as source, Image.open(source) as picture:
                (width, height), mode, depth = picture.size, mode_of(picture), bits_of(picture)
                if picture.getexif().get(_ORIENTATION, 1) in _SWAPPED:
                    height, width = width, height
        except Exception as error:  # a damaged file makes Pillow raise errors of many kinds
            raise DataError(
                f"{first} is no readable picture ({error}); save it anew as PNG, or leave it out"
            ) from error
        self.header = Header(
            frames=len(files.names),
            channels=len(mode),
            height=height,
            width=width,
            rate=None,
            kind="frames",
            codec=first.rpartition(".")[2].lower(),
            depth=depth,
        )
        self.times = Times.steady(len(files.names), USUAL_RATE)

    def close(self) -> None:
        self._files.close()

    def _picture(self, number: int) -> NDArray[np.uint8]:
        path, known = self._files.names[number], self.header
        with self._files.open(path) as source:
            picture_HWC = read_picture(source, path)
        if picture_HWC.shape != (known.height, known.width, known.channels):
            height, width, channels = picture_HWC.shape
            raise DataError(
                f"{path} is {width}x{height} with {channels} channels, and the first frame of {self.name} is "
                f"{known.width}x{known.height} with {known.channels}; frames of a film have one size"
            )
        return picture_HWC.transpose(2, 0, 1)

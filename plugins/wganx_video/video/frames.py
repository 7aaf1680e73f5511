"""Folders of pictures that are the frames of a film."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wganx import DataError
from wganx_video.video.header import USUAL_RATE, Frames, Header, Times
from wganx_video.video.pictures import bits_of, read_picture

FRAME_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".pgm", ".ppm")

_NOTES = (".txt", ".md", ".json", ".csv", ".yaml")

_NUMBERS = re.compile(r"(\d+)")


def natural(name: str) -> tuple[tuple[str | int, ...], str]:
    """What names of files are sorted by so that ``frame10`` comes after ``frame9``."""
    parts = _NUMBERS.split(name.casefold())
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name


def frame_files(folder: Path) -> list[Path]:
    """The pictures of a folder, in natural order; hidden ones are none."""
    pictures = (path for path in folder.iterdir() if path.suffix.lower() in FRAME_SUFFIXES and path.is_file())
    return sorted((path for path in pictures if not path.name.startswith(".")), key=lambda path: natural(path.name))


def is_film(folder: Path) -> bool:
    """Whether a folder is one film: it holds pictures, and no other files but notes about them."""
    kinds = {path.suffix.lower() for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")}
    return bool(kinds.intersection(FRAME_SUFFIXES)) and kinds <= {*FRAME_SUFFIXES, *_NOTES}


class OpenFolder(Frames):
    """A folder of pictures of one size, in the natural order of their names."""

    def __init__(self, folder: Path, name: str, rate: Fraction | None = None) -> None:
        """
        Args:
            rate: frames a second, where it is known.

        Raises:
            DataError: there are none, or the first cannot be read.
        """
        super().__init__()
        self.name, self._files = name, frame_files(folder)
        if not self._files:
            raise DataError(
                f"{name} holds no frames; a film of pictures has files such as 0001.png, 0002.png in one folder"
            )
        first_HWC = read_picture(self._files[0], str(self._files[0]))
        with Image.open(self._files[0]) as picture:
            depth = bits_of(picture)
        height, width, channels = first_HWC.shape
        self.header = Header(
            frames=len(self._files),
            channels=channels,
            height=height,
            width=width,
            rate=rate,
            kind="frames",
            codec=self._files[0].suffix.lower().lstrip("."),
            depth=depth,
        )
        self.times = Times.steady(len(self._files), rate or USUAL_RATE)

    def close(self) -> None:
        """No file stays open."""

    def _picture(self, number: int) -> NDArray[np.uint8]:
        path, known = self._files[number], self.header
        picture_HWC = read_picture(path, str(path))
        if picture_HWC.shape != (known.height, known.width, known.channels):
            raise DataError(
                f"{path} is {_size(picture_HWC.shape)}, and the first frame of {self.name} is "
                f"{_size((known.height, known.width, known.channels))}; frames of a film have one size"
            )
        return picture_HWC.transpose(2, 0, 1)


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]}x{shape[0]} with {shape[2]} channel{'s' * (shape[2] != 1)}"

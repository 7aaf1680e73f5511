"""Films as .npy, frame by frame."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from wganx import DataError
from wganx_video.video.writing import Form


class ArrayWriter:
    """uint8 ``(T, C, H, W)`` in .npy; how many frames there are is noted at the end. It has no room for times."""

    def __init__(self, path: Path, form: Form) -> None:
        self._path, self._shape, self._count = path, (form.channels, form.height, form.width), 0
        try:
            self._file: BinaryIO = path.open("wb")
        except OSError as error:
            raise DataError(f"{path} cannot be written: {error.strerror}") from error
        self._heading()

    def add(self, picture_HWC: NDArray[np.uint8], time: Fraction) -> None:
        try:
            self._file.write(np.ascontiguousarray(picture_HWC.transpose(2, 0, 1)).tobytes())
        except OSError as error:
            raise DataError(f"{self._path} cannot be written: {error.strerror}") from error
        self._count += 1

    def close(self) -> None:
        if not self._file.closed:
            self._file.seek(0)
            self._heading()  # as long as the first, since numpy leaves room for an array that grows
            self._file.close()

    def _heading(self) -> None:
        shape = (self._count, *self._shape)
        np.lib.format.write_array_header_1_0(self._file, {"descr": "|u1", "fortran_order": False, "shape": shape})

"""Arrays of numpy in files of strangers: what a heading promises is held against the bytes that are there."""

from __future__ import annotations

import math
import warnings
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from struct import error as StructError
from tokenize import TokenError
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from wganx.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_MOST_AXES = 32
_NUMBERS = "buif"
_WIDEST = 8
"""Bytes of the widest number: what is longer is another thing on every machine."""

DAMAGE = (
    ValueError, TypeError, EOFError, OSError, OverflowError, RecursionError, NotImplementedError, RuntimeError,
    SyntaxError, TokenError, StructError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What numpy and zipfile raise at files that are damaged, encrypted, or packed in a way of their own."""


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """The heading of an array in ``.npy`` form.

    Attributes:
        shape: sizes of its axes.
        dtype: kind of its numbers.
        fortran: whether the first axis is the one that runs fastest.
        begin: where its values begin.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    fortran: bool
    begin: int

    @property
    def bytes(self) -> int:
        """Of its values."""
        return math.prod(self.shape) * self.dtype.itemsize


def array_header(file: BinaryIO, name: str) -> ArrayHeader:
    """The heading of a ``.npy`` file, opened at its begin; nothing else is read, and nothing in it is executed.

    Raises:
        DataError: naming it `name`: it is no array, or none of numbers of at most 64 bit in some axes.
    """
    with readable(name):
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise DataError(f"{name} is an array in a form {version[0]}.{version[1]} that is not known; save it anew")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of texts in a heading that Python would not write so
            shape, fortran, dtype = read(file)
    if dtype.kind not in _NUMBERS or dtype.itemsize > _WIDEST:
        raise DataError(
            f"{name} holds {dtype} values, and numbers of at most 64 bit are wanted; save it by array.astype('float32')"
        )
    if len(shape) > _MOST_AXES or any(isinstance(side, bool) or side < 0 for side in shape):
        raise DataError(
            f"{name} cannot be read as an array of numbers: its shape is said to be {str(shape)[:80]}; save it anew"
        )
    return ArrayHeader(tuple(map(int, shape)), dtype, bool(fortran), file.tell())


def read_array(file: BinaryIO, name: str, length: int) -> NDArray[np.generic]:
    """The array in a ``.npy`` file of `length` bytes, opened at its begin.

    Raises:
        DataError: as of `array_header`, or values are missing.
    """
    heading = array_header(file, name)
    if (missing := heading.bytes - (length - heading.begin)) > 0:
        raise DataError(
            f"{name} is cut short: {heading.bytes:,} bytes of {heading.dtype} values of shape {heading.shape} are "
            f"promised, and {missing:,} are missing; copy it again"
        )
    with readable(name):
        values = np.frombuffer(file.read(heading.bytes), heading.dtype)
        return values.reshape(heading.shape, order="F" if heading.fortran else "C")


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Within it, what damaged files raise is one error that names the file."""
    try:
        yield
    except DataError:
        raise
    except DAMAGE as error:
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"{name} cannot be read as an array of numbers: {told}; save it anew, or leave it out"
        ) from error

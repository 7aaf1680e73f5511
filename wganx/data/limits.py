"""What is read whole, of an archive or not, is held against measure before it is read."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from wganx.errors import DataError
from wganx.memory import available_memory

_BOMB_BYTES = 64 * 2**20
_BOMB_RATIO = 200
"""What unpacks to more than the one, and to so many times what it takes packed, holds nothing but repetition."""
_SHARE_OF_MEMORY = 0.5


def check_unpacked(entry: zipfile.ZipInfo, name: str) -> None:
    """Refuse what is packed to grow beyond all measure, before a byte of it is unpacked.

    Raises:
        DataError: it unpacks to over 64 MiB, and to 200 times what it takes packed; or to half of the free memory.
    """
    size, packed = entry.file_size, max(entry.compress_size, 1)
    if size > _BOMB_BYTES and size > _BOMB_RATIO * packed:
        raise DataError(
            f"{name} would unpack from {packed / 1e6:,.1f} MB to {size / 1e9:,.1f} GB, {size // packed:,} times as "
            "much, as nothing but a trap does; leave it out, or unpack the archive and give the folder"
        )
    check_memory(size, name)


def check_memory(size: int, name: str) -> None:
    """Refuse to read whole what takes over half of the free memory.

    Raises:
        DataError: it does.
    """
    if size <= _BOMB_BYTES:
        return
    free = available_memory()
    if free is not None and size > _SHARE_OF_MEMORY * free:
        raise DataError(
            f"{name} holds {size / 1e9:,.1f} GB, which are to be read at once, and {free / 1e9:,.1f} GB of memory are "
            "free; leave it out, or cut it into several files"
        )


@contextmanager
def unpacking(name: str) -> Iterator[None]:
    """Within it, what a damaged archive raises is an error that says what is wrong with the file in it."""
    try:
        yield
    except RuntimeError as error:  # NotImplementedError is one as well
        if isinstance(error, NotImplementedError):
            raise DataError(f"{name} is packed in a way that is not known here ({error}); pack it anew") from error
        raise DataError(f"{name} is encrypted; unpack the archive, and give the folder") from error
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, struct.error, OSError) as error:
        raise DataError(f"{name} is damaged in the archive ({error}); pack or download it again") from error

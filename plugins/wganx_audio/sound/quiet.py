"""Opened files as libsndfile may be given them: what it cannot bear is hidden, and what is raised is kept."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

_MOST_CHUNKS = 10_000
_ORDER = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<"}


def quiet(source: BinaryIO | Path) -> Path | Quiet:
    """What libsndfile is to read: a file on the disk by itself, unless something in it is to be hidden."""
    if not isinstance(source, Path):
        return Quiet(source)
    try:
        with source.open("rb") as file:
            noted = list_chunks(file)
    except OSError:  # which is said by who opens it next
        return source
    return Quiet(source.open("rb"), own=True) if noted else source


class Quiet:
    """An opened file as libsndfile reads it: what is raised there would be printed with a traceback, and lost.

    What is noted beside the sound is hidden: see `list_chunks`.

    Attributes:
        failure: what was raised, if anything was; the file seems to end there.
    """

    def __init__(self, file: BinaryIO, *, own: bool = False) -> None:
        """`own`: the file is closed with it, and otherwise by who opened it."""
        self._file, self._own = file, own
        self.failure: Exception | None = None
        self._hidden: list[int] = []
        with self._kept():
            self._hidden = list_chunks(file)

    def readinto(self, buffer: Any) -> int:
        with self._kept():
            content = self.read(len(buffer))
            buffer[: len(content)] = content
            return len(content)
        return 0

    def read(self, count: int = -1) -> bytes:
        if not self._hidden:
            return self._file.read(count)
        start = self._file.tell()
        return without(self._file.read(count), start, self._hidden)

    def seek(self, offset: int, whence: int = 0) -> int:
        with self._kept():
            return self._file.seek(offset, whence)
        return self.tell()

    def tell(self) -> int:
        with self._kept():
            return self._file.tell()
        return 0

    def close(self) -> None:
        if self._own:
            self._file.close()

    def __del__(self) -> None:
        self.close()

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.failure = error


def list_chunks(file: BinaryIO) -> list[int]:
    """Where the chunks ``LIST`` of a WAV file begin; none of a file of another kind. The place in the file is 0 again.

    These hold titles, names and marks, in parts that each say their length. At one near 2^32, libsndfile 1.2.2 goes
    back to where it was (libsndfile/libsndfile#1118).
    """
    found = []
    file.seek(0)
    head = file.read(12)
    if (order := _ORDER.get(head[:4])) is not None and head[8:] == b"WAVE":
        at, length = 12, file.seek(0, 2)
        for _ in range(_MOST_CHUNKS):
            if at + 8 > length:
                break
            file.seek(at)
            kind, size = struct.unpack(f"{order}4sI", file.read(8))
            if kind.upper() == b"LIST":
                found.append(at)
            at += 8 + size + (size & 1)
    file.seek(0)
    return found


def without(content: bytes, start: int, chunks: list[int]) -> bytes:
    """What was read from `start` on, with those chunks as ones that are passed over."""
    changed = bytearray(content)
    for begin in chunks:
        for place, letter in enumerate(b"JUNK", begin - start):
            if 0 <= place < len(changed):
                changed[place] = letter
    return bytes(changed)

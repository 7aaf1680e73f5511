"""Every change that this process makes to the disk below a folder, met one by one before it is made.

What Python writes goes through here: files that are opened for writing, ``os`` calls, the exchange of two names, and
the writer of safetensors, whose errors are put as its own Rust code puts them. Reading is nobody's business. What C
libraries write (sounds, films) is not seen.
"""

from __future__ import annotations

import builtins
import io
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from safetensors import SafetensorError
from safetensors.torch import save

from wganx import storage
from wganx.engine import checkpoint
from wganx.hub import bundle

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OF_NAMES = ("rename", "replace", "mkdir", "unlink", "remove", "rmdir", "link", "symlink")
_OF_FILES = ("fsync", "ftruncate")


@dataclass(frozen=True)
class Event:
    """A change to come: ``open``, ``write``, ``fsync``, ``exchange`` or a name of `os`, and of what, below the folder.

    Of what gets another name, it is the one it had.
    """

    what: str
    path: str

    def __str__(self) -> str:
        return f"{self.what} {self.path}"


Meet = Callable[[Event, Callable[[], object] | None], None]
"""Told of every event before it happens, and how to make half of a write; what it raises, the caller gets."""


@contextmanager
def watched(below: Path, meet: Meet, torn: Callable[[Event], None] | None = None) -> Iterator[None]:
    """Inside, `meet` is told of every change below the folder `below`, or to it; `torn`, when half a write is made."""
    watch = _Watch(str(below.absolute()), meet, torn)
    with (
        patch.multiple(os, **watch.system_calls()),
        patch.object(io, "open", watch.open),
        patch.object(builtins, "open", watch.open),
        patch.object(storage, "_system_exchange", watch.exchange()),
        patch.object(checkpoint, "save_file", watch.save),
        patch.object(bundle, "save_file", watch.save),
    ):
        yield


class _Watch:
    def __init__(self, below: str, meet: Meet, torn: Callable[[Event], None] | None) -> None:
        self._below, self._meet, self._torn = below, meet, torn
        self._open, self._exchange = io.open, storage._system_exchange()

    def write(self, file: int, data: bytes, work: Callable[[bytes], int]) -> int:
        """Write `data` by `work`, in two halves where somebody looks at the first."""
        event = self.met("write", file, lambda: work(data[: len(data) // 2]))
        if self._torn is None or event is None or threading.current_thread() is not threading.main_thread():
            return work(data)
        done = work(data[: len(data) // 2])
        self._torn(event)
        return done + work(data[done:])

    def met(self, what: str, path: Any, half: Callable[[], object] | None = None, dir_fd: int | None = None
            ) -> Event | None:  # fmt: skip
        place = _place(path, dir_fd)
        if place != self._below and not place.startswith(self._below + os.sep):
            return None
        event = Event(what, os.path.relpath(place, self._below))
        self._meet(event, half)
        return event

    def system_calls(self) -> Mapping[str, Callable[..., Any]]:
        calls = {name: self._call(name, getattr(os, name)) for name in (*_OF_NAMES, *_OF_FILES)}
        opening, writing = os.open, os.write

        def open_(path: Any, flags: int, *rest: Any, **named: Any) -> int:
            if flags & _WRITING:
                self.met("open", path, dir_fd=named.get("dir_fd"))
            return opening(path, flags, *rest, **named)

        def write(file: int, data: Any) -> int:
            return self.write(file, bytes(data), lambda part: writing(file, part))

        return {**calls, "open": open_, "write": write}

    def _call(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any, *rest: Any, **named: Any) -> Any:
            self.met(name, path, dir_fd=named.get("dir_fd", named.get("src_dir_fd")))
            return work(path, *rest, **named)

        return call

    def exchange(self) -> Callable[[], Callable[[bytes, bytes], int] | None]:
        work = self._exchange
        if work is None:
            return lambda: None

        def exchange(one: bytes, other: bytes) -> int:
            self.met("exchange", one)
            return work(one, other)

        return lambda: exchange

    def open(self, file: Any, mode: str = "r", buffering: int = -1, encoding: Any = None, errors: Any = None,
             newline: Any = None, closefd: bool = True, opener: Any = None) -> Any:  # fmt: skip
        """The built-in, with a raw file whose writes are met."""
        if not set(mode) & set("wax+"):
            return self._open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            self.met("open", file)
        raw = _Raw(file, mode.replace("b", "").replace("t", ""), closefd, opener)
        raw.watch = self
        if buffering == 0:
            return raw
        size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
        buffered = io.BufferedRandom(raw, size) if "+" in mode else io.BufferedWriter(raw, size)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, encoding or "utf-8", errors, newline, line_buffering=buffering == 1)

    def save(self, tensors: Any, path: Any, metadata: Any = None) -> None:
        try:
            with self.open(path, "wb") as file:
                file.write(save(tensors, metadata))
        except OSError as error:
            told = f"I/O error: {error.strerror} (os error {error.errno})"
            raise SafetensorError(f"Error while serializing: {told}") from None


class _Raw(io.FileIO):
    watch: _Watch

    def write(self, data: Any) -> Any:
        return self.watch.write(self.fileno(), bytes(data), lambda part: io.FileIO.write(self, part))

    def truncate(self, size: Any = None) -> int:
        self.watch.met("truncate", self.fileno())
        return super().truncate(size)


def _place(path: Any, dir_fd: int | None) -> str:
    """Where a path lies, or what a descriptor is of; links are left as they are."""
    if isinstance(path, int):
        return str(Path(f"/proc/self/fd/{path}").readlink())
    folder = "" if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink()
    return os.path.normpath(Path(folder, os.fsdecode(path)).absolute())

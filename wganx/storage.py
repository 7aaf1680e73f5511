"""Writing to disk: what is written is there whole, or not at all; the one home of that.

A file or folder is written aside, under a hidden name beside its own, synced to the disk, and renamed. A kill at any
moment leaves the old one or the new one, and at most a hidden ``.NAME.*.writing`` that nobody reads and `tidy` removes.

Windows neither renames nor removes what any program has open: a virus scanner, an indexer, a reader of a report. Most
let go within a second, so it is tried again for three there; elsewhere what is forbidden stays so, and is said at once.
"""

from __future__ import annotations

import ctypes
import errno
import json
import math
import os
import re
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Protocol

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_HERE = -100
"""AT_FDCWD: paths are meant from the working folder."""
_EXCHANGE = 2
"""RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS."""
_WINDOWS = os.name == "nt"
_PATIENCE = 3.0 if _WINDOWS else 0.0
"""Seconds in which what is open elsewhere may be let go."""
_LEFT = re.compile(r"\.(?P<name>.+?)(?P<token>\.[0-9a-f]{8})?\.(writing|replaced|removing)", re.DOTALL)
"""What lies aside; what is being removed has no token."""
_BLOCK = 1 << 16


def write_whole(path: Path, content: str | bytes) -> None:
    """Make `content` the content of the file `path`; text as UTF-8, its line breaks as they are.

    Raises:
        OSError: the folder cannot be written; the old file is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    aside = _aside(path, "writing")
    try:
        with _naming(path), aside.open("xb") as file:  # made here or refused: no link that lies in wait is followed
            if not _WINDOWS:  # where whoever has a file open keeps others from removing it anyhow
                take(file)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if not _WINDOWS:  # where nothing that is open can be renamed
                take_place(aside, path)
        if _WINDOWS:
            with _naming(path):
                take_place(aside, path)
    except BaseException:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def take_place(aside: Path, path: Path) -> None:
    """The file or folder `aside` gets the name `path`; a file of that name goes.

    Raises:
        OSError: that cannot be; both are as they were.
    """
    _patiently(lambda: aside.replace(path))


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new, empty folder to write into, which becomes `path` when the work inside ends well and vanishes otherwise.

    A folder that is there already, or a link to one, is replaced. Files inside are synced here.

    Raises:
        OSError: the parent folder cannot be written, or `path` is a file.
    """
    if path.is_file() and not path.is_symlink():
        raise NotADirectoryError(f"{path} is a file, and a folder is to take its place; move it away")
    path.parent.mkdir(parents=True, exist_ok=True)
    _give_back(path.parent, path.name)
    aside = _aside(path, "writing")
    aside.mkdir()
    try:
        yield aside
        for file in aside.rglob("*"):
            if not file.is_symlink():
                sync(file)
        sync(aside)
        _take_the_place_of(path, aside)
        sync(path.parent)
    finally:
        with suppress(OSError):
            _remove(aside)


@contextmanager
def files_aside(folder: Path) -> Iterator[Path]:
    """A new, empty, hidden folder in `folder` for whoever writes files by a way of their own, such as an encoder.

    When the work inside ends well, each of the files takes its place in `folder`: of a link of that name, the link
    goes, and what it leads to is not touched.

    Raises:
        OSError: `folder` cannot be written.
    """
    aside = _aside(folder / "files", "writing")
    aside.mkdir()
    try:
        yield aside
        for made in sorted(aside.iterdir()):
            place = folder / made.name
            _take_the_place_of(place, made) if made.is_dir() else take_place(made, place)
    finally:
        with suppress(OSError):
            _remove(aside)


def open_to_add(path: Path) -> FileIO:
    """A file to read and to add to, without a buffer, made where it is not there.

    Raises:
        OSError: it is a link, so that what is added would land elsewhere, or no ordinary file; or it cannot be written.
    """
    try:
        file = open(path, "ab+", buffering=0, opener=lambda name, flags: os.open(name, flags | _NO_LINK, 0o666))  # noqa: SIM115 - the caller closes it
    except OSError as error:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link, and nothing is written through one", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "it is no ordinary file but a pipe or a device", str(path))
    return file


def json_text(values: Any, *, indent: int | None = None, readable: bool = False) -> str:
    """JSON as the standard has it and every reader takes it: numbers that are not finite become ``null``.

    ASCII alone; `readable` leaves letters of all scripts as they are.
    """
    text = json.dumps(_finite(values), indent=indent, allow_nan=False, ensure_ascii=not readable)
    # Bytes of a file's name that are no text: escaped as JSON does it.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Add one object to a ``.jsonl`` file, by `json_text`, synced; what a kill left of a last line is cut off first.

    Raises:
        OSError: it cannot be written; the lines before it are as they were.
    """
    left = memoryview((json_text(values) + "\n").encode("utf-8"))
    with _naming(path), open_to_add(path) as file:
        _end_in_a_line(file)
        end = file.seek(0, os.SEEK_END)
        try:
            while left:
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            with suppress(OSError):  # the next one cuts it off
                file.truncate(end)
            raise


def lines_from_the_end(file: BinaryIO, most: int = 16 << 20) -> Iterator[tuple[int, bytes]]:
    """Where each line begins, and the line without its break, the last one first; of a long file the end alone is read.

    The file may be made shorter on the way, but not be added to. Of a line of more than `most` bytes, some of the last
    come.
    """
    start = file.seek(0, os.SEEK_END)
    pieces: list[bytes] = []  # of the line that is being read, the last one first
    length = 0
    ends = True  # the break that ends the file begins no line
    while start:
        before = max(start - _BLOCK, 0)
        file.seek(before)
        block = file.read(start - before)
        block = block.removesuffix(b"\n") if ends else block
        ends, start = False, before
        while (at := block.rfind(b"\n")) >= 0:
            yield before + at + 1, b"".join(reversed([*pieces, block[at + 1 :]]))
            pieces, length, block = [], 0, block[:at]
        if length < most:
            pieces.append(block)
            length += len(block)
    if pieces:
        yield 0, b"".join(reversed(pieces))


def remove_folder(path: Path) -> None:
    """Remove a folder, so that a removal cut short leaves nothing under its name; of a link, the link alone."""
    condemned = path.with_name(f".{path.name}.removing")
    _remove(condemned)
    _patiently(lambda: path.rename(condemned))
    _remove(condemned)


def tidy(folder: Path, *, folders: bool = False) -> None:
    """Remove what writers left in `folder` that were killed on the way; what is being written now stays.

    A name that a replacement was to take, and that a kill left to neither, goes back to who had it.

    Args:
        folders: remove those too; for whoever knows that nobody else writes any here.
    """
    with suppress(OSError):
        _give_back(folder)
    for left in [path for path in folder.glob(".*") if _LEFT.fullmatch(path.name)]:
        with suppress(OSError):  # gone by itself, or on Windows held by whoever writes it
            if left.is_symlink() or left.is_file():
                if left.is_symlink() or _forsaken(left):
                    left.unlink()
            elif folders:
                shutil.rmtree(left)


def sync(path: Path) -> None:
    """Flush a file or, where the system can, a folder's entries to the disk."""
    if _WINDOWS and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDWR if _WINDOWS else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finite(values: Any) -> Any:
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, Mapping):
        return {name: _finite(value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        return [_finite(value) for value in values]
    return values


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """A full disk names no file by itself, and what lies aside says nothing to anybody."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _aside(path: Path, doing: str) -> Path:
    """A name of its own, which exists for nobody else; the system gives what is made there the usual rights."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.{doing}")


def _give_back(folder: Path, name: str | None = None) -> None:
    """What was moved aside for a replacement that never came has its name again; of one name, or of all."""
    for replaced in folder.glob(".*.replaced"):
        left = _LEFT.fullmatch(replaced.name)
        if left and name in (None, left["name"]) and not os.path.lexists(folder / left["name"]):
            replaced.rename(folder / left["name"])


def _take_the_place_of(path: Path, aside: Path) -> None:
    if os.path.lexists(path) and _exchange(aside, path):
        return  # the old one lies aside now, and goes from there
    try:
        _patiently(lambda: aside.rename(path))
    except OSError:
        if not os.path.lexists(path):
            raise
        # No exchange on this file system: for an instant neither bears the name, and the old one lies beside it.
        replaced = _aside(path, "replaced")
        _patiently(lambda: path.rename(replaced))
        try:
            _patiently(lambda: aside.rename(path))
        except OSError:
            replaced.rename(path)
            raise
        with suppress(PermissionError):  # somebody still reads in it; it is hidden, and of no harm
            _remove(replaced)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        _patiently(path.unlink)
    elif path.exists():
        _patiently(lambda: shutil.rmtree(path))


def _patiently(change: Callable[[], object]) -> None:
    """Does it, and again for a while where it is forbidden because somebody has a file open."""
    begun, pause = time.monotonic(), 0.01
    while True:
        try:
            change()
        except PermissionError:
            if time.monotonic() - begun + pause > _PATIENCE:
                raise
        else:
            return
        time.sleep(pause)
        pause *= 2


def take(file: BinaryIO | int) -> bool:
    """Lock a file that is open, or its descriptor, until it is closed; the system forgets it with the process.

    Returns:
        False where somebody else holds it. A file system that knows no locks gives it to everybody.
    """
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):  # as POSIX says it, and as Windows does
        return False
    except OSError:  # better without than not at all
        return True
    return True


def _forsaken(path: Path) -> bool:
    """Whether nobody writes it: who does so holds it, and on Windows nobody removes what another has open."""
    if _WINDOWS:
        return True
    descriptor = os.open(path, os.O_RDONLY | _NO_LINK)
    try:
        return take(descriptor)
    finally:
        os.close(descriptor)


if os.name == "nt":
    import msvcrt

    _FAR = 1 << 30  # a region that nothing is written to: Windows forbids others to read what is locked

    def _lock(file: BinaryIO | int) -> None:
        descriptor = file if isinstance(file, int) else file.fileno()
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: BinaryIO | int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _end_in_a_line(file: BinaryIO) -> None:
    """Whatever follows the last line break of a ``.jsonl`` file becomes a line if it is whole, and else goes."""
    end = file.seek(0, os.SEEK_END)
    if not end or (file.seek(end - 1), file.read(1))[1] == b"\n":
        return
    begins, tail = next(lines_from_the_end(file))
    try:
        json.loads(tail)
    except ValueError:
        file.truncate(begins)
    else:
        file.write(b"\n")


class _Rename(Protocol):
    def __call__(self, one: bytes, other: bytes, /) -> int: ...


@cache
def _system_exchange() -> _Rename | None:
    """The system's call that gives two paths each other's names in one step; None where it has none."""
    library = ctypes.CDLL(None) if os.name == "posix" else None
    if sys.platform == "linux" and (rename := getattr(library, "renameat2", None)) is not None:
        return lambda one, other: int(rename(_HERE, one, _HERE, other, _EXCHANGE))
    if sys.platform == "darwin" and (rename := getattr(library, "renamex_np", None)) is not None:
        return lambda one, other: int(rename(one, other, _EXCHANGE))
    return None


def _exchange(one: Path, other: Path) -> bool:
    """Whether the two could be exchanged in one step, so that no moment is without either name."""
    call = _system_exchange()
    return call is not None and call(os.fsencode(one), os.fsencode(other)) == 0

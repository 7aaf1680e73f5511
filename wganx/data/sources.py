"""Where files lie: a folder, or a zip archive of one, listed and opened the same way."""

from __future__ import annotations

import io
import logging
import os
import stat
import struct
import threading
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Protocol

from wganx.data.limits import check_memory, check_unpacked, unpacking
from wganx.errors import DataError
from wganx.names import on_a_line
from wganx.stored import open_file

log = logging.getLogger(__name__)

_OTHER_ARCHIVES = (".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
_RUN_FILES = frozenset({"config.yaml", "run.json"})
_LOCAL_HEADER = struct.Struct("<26x2H")
_ENCRYPTED = 0x1


class Source(Protocol):
    """Files below a root, by their relative POSIX paths.

    `skipped_runs` holds the run folders of wganx that the last listing passed over, `folders` all others that it met.
    """

    skipped_runs: tuple[str, ...]
    folders: tuple[str, ...]

    def listing(self) -> Iterator[tuple[str, int, int]]:
        """Path, size and stamp of every file, in no particular order."""

    def read(self, path: str) -> bytes: ...

    def open(self, path: str) -> BinaryIO: ...

    def seeks_at_once(self, path: str) -> bool: ...

    def close(self) -> None: ...


class Folder:
    """A folder on the disk.

    The bytes of a name that is no UTF-8, and control characters such as a newline, are written out in its path
    (``caf\\xe9.png``), which can be shown, in one line, and stored.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.skipped_runs: tuple[str, ...] = ()
        self.folders: tuple[str, ...] = ()
        self._on_disk: dict[str, str] = {}

    def listing(self) -> Iterator[tuple[str, int, int]]:
        visited: set[tuple[int, int] | str] = set()
        runs: list[str] = []
        folders: list[str] = []
        for folder, subfolders, names in os.walk(self.root, followlinks=True, onerror=self._cannot_list):
            here = Path(folder).relative_to(self.root)
            if (known := _identity(folder)) in visited or self._leads_above(Path(folder), here):
                subfolders.clear()
                continue
            visited.add(known)
            if here.parts and (set(names) >= _RUN_FILES or _holds_runs(Path(folder), subfolders)):
                runs.append(self._shown(here.as_posix()))
                subfolders.clear()
                continue
            folders.append(self._shown(here.as_posix()))
            subfolders[:] = sorted(name for name in subfolders if not _hidden(name))
            below = "" if here == Path() else f"{here.as_posix()}/"
            for name in names:
                if not _hidden(name) and (facts := _size_and_time(Path(folder, name))) is not None:
                    yield self._shown(below + name), *facts
        self.skipped_runs = tuple(runs)
        self.folders = tuple(folders[1:])

    def read(self, path: str) -> bytes:
        with self.open(path) as file:
            size = os.fstat(file.fileno()).st_size
            check_memory(size, path)
            return file.read(size)  # and not to the end, which a file that grows has none of

    def open(self, path: str) -> BinaryIO:
        return open_file(self.root / self._on_disk.get(path, path))

    def seeks_at_once(self, path: str) -> bool:
        return True

    def close(self) -> None:
        pass

    def _shown(self, path: str) -> str:
        shown = on_a_line(path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
        if shown != path:
            self._on_disk[shown] = path
        return shown

    def _leads_above(self, folder: Path, here: PurePosixPath | Path) -> bool:
        """Whether it is a link to a folder in which the root itself lies, and with it much that nobody meant."""
        if not here.parts or not folder.is_symlink():
            return False
        real, top = os.path.realpath(folder), os.path.realpath(self.root)
        if not top.startswith(f"{real.rstrip(os.sep)}{os.sep}"):
            return False
        shown = self._shown(here.as_posix())
        log.warning("%s leads to %s, above the folder itself; nothing is read there", shown, real)
        return True

    def _cannot_list(self, error: OSError) -> None:
        if Path(error.filename) == self.root:
            raise DataError(f"{self.root} cannot be read: {error.strerror}; check its permissions") from error
        log.warning("the files in %s are left out: %s", error.filename, error.strerror)


class Archive:
    """A zip archive. One open handle a process: reading through it is safe from several threads, not across a fork.

    Backslashes in names, which some programs write against the standard, separate folders as slashes do. Control
    characters are written out, as those of a folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.skipped_runs: tuple[str, ...] = ()
        self.folders: tuple[str, ...] = ()
        self._in_archive: dict[str, str] = {}
        self._start()

    def _start(self) -> None:
        self._opening = threading.Lock()
        self._handle: zipfile.ZipFile | None = None
        self._owner = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_opening", "_handle", "_owner")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start()

    def listing(self) -> Iterator[tuple[str, int, int]]:
        try:
            entries = self._handle_here().infolist()
        except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise DataError(
                f"{self.root} is not a readable zip archive ({error}); pack or download it again"
            ) from error
        named: dict[str, zipfile.ZipInfo] = {}
        folders: set[str] = set()
        for entry in entries:
            path = PurePosixPath(on_a_line(entry.filename.replace("\\", "/").lstrip("/")))
            if any(map(_hidden, path.parts)):
                continue
            is_folder = entry.is_dir() or entry.filename.endswith("\\")
            folders.update(folder.as_posix() for folder in ((path, *path.parents) if is_folder else path.parents))
            if not is_folder:
                named[path.as_posix()] = entry
        self._in_archive = {path: entry.filename for path, entry in named.items() if path != entry.filename}
        self.skipped_runs = tuple(sorted(_runs_among(named)))
        below_a_run = tuple(f"{run}/" for run in self.skipped_runs)
        self.folders = tuple(sorted(f for f in folders - {".", *self.skipped_runs} if not f.startswith(below_a_run)))
        for name, entry in named.items():
            if not name.startswith(below_a_run):
                yield name, entry.file_size, entry.CRC

    def read(self, path: str) -> bytes:
        entry = self._entry(path)
        check_unpacked(entry, path)
        with unpacking(path), self._handle_here().open(entry) as file:
            # So many, or a stream that is longer than the directory says is unpacked by the gigabyte.
            return file.read(entry.file_size)

    def open(self, path: str) -> BinaryIO:
        entry = self._entry(path)
        with unpacking(path):
            if self.seeks_at_once(path):
                return io.BufferedReader(_Stored(self.root, entry))
            check_unpacked(entry, path)
            return self._handle_here().open(entry)  # type: ignore[return-value]  # a BinaryIO in all but name

    def seeks_at_once(self, path: str) -> bool:
        entry = self._entry(path)
        return entry.compress_type == zipfile.ZIP_STORED and not entry.flag_bits & _ENCRYPTED

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _entry(self, path: str) -> zipfile.ZipInfo:
        return self._handle_here().getinfo(self._in_archive.get(path, path))

    def _handle_here(self) -> zipfile.ZipFile:
        with self._opening:
            if self._handle is None or self._owner != os.getpid():
                self._handle, self._owner = zipfile.ZipFile(self.root), os.getpid()
            return self._handle


class _Stored(io.RawIOBase):
    """A member of an archive that is stored as it is, read from any place at once.

    `zipfile` reaches a later place by reading everything before it.
    """

    def __init__(self, archive: Path, entry: zipfile.ZipInfo) -> None:
        self._file = archive.open("rb", buffering=0)
        self._file.seek(entry.header_offset)
        head = self._file.read(_LOCAL_HEADER.size)
        if not head.startswith(b"PK\x03\x04") or len(head) < _LOCAL_HEADER.size:
            raise zipfile.BadZipFile("there is no file where the directory says")
        name, extra = _LOCAL_HEADER.unpack(head)
        self._begin, self._size, self._place = entry.header_offset + 30 + name + extra, entry.file_size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, base + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), max(0, self._size - self._place))
        self._file.seek(self._begin + self._place)
        got = self._file.readinto(memoryview(buffer)[:wanted])
        self._place += got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()


def source_at(path: Path) -> Source:
    """
    Raises:
        DataError: the path does not exist, or is neither a folder nor a zip archive.
    """
    if path.is_dir():
        return Folder(path)
    if not path.exists():
        nearest = next(parent for parent in path.absolute().parents if parent.exists())
        raise DataError(
            f"there is no folder or .zip archive at {path}; check the spelling (the path exists up to {nearest})"
        )
    if path.suffix.lower() == ".zip" and path.is_file():
        return Archive(path)
    mend = (
        "unpack it and give the folder"
        if path.suffix.lower() in _OTHER_ARCHIVES
        else f"give the folder that holds it, {path.parent}"
    )
    raise DataError(f"{path} is a single file, and a folder or a .zip archive is wanted; {mend}")


def _holds_runs(folder: Path, subfolders: Collection[str]) -> bool:
    """Whether this is a ``runs`` folder in which a run of wganx lies."""
    return folder.name == "runs" and any(
        all((folder / name / wanted).is_file() for wanted in _RUN_FILES) for name in subfolders
    )


def _runs_among(paths: Collection[str]) -> set[str]:
    """The topmost run folders, and ``runs`` folders that hold one, of a listing."""
    held: dict[PurePosixPath, set[str]] = {}
    for path in map(PurePosixPath, (path for path in paths if path.endswith(tuple(_RUN_FILES)))):
        held.setdefault(path.parent, set()).add(path.name)
    runs = {folder for folder, names in held.items() if folder.parts and names >= _RUN_FILES}
    runs |= {folder.parent for folder in runs if folder.parent.name == "runs"}
    return {folder.as_posix() for folder in runs if not runs.intersection(folder.parents)}


def _identity(folder: str) -> tuple[int, int] | str:
    """The same for a folder by whatever links it is reached."""
    try:
        status = Path(folder).stat()
    except OSError:
        return os.path.realpath(folder)
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(folder)


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _size_and_time(path: Path) -> tuple[int, int] | None:
    """None for what would block a reader: pipes, sockets, devices. A dead link is left for `read` to report."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None

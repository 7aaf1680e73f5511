"""A folder or a zip archive of one, read the same way."""

from __future__ import annotations

import logging
import os
import stat
import threading
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from wganx.data.layout import Layout, layout_of
from wganx.errors import DataError

log = logging.getLogger(__name__)

_OTHER_ARCHIVES = (".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")


class FileTree:
    """The files of a folder (any nesting) or of a ``.zip`` archive of one, by their relative paths.

    Hidden files and folders and ``__MACOSX`` are never looked at. Links are followed, each folder is read once, so a
    link that leads back up ends there. Pickles without its open archive, for workers that are spawned.

    Attributes:
        root: the folder or the archive.
        paths: relative POSIX paths of the files with one of the suffixes, sorted.
        sizes: bytes of each of them (unpacked); 0 for a link that leads nowhere.
        stamps: a number for each of them that is another when its content is: in a folder the time of its last
            modification in ns (0 for a link that leads nowhere), in an archive its checksum.
        skipped: how many other files there are, by suffix (``""`` for none).
        layout: which of the paths are for training, which are held out, and their classes.
    """

    def __init__(self, path: str | os.PathLike[str], suffixes: Iterable[str]) -> None:
        """Lists `path`. `suffixes` are the endings wanted, e.g. ``(".png", ".jpg")``, in any case.

        Raises:
            DataError: the path does not exist, is neither a folder nor a zip archive, cannot be read, or holds no
                file with one of the suffixes.
        """
        self.root = Path(path).expanduser()
        self.suffixes = tuple(sorted(suffix.lower() for suffix in suffixes))
        self._source = _source_at(self.root)
        wanted: dict[str, tuple[int, int]] = {}
        skipped: Counter[str] = Counter()
        for name, size, stamp in self._source.listing():
            if name.lower().endswith(self.suffixes):
                wanted[name] = size, stamp
            else:
                skipped[PurePosixPath(name).suffix.lower()] += 1
        if not wanted:
            raise DataError(_nothing_wanted(self.root, self.suffixes, skipped))
        self.paths = tuple(sorted(wanted))
        self.sizes: Mapping[str, int] = {name: wanted[name][0] for name in self.paths}
        self.stamps: Mapping[str, int] = {name: wanted[name][1] for name in self.paths}
        self.skipped: Mapping[str, int] = dict(sorted(skipped.items()))

    @cached_property
    def layout(self) -> Layout:
        return layout_of(self.paths)

    def read(self, path: str) -> bytes:
        """Content of one of `paths`.

        Raises:
            OSError, zipfile.BadZipFile, RuntimeError: the file cannot be read, is damaged or encrypted.
        """
        return self._source.read(path)

    def close(self) -> None:
        """Lets go of the archive; the next `read` opens it again."""
        self._source.close()


class _Source(Protocol):
    def listing(self) -> Iterator[tuple[str, int, int]]: ...

    def read(self, path: str) -> bytes: ...

    def close(self) -> None: ...


class _Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def listing(self) -> Iterator[tuple[str, int, int]]:
        visited: set[Path] = set()
        for folder, subfolders, names in os.walk(self.root, followlinks=True, onerror=self._cannot_list):
            real = Path(folder).resolve()
            if real in visited:
                subfolders.clear()
                continue
            visited.add(real)
            subfolders[:] = sorted(name for name in subfolders if not _hidden(name))
            for name in names:
                path = Path(folder, name)
                if not _hidden(name) and (facts := _size_and_time(path)) is not None:
                    yield path.relative_to(self.root).as_posix(), *facts

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def close(self) -> None:
        pass

    def _cannot_list(self, error: OSError) -> None:
        if Path(error.filename) == self.root:
            raise DataError(f"{self.root} cannot be read: {error.strerror}; check its permissions") from error
        log.warning("the files in %s are left out: %s", error.filename, error.strerror)


class _Archive:
    """One open handle a process: reading through it is safe from several threads, across a fork it is not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._start()

    def _start(self) -> None:
        self._opening = threading.Lock()
        self._handle: zipfile.ZipFile | None = None
        self._owner = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self.root}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.root = state["root"]
        self._start()

    def listing(self) -> Iterator[tuple[str, int, int]]:
        try:
            entries = self._open().infolist()
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            raise DataError(
                f"{self.root} is not a readable zip archive ({error}); pack or download it again"
            ) from error
        for entry in entries:
            if not entry.is_dir() and not any(map(_hidden, PurePosixPath(entry.filename).parts)):
                yield entry.filename, entry.file_size, entry.CRC

    def read(self, path: str) -> bytes:
        return self._open().read(path)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None

    def _open(self) -> zipfile.ZipFile:
        with self._opening:
            if self._handle is None or self._owner != os.getpid():
                self._handle, self._owner = zipfile.ZipFile(self.root), os.getpid()
            return self._handle


def _source_at(path: Path) -> _Source:
    if path.is_dir():
        return _Folder(path)
    if not path.exists():
        nearest = next(parent for parent in path.absolute().parents if parent.exists())
        raise DataError(
            f"there is no folder or .zip archive at {path}; check the spelling (the path exists up to {nearest})"
        )
    if path.suffix.lower() == ".zip" and path.is_file():
        return _Archive(path)
    mend = (
        "unpack it and give the folder"
        if path.suffix.lower() in _OTHER_ARCHIVES
        else f"give the folder that holds it, {path.parent}"
    )
    raise DataError(f"{path} is a single file, and a folder or a .zip archive is wanted; {mend}")


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _size_and_time(path: Path) -> tuple[int, int] | None:
    """None for what would block a reader: pipes, sockets, devices. A dead link is left for `read` to report."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return (status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _nothing_wanted(root: Path, suffixes: tuple[str, ...], skipped: Counter[str]) -> str:
    if not skipped:
        return f"{root} is empty; put files ending in {' or '.join(suffixes)} into it, or give another path"
    seen = ", ".join(f"{count} {suffix or 'without an ending'}" for suffix, count in skipped.most_common(8))
    return f"{root} holds no file ending in {' or '.join(suffixes)}; it holds {seen}"

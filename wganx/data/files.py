"""A folder or a zip archive of one, read the same way."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from wganx.data.layout import Layout, layout_of
from wganx.data.sources import source_at
from wganx.data.watchdog import Wait, answered
from wganx.errors import DataError
from wganx.names import at_home

log = logging.getLogger(__name__)


class FileTree:
    """The files of a folder (any nesting) or of a ``.zip`` archive of one, by their relative paths.

    Hidden files and folders and ``__MACOSX`` are never looked at. Links are followed, each folder is read once, so a
    link that leads back up ends there. Run folders of wganx below the root (they hold ``config.yaml`` and
    ``run.json``), and a folder ``runs`` in which such lie, are passed over, or a tool would train on its own pictures.
    Pickles without its open archive, for workers that are spawned.

    Attributes:
        root: the folder or the archive.
        paths: relative POSIX paths of the files with one of the suffixes, sorted.
        sizes: bytes of each of them (unpacked); 0 for a link that leads nowhere.
        stamps: a number for each of them that is another when its content is: in a folder the time of its last
            modification in ns (0 for a link that leads nowhere), in an archive its checksum.
        skipped: how many other files there are, by suffix (``""`` for none).
        skipped_runs: relative paths of the run folders that were passed over.
        mends: what would make files of an ending readable, by the ending.
        empty: relative paths of the folders in which, at any depth, none of `paths` lies.
        layout: which of the paths are for training, which are held out, and their classes.
    """

    mends: Mapping[str, str] = {}
    empty: Sequence[str] = ()

    def __init__(
        self, path: str | os.PathLike[str], suffixes: Iterable[str], mends: Mapping[str, str] | None = None
    ) -> None:
        """Lists `path`. `suffixes` are the endings wanted, e.g. ``(".png", ".jpg")``, in any case.

        `mends` says what would make files of other endings readable: ``{".heic": "pip install pillow-heif"}``.

        Raises:
            DataError: the path does not exist, is neither a folder nor a zip archive, cannot be read, or holds no
                file with one of the suffixes.
        """
        self.root = at_home(path)
        self.suffixes = tuple(sorted(suffix.lower() for suffix in suffixes))
        self.mends = dict(mends or {})
        wanted: dict[str, tuple[int, int]] = {}
        skipped: Counter[str] = Counter()
        with Wait(f"listing {self.root}"):
            self._source = source_at(self.root)
            for name, size, stamp in self._source.listing():
                answered()
                if name.lower().endswith(self.suffixes):
                    wanted[name] = size, stamp
                else:
                    skipped[PurePosixPath(name).suffix.lower()] += 1
        self.skipped_runs: Sequence[str] = self._source.skipped_runs
        if not wanted:
            raise DataError(_nothing_wanted(self.root, self.suffixes, skipped, self.skipped_runs, self.mends))
        if self.skipped_runs:
            _say_once(self.root, f"what lies in {_run_folders(self.skipped_runs)} is left out")
        self.paths = tuple(sorted(wanted))
        self.sizes: Mapping[str, int] = {name: wanted[name][0] for name in self.paths}
        self.stamps: Mapping[str, int] = {name: wanted[name][1] for name in self.paths}
        self.skipped: Mapping[str, int] = dict(sorted(skipped.items()))
        used = {folder for name in self.paths for folder in map(str, PurePosixPath(name).parents)}
        self.empty = tuple(folder for folder in self._source.folders if folder not in used)

    @cached_property
    def layout(self) -> Layout:
        return layout_of(self.paths, self.empty)

    def read(self, path: str) -> bytes:
        """Content of one of `paths`.

        Raises:
            OSError: the file cannot be read, or is none any more.
            DataError: it is damaged, encrypted, or larger than memory allows; or it is longer or shorter than when it
                was listed, so that something writes to it while it is learnt from.
        """
        content = self._source.read(path)
        self._check_size(path, len(content))
        return content

    def open(self, path: str) -> BinaryIO:
        """One of `paths` as a seekable stream of bytes, which the caller closes; in a folder its ``name`` is its path.

        Nothing is read whole. In an archive a place in a stored file is reached at once, and in a compressed one by
        unpacking all before it: sounds and films are better stored, since packing them gains nothing.

        Raises:
            OSError, DataError: as of `read`.
        """
        file = self._source.open(path)
        try:
            if self._source.seeks_at_once(path):
                self._check_size(path, file.seek(0, os.SEEK_END))
                file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    def seeks_at_once(self, path: str) -> bool:
        """Whether a place in the stream that `open` gives is reached without reading all before it."""
        return self._source.seeks_at_once(path)

    def _check_size(self, path: str, size: int) -> None:
        listed = self.sizes.get(path, size)
        if size != listed:
            raise DataError(
                f"{path} changed since it was listed: it had {listed:,} bytes and has {size:,}; leave the files alone "
                "while they are learnt from"
            )

    def close(self) -> None:
        """Lets go of the archive; the next `read` opens it again."""
        self._source.close()


@cache
def _say_once(root: Path, what: str) -> None:
    """Both splits list the same folder; whoever starts a training hears of it once."""
    log.warning("%s: %s", root, what)


def _run_folders(paths: Sequence[str]) -> str:
    named = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    return f"the run folder{'' if len(paths) == 1 else 's'} of wganx {named}"


def _nothing_wanted(
    root: Path, suffixes: tuple[str, ...], skipped: Counter[str], runs: Sequence[str], mends: Mapping[str, str]
) -> str:
    endings = " or ".join(suffixes)
    if runs:
        return (
            f"{root} holds no file ending in {endings} outside {_run_folders(runs)}, and what lies there is left out; "
            "give another path, or the very folder of the samples"
        )
    if not skipped:
        return f"{root} is empty; put files ending in {endings} into it, or give another path"
    seen = ", ".join(
        f"{count} {suffix or 'without an ending'}" + (f" ({mends[suffix]})" if suffix in mends else "")
        for suffix, count in skipped.most_common(8)
    )
    return f"{root} holds no file ending in {endings}; it holds {seen}"

"""LSUN as it is unpacked: for every category a database of encoded pictures for each split."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from wganx import DataContext, DataError, Items, MissingExtra, Split
from wganx.data import FileItems, FileTree, Layout
from wganx_image.configs.datasets import LsunConfig
from wganx_image.datasets.pictures import decode, stored_picture

_TOUCHED = 20_000
"""Records of a large database that are touched to see that it can be read."""
_WALK = """
import sys
import lmdb
environment = lmdb.open(sys.argv[1], readonly=True, lock=False, readahead=False)
with environment.begin(buffers=True) as transaction:
    step = max(transaction.stat()["entries"] // int(sys.argv[2]), 1)
    for number, (_, value) in enumerate(transaction.cursor()):
        if number % step == 0 and len(value):
            value[0], value[len(value) - 1]
"""
_WINDOWS_FAULTS = (0xC0000005, 0xC0000006)
"""How a process ends there that read where no memory is, or no file."""
_SUFFIX_OF: dict[Split, str] = {"train": "train", "heldout": "val"}


def open_lsun(config: LsunConfig, split: Split, context: DataContext) -> Items:
    """The scenes of `config.category`; its validation database is held out.

    Raises:
        MissingExtra: lmdb is not installed.
        DataError: the category's database for this split is missing, empty or damaged.
    """
    folder = config.root / f"{config.category}_{_SUFFIX_OF[split]}_lmdb"
    tree = _Database(folder, split)
    formats = {"sample": stored_picture(3, config.size)}
    return FileItems(tree, split, partial(decode, size=config.size, channels=3), formats)


class _Database(FileTree):
    """An LMDB folder read as if every record were a file named by its key."""

    def __init__(self, folder: Path, split: Split) -> None:
        lmdb = _lmdb()
        if not (folder / "data.mdb").is_file():
            raise DataError(
                f"no LSUN database at {folder} (its data.mdb is wanted); get the category from the dataset's own "
                "page, unpack it there, and set dataset.root and dataset.category"
            )
        self.root = folder
        _see_that_it_can_be_read(folder)
        try:
            with _opened(folder).begin(buffers=True) as transaction:  # the pictures themselves are not read
                sizes = {bytes(key).decode("ascii"): len(value) for key, value in transaction.cursor()}
        except (lmdb.Error, ValueError, OSError) as error:
            raise DataError(f"{folder} is no readable LMDB database ({error}); unpack it again") from error
        if not sizes:
            raise DataError(f"the LSUN database {folder} is empty; unpack it again")
        self.paths = keys = tuple(sizes)
        self.sizes = sizes
        self.skipped, self.skipped_runs = {}, ()
        self.stamps = dict.fromkeys(keys, (folder / "data.mdb").stat().st_mtime_ns)
        self.layout = Layout(
            train=keys if split == "train" else (),
            heldout=keys if split == "heldout" else (),
            classes=(),
            split_by_folder=True,
            outside=(),
            depth=0,
            how="as published",
        )

    def read(self, path: str) -> bytes:
        with _opened(self.root).begin() as transaction:
            return bytes(transaction.get(path.encode("ascii")))

    def open(self, path: str) -> BinaryIO:
        return io.BytesIO(self.read(path))

    def seeks_at_once(self, path: str) -> bool:
        return True

    def close(self) -> None:
        """Does nothing: other readers in this process may share the database."""


def _see_that_it_can_be_read(folder: Path) -> None:
    """Goes through the database in a process of its own: LMDB trusts its pages, and a damaged one ends who reads it.

    Raises:
        DataError: it ended that process.
    """
    _lmdb()  # or the extra that brings it is asked for
    walked = subprocess.run([sys.executable, "-c", _WALK, str(folder), str(_TOUCHED)], check=False, capture_output=True)
    if walked.returncode < 0 or walked.returncode in _WINDOWS_FAULTS:
        raise DataError(f"{folder} is a damaged LMDB database: its pages lead out of the file; unpack it again")


_environments: dict[tuple[int, Path], Any] = {}
_opening = threading.Lock()


def _opened(folder: Path) -> Any:
    """The one environment of this process: LMDB allows no second one, and none that came through a fork."""
    key = (os.getpid(), folder.resolve())
    with _opening:
        if key not in _environments:
            _environments[key] = _lmdb().open(str(folder), readonly=True, lock=False, readahead=False)
        return _environments[key]


def _lmdb() -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise MissingExtra('LSUN is kept in LMDB databases: pip install "wganx[lsun]" to read them') from error
    return lmdb

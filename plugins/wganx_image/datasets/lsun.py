"""LSUN as it is unpacked: for every category a database of encoded pictures for each split."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from wganx import DataError, Items, MissingExtra, Split
from wganx.data import FileItems, FileTree, Layout
from wganx_image.configs import LsunConfig
from wganx_image.datasets.pictures import decode, picture_format

_SUFFIX_OF: dict[Split, str] = {"train": "train", "heldout": "val"}


def open_lsun(config: LsunConfig, split: Split) -> Items:
    """The scenes of `config.category`; its validation database is held out.

    Raises:
        MissingExtra: lmdb is not installed.
        DataError: the category's database for this split is missing, empty or damaged.
    """
    folder = config.root / f"{config.category}_{_SUFFIX_OF[split]}_lmdb"
    tree = _Database(folder, split)
    return FileItems(tree, split, partial(decode, size=config.size, channels=3), picture_format(3, config.size))


class _Database(FileTree):
    """An LMDB folder read as if every record were a file named by its key; opened anew in every process."""

    def __init__(self, folder: Path, split: Split) -> None:
        lmdb = _lmdb()
        if not (folder / "data.mdb").is_file():
            raise DataError(
                f"no LSUN database at {folder} (its data.mdb is wanted); get the category from the dataset's own "
                "page, unpack it there, and set dataset.root and dataset.category"
            )
        self.root = folder
        self._environment: Any = None
        try:
            with self._opened().begin() as transaction:
                keys = tuple(key.decode("ascii") for key in transaction.cursor().iternext(values=False))
        except lmdb.Error as error:
            raise DataError(f"{folder} is no readable LMDB database ({error}); unpack it again") from error
        if not keys:
            raise DataError(f"the LSUN database {folder} is empty; unpack it again")
        self.paths = keys
        self.layout = Layout(
            train=keys if split == "train" else (),
            heldout=keys if split == "heldout" else (),
            classes=(),
            split_by_folder=True,
            outside=(),
            depth=0,
        )

    def read(self, path: str) -> bytes:
        with self._opened().begin() as transaction:
            return bytes(transaction.get(path.encode("ascii")))

    def close(self) -> None:
        if self._environment is not None:
            self._environment.close()
            self._environment = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_environment": None}

    def _opened(self) -> Any:
        if self._environment is None:
            self._environment = _lmdb().open(
                str(self.root), readonly=True, lock=False, readahead=False, max_readers=256
            )
        return self._environment


def _lmdb() -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise MissingExtra('LSUN is kept in LMDB databases: pip install "wganx[lsun]" to read them') from error
    return lmdb

"""Recordings that a table lists, with what it says of each."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileTree, Listing
from wganx_audio.configs.datasets import MENDS, SUFFIXES, TableConfig
from wganx_audio.datasets.recordings import fit_recordings, open_recordings

PATH, TEXT, SPLIT = "path", "text", "split"
_TABLES = (".csv", ".tsv", ".txt")
_SPLITS: dict[str, Split | None] = {
    "train": "train",
    "training": "train",
    "test": "heldout",
    "val": "heldout",
    "valid": "heldout",
    "validation": "heldout",
    "dev": "heldout",
    "heldout": "heldout",
    "": None,
}


def open_table(config: TableConfig, split: Split, context: DataContext) -> Items:
    """Windows of the recordings in the rows of a table.

    Raises:
        DataError: there is no such table, it has no column ``path``, or a file that it lists is missing.
    """
    listing = _listed(config)
    return open_recordings(config, split, context, listing.tree, listing, text=config.text)


def fit_table(config: TableConfig, context: DataContext) -> Mapping[str, Any]:
    """Rate and length that fit the recordings, and the symbols of the texts."""
    listing = _listed(config)
    return fit_recordings(config, listing.tree, listing, text=config.text)


def list_table(path: Path) -> Listing:
    """The recordings of a table, with their splits and labels."""
    return _listed(TableConfig(root=path))


def _listed(config: TableConfig) -> Listing:
    rows = _rows(config.root)
    columns = list(rows[0])
    if PATH not in columns:
        raise DataError(f"{config.root} has no column {PATH!r}; its columns: {', '.join(columns)}")
    if config.text and TEXT not in columns:
        raise DataError(f"{config.root} has no column {TEXT!r}, which dataset.text asks for; set dataset.text=false")
    labels = config.labels or tuple(name for name in columns if name not in (PATH, TEXT, SPLIT))
    if missing := [name for name in labels if name not in columns]:
        raise DataError(f"{config.root} has no column {missing[0]!r}; its columns: {', '.join(columns)}")
    folder = config.root.parent
    entries = {}
    for number, row in enumerate(rows, start=2):
        path = _below(folder, row[PATH], f"{config.root}, line {number}")
        named = row.get(SPLIT, "").strip().lower()
        if named not in _SPLITS:
            raise DataError(f"{config.root}, line {number}: a split is train or test, and not {row[SPLIT]!r}")
        entries[path] = Entry({name: row[name] for name in labels}, _SPLITS[named], text=row.get(TEXT, ""))
    tree = FileTree(folder, SUFFIXES, MENDS)
    return Listing(tree, entries, by=None if config.split == "auto" else config.split)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file() or path.suffix.lower() not in _TABLES:
        raise DataError(f"{path} is no table; dataset.root is to be a file ending in {', '.join(_TABLES)}")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not in UTF-8 ({error.reason}); save it in that encoding") from error
    head = content.partition("\n")[0]
    delimiter = max("\t,;|", key=head.count)
    rows = list(csv.DictReader(io.StringIO(content), delimiter=delimiter))
    if not rows:
        raise DataError(f"{path} has no rows below its first line, which is to name the columns")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise DataError(f"{path}, line {number}: it has another number of cells than the first line")
    return rows


def _below(folder: Path, given: str, where: str) -> str:
    """A path of the table relative to its folder."""
    path = given.replace("\\", "/")
    if Path(path).is_absolute():
        try:
            path = Path(path).relative_to(folder.absolute()).as_posix()
        except ValueError:
            raise DataError(f"{where}: {given} does not lie below {folder}; move the table above its files") from None
    return PurePosixPath(path).as_posix()

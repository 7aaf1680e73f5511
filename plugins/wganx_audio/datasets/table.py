"""Recordings that a table lists, with what it says of each."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileTree, Listing
from wganx_audio.configs.datasets import MENDS, SUFFIXES, TableConfig
from wganx_audio.datasets.recordings import fit_recordings, open_recordings

PATH, TEXT, SPLIT = "path", "text", "split"
_DRIVE = re.compile("[A-Za-z]:/")
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
        raise DataError(
            f"{config.root} has no column {PATH!r}; its columns: {', '.join(columns)}; its first line is to name them, "
            f"that of the files {PATH}"
        )
    if config.text and TEXT not in columns:
        raise DataError(f"{config.root} has no column {TEXT!r}, which dataset.text asks for; set dataset.text=false")
    labels = config.labels or tuple(name for name in columns if name not in (PATH, TEXT, SPLIT))
    if missing := [name for name in labels if name not in columns]:
        raise DataError(f"{config.root} has no column {missing[0]!r}; its columns: {', '.join(columns)}")
    tree = FileTree(config.root.parent, SUFFIXES, MENDS)
    entries: dict[str, Entry] = {}
    for number, row in enumerate(rows, start=2):
        where = f"{config.root}, line {number}"
        path = _below(tree, row[PATH], where)
        named = row.get(SPLIT, "").lower()
        if named not in _SPLITS:
            raise DataError(f"{where}: a split is train or test, and not {row[SPLIT]!r}")
        if unsaid := [name for name in labels if not row[name]]:
            raise DataError(f"{where}: {path} has no {unsaid[0]}; give it one, or take the line out")
        entry = Entry({name: row[name] for name in labels}, _SPLITS[named], text=row.get(TEXT, ""))
        if entries.setdefault(path, entry) != entry:
            raise DataError(f"{where}: {path} is listed a second time, and not as before; take one of the lines out")
    return Listing(tree, entries, by=None if config.split == "auto" else config.split)


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows by the names of their columns, without the spaces around names and cells."""
    if not path.is_file() or path.suffix.lower() not in _TABLES:
        raise DataError(f"{path} is no table; dataset.root is to be a file ending in {', '.join(_TABLES)}")
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not in UTF-8 ({error.reason}); save it in that encoding") from error
    head = content.partition("\n")[0]
    delimiter = max("\t,;|", key=head.count)
    # Between bars, as in LJSpeech, a quotation mark is one of the text's.
    read = csv.reader(
        io.StringIO(content),
        delimiter=delimiter,
        skipinitialspace=True,
        quoting=csv.QUOTE_NONE if delimiter == "|" else csv.QUOTE_MINIMAL,
    )
    try:
        names, *lines = read if content else [[]]
    except csv.Error as error:
        raise DataError(
            f"{path}, line {read.line_num}: {error}; a quotation mark that is not closed takes in all that follows"
        ) from error
    columns = [_column(name.strip()) for name in names]
    rows = []
    for number, cells in enumerate(lines, start=2):
        if len(cells) not in (0, len(columns)):
            raise DataError(f"{path}, line {number}: it has another number of cells than the first line")
        if cells:
            rows.append(dict(zip(columns, (cell.strip() for cell in cells))))
    if not rows:
        raise DataError(f"{path} has no rows below its first line, which is to name the columns")
    return rows


def _column(name: str) -> str:
    """A name; those that say something here are known however they are written."""
    return name.lower() if name.lower() in (PATH, TEXT, SPLIT) else name


def _below(tree: FileTree, given: str, where: str) -> str:
    """A path of the table relative to its folder.

    Raises:
        DataError: it does not lie below that folder, or is not there.
    """
    path = given.replace("\\", "/")
    if Path(path).is_absolute() or _DRIVE.match(path):
        try:
            path = Path(path).relative_to(tree.root.absolute()).as_posix()
        except ValueError:
            raise DataError(
                f"{where}: {given} does not lie below {tree.root}; move the table above its files, and write paths "
                "from there"
            ) from None
    path = PurePosixPath(path).as_posix()
    if path in tree.sizes:
        return path
    if endings := sorted(suffix for suffix in SUFFIXES if f"{path}{suffix}" in tree.sizes):
        raise DataError(f"{where}: {path} is {path}{endings[0]} in {tree.root}; write the ending, too")
    raise DataError(f"{where}: there is no sound {path} in {tree.root}; correct the line, or take it out")

"""How a corpus is stated: where it may lie, what it looks like there, and what its paths and tables say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileTree, Listing
from wganx_audio.configs.datasets import CorpusConfig
from wganx_audio.datasets.recordings import fit_recordings, keep_only, open_recordings


@dataclass(frozen=True)
class Corpus:
    """A corpus on the disk.

    Attributes:
        title: its name.
        folders: what its own folder is usually called; it is looked for below the folder that was named.
        example: path of one of its recordings, as they are expected.
        read: ``(tree, with texts) -> {path: Entry}`` says what its recordings are.
        suffixes: endings of its recordings.
        tables: endings of the files that say something of them.
    """

    title: str
    folders: tuple[str, ...]
    example: str
    read: Callable[[FileTree, bool], Mapping[str, Entry]]
    suffixes: tuple[str, ...] = (".wav",)
    tables: tuple[str, ...] = ()

    def open(self, config: CorpusConfig, split: Split, context: DataContext) -> Items:
        """Windows of a split's recordings.

        Raises:
            DataError: the corpus is not there; says what is expected where.
        """
        listing = self._listing(config)
        return open_recordings(config, split, context, listing.tree, listing, text=config.text)

    def fit(self, config: CorpusConfig, context: DataContext) -> Mapping[str, Any]:
        """Rate and length that fit the recordings, and the symbols of the texts."""
        listing = self._listing(config)
        return fit_recordings(config, listing.tree, listing, text=config.text)

    def listing(self, path: Path) -> Listing:
        """Its files below a path, with their splits and labels."""
        return self._listing(CorpusConfig(root=path))

    def _listing(self, config: CorpusConfig) -> Listing:
        root = next((place for name in self.folders if (place := config.root / name).is_dir()), config.root)
        try:
            tree = FileTree(root, (*self.suffixes, *self.tables))
        except DataError as error:
            raise DataError(f"{self._missing(root)} ({error})") from error
        entries = self.read(tree, config.text)
        if not entries:
            raise DataError(self._missing(root))
        tree.paths = tuple(path for path in tree.paths if path.lower().endswith(self.suffixes))
        kept = keep_only(entries, config.only)
        return Listing(tree, kept, by=None if config.split == "auto" else config.split)

    def _missing(self, root: Path) -> str:
        return (
            f"no {self.title} in {root}: files such as {self.example} are wanted there; get it from its own page, "
            "unpack it, and set dataset.root to its folder"
        )


def matching(tree: FileTree, pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    """The files whose path ends with `pattern`, at the begin of a folder's name; that of the tree's root counts."""
    wanted = re.compile(f"(?:^|/){pattern}$")
    for path in tree.paths:
        if (found := wanted.search(f"{tree.root.name}/{path}")) is not None:
            yield path, found


def text_of(tree: FileTree, path: str) -> str:
    """A file of text: UTF-8, or UTF-16 where it says so, or else GB 18030 as older Chinese ones."""
    content = tree.read(path)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("gb18030", errors="replace")


def lines_of(tree: FileTree, path: str) -> list[str]:
    """The lines of a file of text that are not empty."""
    # Not by `splitlines`, which parts sentences at separators that people paste into them.
    return [line.rstrip("\r") for line in text_of(tree, path).split("\n") if line.strip()]

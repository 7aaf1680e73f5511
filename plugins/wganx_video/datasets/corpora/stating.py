"""How a data set is stated: where it may lie, what it looks like there, and what its paths and lists say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileTree, Listing
from wganx_video.configs.datasets import CorpusConfig
from wganx_video.datasets.film_items import Twin, fit_films, open_films
from wganx_video.datasets.film_tree import FilmTree, Group


@dataclass(frozen=True)
class Corpus:
    """A data set on the disk.

    Attributes:
        title: its name.
        folders: what its own folder is usually called; it is looked for below the folder that was named.
        example: what lies there, as it is expected.
        read: ``(tree, config) -> {path: Entry}`` says what its films are.
        config: its options.
        tables: endings of the files that say something of them.
        group: which pictures are the frames of which film, where that is not by folders.
        twin: ``(tree, paths) -> Twin`` where smaller frames are, or None where they are not there.
        only_tried_on: nothing of it is for training.
    """

    title: str
    folders: tuple[str, ...]
    example: str
    read: Callable[[FilmTree, Any], Mapping[str, Entry]]
    config: type[CorpusConfig]
    tables: tuple[str, ...] = ()
    group: Group | None = None
    twin: Callable[[FilmTree, Mapping[str, Entry]], Twin | None] | None = None
    only_tried_on: bool = False

    def open(self, config: CorpusConfig, split: Split, context: DataContext) -> Items:
        """Clips of a split's films.

        Raises:
            DataError: the data set is not there; says what is expected where.
        """
        if self.only_tried_on and split == "train":
            raise DataError(
                f"nothing of {self.title} is to learn from: it is published to be tried on; train on other films, and "
                "measure the run on these: wganx evaluate RUN --dataset NAME --data FOLDER"
            )
        listing, twin = self._listing(config)
        return open_films(config, split, context, listing.tree, listing, twin=twin)  # type: ignore[arg-type]

    def fit(self, config: CorpusConfig, context: DataContext) -> Mapping[str, Any]:
        """Size, channels and rate that fit the films."""
        listing, _ = self._listing(config)
        return fit_films(config, listing.tree, listing)  # type: ignore[arg-type]

    def listing(self, path: Path) -> Listing:
        """Its films below a path, with their splits and labels."""
        return self._listing(self.config(root=path))[0]

    def _listing(self, config: CorpusConfig) -> tuple[Listing, Twin | None]:
        root = next((place for name in self.folders if (place := config.root / name).is_dir()), config.root)
        inside = ""
        if self.twin is not None and _small_one_beside(root):
            root, inside = root.absolute().parent, f"{root.absolute().name}/"
        try:
            tree = FilmTree(root, self.tables, self.group)
        except DataError as error:
            raise DataError(f"{self._missing(root)} ({error})") from error
        entries = {path: entry for path, entry in self.read(tree, config).items() if path.startswith(inside)}
        if not entries:
            raise DataError(self._missing(root))
        twin = None if self.twin is None else self.twin(tree, entries)
        if twin is not None:
            smaller = {path: twin.of(path) for path in entries}
            entries = {path: replace(entry, beside=tuple({smaller[path]} - {path})) for path, entry in entries.items()}
        if self.tables:
            tree.paths = tuple(path for path in tree.paths if not path.lower().endswith(self.tables))
        listing = Listing(tree, entries)
        if self.only_tried_on:
            listing.layout = replace(listing.layout, train=(), heldout=tuple(listing.entries), how="as published")
        return listing, twin

    def _missing(self, root: Path) -> str:
        return (
            f"no {self.title} in {root}: {self.example} is wanted there; get it from its own page, unpack it, and set "
            "dataset.root to its folder"
        )


def _small_one_beside(folder: Path) -> bool:
    """Whether ``folder_LRx4`` or the like, which many tools expect beside a folder, is there."""
    if not folder.is_dir():
        return False
    small = re.compile(re.escape(folder.absolute().name) + r"_\w*[xX][2348]")
    return any(small.fullmatch(other.name) and other.is_dir() for other in folder.absolute().parent.iterdir())


def matching(tree: FileTree, pattern: str) -> Iterator[tuple[str, re.Match[str]]]:
    """The films whose path ends with `pattern`, at the begin of a folder's name; that of the tree's root counts."""
    wanted = re.compile(f"(?:^|/){pattern}$")
    for path in tree.paths:
        if (found := wanted.search(f"{tree.root.name}/{path}")) is not None:
            yield path, found


def lines_of(tree: FileTree, path: str) -> list[str]:
    """The lines of a list that are not empty."""
    text = tree.read(path).decode("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]

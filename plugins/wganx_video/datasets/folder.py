"""Films of one's own in a folder or a zip archive: files, folders of frames, arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from wganx import ConfigError, DataContext, Items, Split
from wganx.data import Entry, Listing
from wganx_video.configs.datasets import FolderConfig
from wganx_video.datasets.film_items import Twin, fit_films, open_films
from wganx_video.datasets.film_tree import FilmTree

_HIGH, _LOW = "high/", "low/"
_SPLITS: Mapping[str, Split] = {"train": "train", "test": "heldout", "val": "heldout", "heldout": "heldout"}


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    """Clips of the films below `config.root`, split by folders ``train`` and ``test`` where there are both.

    Where folders ``high`` and ``low`` are all there is, each clip of ``high`` has the same of ``low`` beside it.

    Raises:
        DataError: the folder is missing, or holds too few films for the split.
    """
    tree = FilmTree(config.root)
    if (pairs := _pairs(tree)) is None:
        return open_films(config, split, context, tree, None, label="label" if config.labels else None)
    if config.fit != "cut":
        raise ConfigError(
            f"{config.root} holds pairs in its folders high and low, and what is resized would be none: set "
            "dataset.fit=cut, and dataset.size to the part that is to be cut out"
        )
    return open_films(config, split, context, tree, pairs, twin=Twin(((_HIGH, _LOW),)))


def fit_folder(config: FolderConfig, context: DataContext) -> Mapping[str, Any]:
    """Size, channels, rate and range that fit the films."""
    tree = FilmTree(config.root)
    return fit_films(config, tree, _pairs(tree))


def list_folder(path: Path) -> Listing:
    """The films below a path, with their splits, and their class folders."""
    tree = FilmTree(path)
    if (pairs := _pairs(tree)) is not None:
        return pairs
    layout = tree.layout
    entries = {
        path: Entry({"label": str(layout.class_of(path))} if layout.classes else {}, split)
        for split in _BOTH
        for path in layout.files(split)
    }
    listing = Listing(tree, entries)
    listing.layout = replace(layout, classes=())
    return listing


_BOTH: tuple[Split, Split] = ("train", "heldout")


def _pairs(tree: FilmTree) -> Listing | None:
    """The films of ``high``, where there are but these and those of ``low``."""
    high = [path for path in tree.paths if path.startswith(_HIGH)]
    low = [path for path in tree.paths if path.startswith(_LOW)]
    if not (high and low) or len(high) + len(low) < len(tree.paths):
        return None
    return Listing(tree, {path: Entry(split=_SPLITS.get(path.split("/")[1].lower())) for path in high})

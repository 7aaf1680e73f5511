"""Films of one's own in a folder or a zip archive: files, folders of frames, arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wganx import ConfigError, DataContext, Items, Split
from wganx.data import Entry, Listing
from wganx_video.configs.datasets import FolderConfig
from wganx_video.datasets.film_items import Twin, fit_films, open_films
from wganx_video.datasets.film_tree import FilmTree

_HIGH, _LOW = ("high", "hr", "gt"), ("low", "lr", "lq")
"""Names of folders that hold pairs, in any case."""
_SPLITS: Mapping[str, Split] = {"train": "train", "test": "heldout", "val": "heldout", "heldout": "heldout"}


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    """Clips of the films below `config.root`, split by folders ``train`` and ``test`` where there are both.

    Where folders ``high`` and ``low`` (or HR and LR, GT and LQ) are all there is, each clip has that of ``low`` beside
    it.

    Raises:
        DataError: the folder is missing, or holds too few films for the split.
    """
    tree = FilmTree(config.root)
    if (pairs := _pairs(tree)) is None:
        return open_films(config, split, context, tree, None, label="label" if config.labels else None)
    if config.fit != "cut":
        raise ConfigError(
            f"{config.root} holds pairs in its folders {' and '.join(_tops(tree))}, and what is resized would be none: "
            "set dataset.fit=cut, and dataset.size to the part that is to be cut out"
        )
    high, low = _tops(tree)
    return open_films(config, split, context, tree, pairs, twin=Twin(((f"{high}/", f"{low}/"),)))


def fit_folder(config: FolderConfig, context: DataContext) -> Mapping[str, Any]:
    """Size, channels, rate and range that fit the films."""
    tree = FilmTree(config.root)
    return fit_films(config, tree, _pairs(tree))


def list_folder(path: Path) -> Listing:
    """The films below a path, split as the training does, with their class folders."""
    tree = FilmTree(path)
    if (pairs := _pairs(tree)) is not None:
        return pairs
    listing = Listing(tree, dict.fromkeys((*tree.layout.train, *tree.layout.heldout), Entry()))
    listing.layout = tree.layout
    return listing


def _pairs(tree: FilmTree) -> Listing | None:
    """The films of ``high``, where there are but these and those of ``low``."""
    high, low = _tops(tree)
    if not (high and low):
        return None
    paths = (path for path in tree.paths if path.startswith(f"{high}/"))
    twin = Twin(((f"{high}/", f"{low}/"),))
    named = {path: _SPLITS.get(path.split("/")[1].lower()) for path in paths}
    return Listing(tree, {path: Entry(split=split, beside=(twin.of(path),)) for path, split in named.items()})


def _tops(tree: FilmTree) -> tuple[str, str]:
    """The folders of large and of small films; empty where the films lie elsewhere, too."""
    tops = sorted(
        {path.split("/")[0] if "/" in path else "" for path in tree.paths}, key=lambda top: top.lower() in _LOW
    )
    if len(tops) == 2 and tops[0].lower() in _HIGH and tops[1].lower() in _LOW:
        return tops[0], tops[1]
    return "", ""

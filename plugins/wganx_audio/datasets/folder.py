"""Recordings in a folder or a zip archive, with class folders of one or several levels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileTree, Listing
from wganx_audio.configs.datasets import MENDS, SUFFIXES, FolderConfig
from wganx_audio.datasets.recordings import fit_recordings, open_recordings


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    """Windows of the recordings below `config.root`, split by folders ``train`` and ``test`` where there are both.

    Raises:
        DataError: the folder is missing, or holds too few recordings for the split.
    """
    tree = _tree(config)
    return open_recordings(config, split, context, tree, _listed(config, tree), label=config.levels[0])


def fit_folder(config: FolderConfig, context: DataContext) -> Mapping[str, Any]:
    """Rate and length that fit the recordings."""
    tree = _tree(config)
    return fit_recordings(config, tree, _listed(config, tree))


def _tree(config: FolderConfig) -> FileTree:
    if config.root.is_file() and config.root.suffix.lower() in (".csv", ".tsv"):
        raise DataError(f"{config.root} is a table of recordings; read it by --set dataset.name=table")
    return FileTree(config.root, SUFFIXES, MENDS)


def _listed(config: FolderConfig, tree: FileTree) -> Listing | None:
    """What folders of several levels say, or those of one that is to be split by; None for what the core reads."""
    if len(config.levels) == 1 and config.split == "auto":
        return None
    layout = tree.layout
    train = frozenset(layout.train)
    entries = {}
    for path in (*layout.train, *layout.heldout):
        folders = PurePosixPath(path).parts[layout.depth : -1]
        if len(folders) < len(config.levels):
            raise DataError(
                f"{Path(tree.root, path)} lies in {len(folders)} folder{'s' * (len(folders) != 1)}, and "
                f"dataset.levels names {len(config.levels)}: {', '.join(config.levels)}"
            )
        entries[path] = Entry(dict(zip(config.levels, folders)), "train" if path in train else "heldout")
    return Listing(tree, entries, by=None if config.split == "auto" else config.split)

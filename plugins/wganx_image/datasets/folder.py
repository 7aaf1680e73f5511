"""Pictures in a folder or a zip archive."""

from __future__ import annotations

from functools import partial

from wganx import DataContext, Items, Split
from wganx.data import FileItems, FileTree
from wganx_image.configs import SUFFIXES, FolderConfig
from wganx_image.datasets.pictures import decode, stored_picture


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    """The pictures below `config.root`; folders ``train`` and ``test`` are the splits where both are there.

    Raises:
        DataError: the folder is missing, or holds too few pictures for the split.
    """
    return FileItems(
        FileTree(config.root, SUFFIXES),
        split,
        partial(decode, size=config.size, channels=config.channels),
        {"sample": stored_picture(config.channels, config.size)},
    )

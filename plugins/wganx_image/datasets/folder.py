"""Pictures in a folder or a zip archive."""

from __future__ import annotations

from functools import partial

from wganx import DataContext, Items, Split
from wganx.data import FileItems, FileTree
from wganx_image.configs.datasets import MENDS, SUFFIXES, FolderConfig
from wganx_image.datasets.looking import look
from wganx_image.datasets.pictures import decode, stored_picture


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    """The pictures below `config.root`; folders ``train`` and ``test`` are the splits where both are there.

    Raises:
        DataError: the folder is missing, or holds too few pictures for the split.
    """
    tree = FileTree(config.root, SUFFIXES, MENDS)
    seen = look(tree, config.size)
    bits = seen.bits if config.bits == "auto" else config.bits
    items = FileItems(
        tree,
        split,
        partial(decode, size=config.size, channels=config.channels, bits=bits),
        {"sample": stored_picture(config.channels, config.size)},
    )
    items.details = seen.details
    items.remarks = (*seen.remarks, *(seen.remarks_on_bits if config.bits == "auto" else ()))
    return items

"""Pictures in a folder or a zip archive."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import cast

from wganx import DataContext, DataError, Items, Split
from wganx.data import FileItems, FileTree
from wganx_image.configs.datasets import MENDS, SUFFIXES, FolderConfig
from wganx_image.datasets.looking import headers, look
from wganx_image.datasets.pictures import decode, stored_picture
from wganx_image.datasets.suiting import fitting_size

_FITTED = "folder_px"
_PUBLISHED = {"train-images-idx3-ubyte": "mnist", "train-images-idx3-ubyte.gz": "mnist", "data_batch_1": "cifar10"}
"""Files by which a dataset is known that is no folder of pictures, and its name."""


def fit_folder(config: FolderConfig, context: DataContext) -> Mapping[str, int]:
    """The size of the samples, by the pictures and by the device that is to learn from them.

    Raises:
        DataError: the folder is missing, or holds a published dataset in a form of its own.
    """
    if config.size != "auto":
        return {_FITTED: config.size}
    size, _ = fitting_size([min(each) for each in headers(_tree(config)).sizes], context.device)
    return {_FITTED: size}


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> Items:
    """The pictures below `config.root`; folders ``train`` and ``test`` are the splits where both are there.

    Raises:
        DataError: the folder is missing, or holds too few pictures for the split.
    """
    tree = _tree(config)
    size = cast(int, (context.fitted or fit_folder(config, context))[_FITTED])
    seen = look(tree, size, config.crop)
    bits = seen.bits if config.bits == "auto" else config.bits
    read = partial(decode, size=size, channels=config.channels, bits=bits)
    if config.crop != "square":  # which packs of decoded pictures have held since before there was a choice
        read = partial(read, crop=config.crop)
    items = FileItems(tree, split, read, {"sample": stored_picture(config.channels, size)})
    items.details = seen.details
    items.remarks = (*seen.remarks, *(seen.remarks_on_bits if config.bits == "auto" else ()))
    return items


def _tree(config: FolderConfig) -> FileTree:
    for file, name in _PUBLISHED.items():
        if (config.root / file).is_file():
            name = "fashion-mnist" if "FashionMNIST" in config.root.absolute().parts else name
            raise DataError(f"{config.root} holds no pictures but the files of {name}; add --set dataset.name={name}")
    return FileTree(config.root, SUFFIXES, MENDS)

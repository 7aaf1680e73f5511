"""Pictures in tar shards as WebDataset writes them: ``000000.jpg`` beside ``000000.cls``, ``.json`` or ``.txt``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileItems, Listing
from wganx_image.configs.datasets import SUFFIXES, WebDatasetConfig
from wganx_image.datasets.pictures import decode, stored_picture
from wganx_image.datasets.shards import ShardTree

_TRAIN, _HELDOUT = re.compile(r"(?<![a-z])train"), re.compile(r"(?<![a-z])(val|test|eval|heldout)")
_TEXTS = ("cls", "txt")


def open_webdataset(config: WebDatasetConfig, split: Split, context: DataContext) -> Items:
    """The pictures of all shards. Shards named train and val or test are the splits; otherwise a tenth is held out.

    Raises:
        DataError: a shard is missing, none holds pictures, or a label is not there or not in all samples.
    """
    listing = _listing(config.root, config.labels)
    assert isinstance(listing.tree, ShardTree)
    items = FileItems(
        listing.tree,
        split,
        partial(decode, size=config.size, channels=config.channels),
        {"sample": stored_picture(config.channels, config.size)},
        listing=listing,
    )
    items.remarks = (*listing.tree.cut_short.values(), *_left_out(listing.tree))
    return items


def list_webdataset(path: Path) -> Listing:
    """The pictures at a path, with their splits and the class that each has beside it."""
    return _listing(path, "auto")


def _listing(root: Path, labels: Sequence[str] | str) -> Listing:
    tree = ShardTree(root, SUFFIXES)
    if labels == "auto":
        labels = ("cls",) if all("cls" in tree.samples[path] for path in tree.paths) else ()
    entries = {path: Entry(_labels(tree, path, labels), _split(path)) for path in tree.paths}
    return Listing(tree, entries)


def _left_out(tree: ShardTree) -> list[str]:
    """Several pictures in a sample are meant at times, and at times a dot in a name is none that ends it."""
    if not tree.left_out:
        return []
    return [
        f"{len(tree.left_out):,} of the pictures left out, {tree.left_out[0]} first: another has the same name up to "
        "its first dot, and a sample has one; where these are samples of their own, write their names without that dot"
    ]


def _split(path: str) -> Split | None:
    shard = path.lower().partition(".tar/")[0]
    if _TRAIN.search(shard):
        return "train"
    return "heldout" if _HELDOUT.search(shard) else None


def _labels(tree: ShardTree, path: str, names: Sequence[str]) -> dict[str, str]:
    if not names:
        return {}
    told = _json(tree, path) if any(name not in _TEXTS for name in names) else {}
    found = {}
    for name in names:
        if name in _TEXTS:
            if name not in tree.samples[path]:
                raise DataError(f"{path} has no .{name} beside it; dataset.labels wants one for every picture")
            found["label" if name == "cls" else name] = tree.beside(path, name).decode("utf-8", "replace").strip()
        elif isinstance(value := told.get(name), str | int | bool):
            found[name] = str(value).strip()
        else:
            there = ", ".join(key for key, value in told.items() if isinstance(value, str | int | bool))
            raise DataError(
                f"dataset.labels: {PurePosixPath(path).with_suffix('.json')} has no {name!r} that is a word or a whole "
                f"number; it has: {there or 'none'}"
            )
    return found


def _json(tree: ShardTree, path: str) -> Mapping[str, object]:
    if "json" not in tree.samples[path]:
        return {}
    try:
        told = json.loads(tree.beside(path, "json"))
    except ValueError as error:
        raise DataError(
            f"{PurePosixPath(path).with_suffix('.json')} is no JSON ({error}); mend or remove it"
        ) from error
    return told if isinstance(told, dict) else {}

"""Items decoded once: a file for each tensor, mapped into memory, in the cache folder."""

from __future__ import annotations

import json
import logging
import math
import mmap
import os
import shutil
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from wganx.data.cache import mark_used, only_one, tidy
from wganx.data.decoded import DecodedItems
from wganx.data.decoding import decode_all
from wganx.data.identity import SCHEMA, Identity, Unidentified, content_of, identify
from wganx.data.items import ArrayItems, Items, describe, reason_of
from wganx.data.threads import thread_count
from wganx.data.watchdog import Wait, answered, read_item
from wganx.errors import DataError
from wganx.places import cache_folder
from wganx.storage import whole_folder, write_whole

if TYPE_CHECKING:
    from torch import Tensor

    from wganx.batch import SampleFormat

log = logging.getLogger(__name__)

WORTH_SECONDS = 10.0
"""Items that decode faster than this are decoded at every start and leave nothing on the disk."""
SHARE_OF_DISK = 0.5
"""A pack may take this share of what is free on the cache's disk."""
_SAMPLES = 8
_HEADER = "header.json"

Sampled = dict[int, dict[str, "Tensor"] | None]


class PackedItems(ArrayItems):
    """Decoded items that are mapped from a pack; equal to the `DecodedItems` they were made of, item by item.

    Nothing may be written to `tensors`, which are the pack itself; items and gathered rows are copies.

    Attributes:
        folder: where the pack lies.
        unreadable: reason by name of the items that could not be read when it was made; each row of theirs holds
            the next readable one.
    """

    def __init__(
        self,
        folder: Path,
        tensors: Mapping[str, Tensor],
        formats: Mapping[str, SampleFormat],
        unreadable: Mapping[str, str],
        maps: Mapping[str, mmap.mmap],
    ) -> None:
        super().__init__(tensors, formats)
        self.folder = folder
        self.unreadable = dict(unreadable)
        self._maps = maps

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in super().__getitem__(index).items()}

    def announce(self, rows: Sequence[int]) -> None:
        """Tells the system which rows are about to be read, so that the disk works on all of them at once.

        Without it each is waited for in turn, and much around it is read that may never be used.
        """
        advice = getattr(mmap, "MADV_WILLNEED", None)
        if advice is None:  # this platform takes no advice
            return
        for name, mapped in self._maps.items():
            size = self.tensors[name][0].nbytes
            if size < mmap.PAGESIZE // 2:  # neighbours share pages, and the whole is small
                continue
            for row in rows:
                start = row * size // mmap.PAGESIZE * mmap.PAGESIZE
                mapped.madvise(advice, start, (row + 1) * size - start)


def packed(items: Items, mode: Literal["auto", "always", "off"] = "auto") -> tuple[Items, str | None]:
    """The items from their pack, which is made first if need be.

    ``auto`` makes one where decoding the items once would take more than `WORTH_SECONDS`, as judged by a few, and
    there is room; ``always`` whatever it would take. A pack that is there is used under either. Items that are not
    decoded are handed back as they are, and so are those whose pack cannot be made: a disk that is full or cannot be
    written costs a warning.

    Returns:
        The items, and a few words on where they are packed or why not; None where there is nothing to say.

    Raises:
        DataError: more than 5 % of the items are unreadable, or they are not alike.
    """
    if mode == "off":
        return items, None
    if not isinstance(items, DecodedItems):
        return items, "not packed, since nothing of them is decoded" if mode == "always" else None
    begun = time.perf_counter()
    sampled = _sample(items)
    seconds = (time.perf_counter() - begun) / len(sampled) * len(items) / thread_count()
    try:
        identity = identify(items.root, items.recipe, items.stamps(), list(sampled.values()))
    except Unidentified as error:
        return items, f"not packed, because {error}"
    try:
        folder = cache_folder() / "packed"
        entry = folder / str(identity)
        if (found := _open(entry, items, sampled)) is not None:
            return found, f"packed in {entry}"
        if mode == "auto" and seconds < WORTH_SECONDS:
            return items, None
        with only_one(folder, identity.slot):
            if (found := _open(entry, items, sampled)) is None:
                _check_room(items, folder)
                _write(entry, items, identity)
                tidy(entry, identity.slot)
                found = _open(entry, items, sampled)
        if found is None:
            raise OSError(f"{entry} cannot be read back")
    except OSError as error:
        log.warning(
            "%s is not packed, so every start decodes it anew (%s); set WGANX_CACHE to a folder with room, "
            "or dataset.pack=off",
            items.root,
            reason_of(error),
        )
        return items, f"not packed ({reason_of(error)})"
    return found, f"packed in {entry}"


def _sample(items: DecodedItems) -> Sampled:
    """A few items from first to last, None for one that cannot be read."""
    count = min(len(items), _SAMPLES)
    places = (number * (len(items) - 1) // max(count - 1, 1) for number in range(count))
    with Wait("reading") as wait:
        found: Sampled = {}
        for place in places:
            wait.items, wait.index = items, place
            found[place] = items.attempt(place)
            answered()
    return found


def _check_room(items: DecodedItems, folder: Path) -> None:
    wanted = len(items) * sum(tensor.nbytes for tensor in read_item(items, 0).values())
    room = SHARE_OF_DISK * shutil.disk_usage(folder).free
    if wanted > room:
        raise OSError(
            f"a pack takes {wanted / 1e9:.1f} GB, and half of what is free in {folder} is {room / 1e9:.1f} GB"
        )


def _write(entry: Path, items: DecodedItems, identity: Identity) -> None:
    """Decodes every item into a new entry; the header is written last."""
    first = read_item(items, 0)
    with whole_folder(entry) as aside:
        with ExitStack() as stack:
            files = {
                name: stack.enter_context((aside / f"{number}.bin").open("wb"))
                for number, name in enumerate(sorted(first))
            }
            writing = threading.Lock()

            def place(index: int, item: Mapping[str, Tensor]) -> None:
                rows = {name: content_of(tensor) for name, tensor in item.items()}
                with writing:
                    for name, row in rows.items():
                        files[name].seek(index * len(row))
                        files[name].write(row)

            replaced = decode_all(items, place, f"decoding {items.root} once, into {entry.parent}")
        names = [(index, items.name(index)) for index in replaced]
        header = {
            "schema": SCHEMA,
            "identity": str(identity),
            "root": str(items.root),
            "count": len(items),
            "tensors": {
                name: {
                    "file": f"{number}.bin",
                    "dtype": str(tensor.dtype).removeprefix("torch."),
                    "shape": list(tensor.shape),
                }
                for number, (name, tensor) in enumerate(sorted(first.items()))
            },
            "unreadable": [[index, name, items.unreadable[name]] for index, name in names],
        }
        write_whole(aside / _HEADER, json.dumps(header, indent=1))


def _open(entry: Path, items: DecodedItems, sampled: Sampled) -> PackedItems | None:
    """The pack, or None where there is none, or one that is torn, foreign or not of these items."""
    if not entry.exists():
        return None
    try:
        header = json.loads((entry / _HEADER).read_text(encoding="ascii"))
        if header["schema"] != SCHEMA or header["identity"] != entry.name or header["count"] != len(items):
            return None
        tensors, maps = {}, {}
        for name, facts in header["tensors"].items():
            tensors[name], maps[name] = _map(entry / facts["file"], facts, header["count"])
        lost = [(int(index), str(name), str(reason)) for index, name, reason in header["unreadable"]]
        found = PackedItems(entry, tensors, items.formats, {name: reason for _, name, reason in lost}, maps)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, DataError) as error:
        log.info("%s is no pack that can be used: %s", entry, reason_of(error))
        return None
    if not _agrees(found, items, sampled) or not _still_lost(items, lost):
        return None
    mark_used(entry / _HEADER)
    return found


def _map(path: Path, facts: Mapping[str, Any], count: int) -> tuple[Tensor, mmap.mmap]:
    kind = getattr(torch, facts["dtype"])
    shape = (count, *facts["shape"])
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size != math.prod(shape) * kind.itemsize:
            raise ValueError(f"{path} has another size than its header says")
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given buffer is not writable")  # and nobody writes to it
        return torch.frombuffer(mapped, dtype=kind).view(shape), mapped


def _agrees(found: PackedItems, items: DecodedItems, sampled: Sampled) -> bool:
    """Whether the items that were just decoded are in the pack as they are."""
    for index, item in sampled.items():
        if item is None:
            if items.name(index) not in found.unreadable:
                return False
        elif describe(item) != describe(found[index]) or any(
            content_of(value) != content_of(found.tensors[name][index]) for name, value in item.items()
        ):
            return False
    return True


def _still_lost(items: DecodedItems, lost: Sequence[tuple[int, str, str]]) -> bool:
    """Whether a few of the items that could not be read still cannot."""
    fresh = [(index, name) for index, name, _ in lost if name not in items.unreadable][:_SAMPLES]
    return all(
        index < len(items) and name == items.name(index) and items.attempt(index) is None for index, name in fresh
    )

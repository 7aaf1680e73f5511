"""Resident or streamed: the choice, and the sentence that states it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Literal

import torch

from wganx.data.decoded import DecodedItems
from wganx.data.feed import Feed
from wganx.data.items import ArrayItems, Items
from wganx.data.packed import PackedItems, packed
from wganx.data.resident import ResidentFeed
from wganx.data.stream import StreamFeed
from wganx.data.watchdog import read_item
from wganx.devices import free_on_apple, on_apple
from wganx.memory import ASSUMED_MEMORY, available_memory

_OPENING_BYTES = 16 * 2**20
"""Of items that are kept while the feed is opened, which asks for the first ones several times."""


def choose_feed(
    items: Items,
    *,
    batch_size: int,
    seed: int,
    device: torch.device | str,
    requested: Literal["auto", "resident", "stream"] = "auto",
    workers: int = 0,
    pack: Literal["auto", "always", "off"] = "auto",
    memory_budget: int | None = None,
) -> Feed:
    """Opens a feed, resident when the data fits.

    Items that are slow to decode are packed first, in the cache folder: see `wganx.data.packed`.

    Args:
        items: the opened split.
        batch_size: items a batch.
        seed: fixes the order, 0 or more.
        device: where the batches are wanted.
        requested: ``auto`` chooses by size: the number of items times the bytes of the first readable one against
            the budget. Items that are in the device's memory already stay there.
        workers: processes that read ahead when streaming; of no use where the items are tensors or packed.
        pack: whether decoded items are kept on disk for this and later starts.
        memory_budget: bytes that resident data may take; None for a quarter of the free main memory, or half of the
            free memory of a CUDA device.

    Raises:
        DataError: there are no items, or too many of them cannot be read.
    """
    device = torch.device(device)
    item_name = getattr(items, "name", None)  # of a pack's rows, too, which are the items of the files
    with items.remembering(_OPENING_BYTES) if isinstance(items, DecodedItems) else nullcontext():
        items, where = packed(items, pack) if len(items) else (items, None)
        size = _size(items)
        count = f"{len(items):,} items"
        budget, of_what = _budget(device, memory_budget)
        in_memory = isinstance(items, ArrayItems) and not isinstance(items, PackedItems)
        if requested == "auto" and in_memory and device.type == "cpu":
            kind, reason = "resident", f"{count}, {_amount(size)}, in memory already"
        elif requested != "auto":
            kind, reason = requested, f"{count}, {_amount(size)}, as requested"
        elif size <= budget:
            kind, reason = "resident", f"{count}, {_amount(size)} of {_amount(budget)} ({of_what})"
        else:
            kind, reason = "stream", f"{count} take {_amount(size)}, more than {_amount(budget)} ({of_what})"
        also = f"; {where}" if where else ""
        if kind == "resident":
            reason = f"resident: {reason}{also}"
            feed: Feed = ResidentFeed(items, batch_size=batch_size, seed=seed, device=device, reason=reason)
            feed.item_name = item_name or feed.item_name
            return feed
    readers = "" if isinstance(items, ArrayItems) else f"; {workers or 'no'} worker{'' if workers == 1 else 's'}"
    reason = f"streamed: {reason}{readers}{also}"
    feed = StreamFeed(items, batch_size=batch_size, seed=seed, device=device, workers=workers, reason=reason)
    feed.item_name = item_name or feed.item_name
    return feed


def _size(items: Items) -> int:
    if isinstance(items, ArrayItems):
        return sum(tensor.nbytes for tensor in items.tensors.values())
    return len(items) * sum(tensor.nbytes for tensor in read_item(items, 0).values()) if len(items) else 0


def _budget(device: torch.device, given: int | None) -> tuple[int, str]:
    if given is not None:
        return given, "the budget given"
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free // 2, "half of the free device memory"
    if on_apple(device):
        return free_on_apple() // 2, "half of the free device memory"
    free_memory = available_memory()
    if free_memory is None:
        return ASSUMED_MEMORY // 4, "a quarter of an assumed free memory"
    return free_memory // 4, "a quarter of the free memory"


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"

"""Resident or streamed: the choice, and the sentence that states it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import torch

from wganx.data.feed import Feed
from wganx.data.items import ArrayItems, Items
from wganx.data.packed import PackedItems, packed
from wganx.data.resident import ResidentFeed
from wganx.data.stream import StreamFeed
from wganx.devices import free_on_apple, on_apple

ASSUMED_MEMORY = 2 * 2**30
"""Free memory in bytes that is assumed where the platform does not tell."""


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
        return ResidentFeed(items, batch_size=batch_size, seed=seed, device=device, reason=reason)
    readers = "" if isinstance(items, ArrayItems) else f"; {workers or 'no'} worker{'' if workers == 1 else 's'}"
    reason = f"streamed: {reason}{readers}{also}"
    return StreamFeed(items, batch_size=batch_size, seed=seed, device=device, workers=workers, reason=reason)


def _size(items: Items) -> int:
    if isinstance(items, ArrayItems):
        return sum(tensor.nbytes for tensor in items.tensors.values())
    return len(items) * sum(tensor.nbytes for tensor in items[0].values()) if len(items) else 0


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


def available_memory() -> int | None:
    """Bytes of main memory a program may still take, within its limits; None where nobody tells."""
    told = (_from_meminfo(), _from_cgroup(Path("/sys/fs/cgroup/memory.max")), _from_own_limit())
    known = [amount for amount in told if amount is not None]
    return min(known) if known else _from_sysconf()


def _from_meminfo(path: Path = Path("/proc/meminfo")) -> int | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _from_cgroup(path: Path) -> int | None:
    try:
        limit = path.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(limit) if limit.isdigit() else None


def _from_own_limit() -> int | None:
    """What this process may still map where it was given a limit, as by ``ulimit -v`` and on many shared machines."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        mapped = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    except (OSError, ValueError):
        return limit
    return max(limit - mapped, 0)


def _from_sysconf() -> int | None:
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not POSIX, or a POSIX that does not count free pages
        return None


def _amount(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"

"""Data that fits: on the device once, a batch gathered there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from wganx.data.feed import Feed
from wganx.data.items import ArrayItems, FileItems, Items, check_alike, refuse_if_too_many
from wganx.data.order import ShuffledOrder
from wganx.data.threads import for_each_index

if TYPE_CHECKING:
    from torch import Tensor


class ResidentFeed(Feed):
    """All items on the device in storage types; a batch is a gather, without a word between host and device."""

    kind = "resident"

    def __init__(
        self, items: Items, *, batch_size: int, seed: int, device: torch.device | str, reason: str = "resident"
    ) -> None:
        """Reads every item, files with several threads.

        Raises:
            DataError: more than 5 % of the files are unreadable, or the items are not alike.
        """
        super().__init__(ShuffledOrder(len(items), batch_size, seed, device=device), reason)
        loaded = items if isinstance(items, ArrayItems) else load(items)
        self._items = ArrayItems(
            {name: tensor.to(self.order.device) for name, tensor in loaded.tensors.items()}, items.format
        )
        self._report(getattr(items, "unreadable", {}))

    def next(self) -> dict[str, Tensor]:
        batch = self._items.gather(self.order.indices(self.position))
        self.position += 1
        return batch

    def close(self) -> None:
        del self._items


def load(items: Items) -> ArrayItems:
    """Every item in memory, on the CPU; ``load(items)[i]`` equals ``items[i]``.

    Raises:
        DataError: more than 5 % of the files are unreadable, or the items are not alike.
    """
    first = items[0]
    rows = {name: tensor.new_empty((len(items), *tensor.shape)) for name, tensor in first.items()}

    def place(index: int, item: Mapping[str, Tensor]) -> None:
        check_alike(first, item, index)
        for name, tensor in item.items():
            rows[name][index] = tensor

    if not isinstance(items, FileItems):
        # One after another: nothing says that a plugin's own items may be read from several threads.
        for index in range(len(items)):
            place(index, items[index])
        return ArrayItems(rows, items.format)

    def read(index: int) -> bool:
        if (item := items.attempt(index)) is None:
            return False
        place(index, item)
        return True

    readable = for_each_index(len(items), read)
    refuse_if_too_many(items, items.unreadable)
    for index, found in enumerate(readable):
        if not found:
            place(index, items[index])
    return ArrayItems(rows, items.format)

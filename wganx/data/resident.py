"""Data that fits: on the device once, a batch gathered there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch

from wganx.data.decoded import DecodedItems
from wganx.data.decoding import decode_all
from wganx.data.feed import Feed
from wganx.data.finite import check_finite
from wganx.data.items import ArrayItems, Items, check_alike
from wganx.data.order import ShuffledOrder
from wganx.data.packed import PackedItems
from wganx.data.watchdog import read_item

if TYPE_CHECKING:
    from torch import Tensor

_MOST_BATCHES = 64
_MOST_BYTES = 2**20


class GatheredAhead:
    """Batches of tensors in memory, several gathered at once where they are small, since one costs mostly the call."""

    def __init__(self, items: ArrayItems, order: ShuffledOrder) -> None:
        self._items, self._order = items, order
        item_bytes = sum(tensor[0].nbytes for tensor in items.tensors.values())
        self._at_once = max(1, min(_MOST_BATCHES, _MOST_BYTES // max(1, item_bytes * order.batch_size)))
        self._first = 0
        self._batches: list[dict[str, Tensor]] = []

    def at(self, position: int) -> dict[str, Tensor]:
        """Batch number `position`, for whoever asks to keep; each is to be asked for once."""
        place = position - self._first
        if not 0 <= place < len(self._batches):
            gathered = self._items.gather(self._order.indices(position, self._at_once))
            apart = (
                tensor.view(self._at_once, self._order.batch_size, *tensor.shape[1:]).unbind()
                for tensor in gathered.values()
            )
            self._batches = [dict(zip(gathered, batch)) for batch in zip(*apart)]
            self._first, place = position, 0
        return self._batches[place]

    def forget(self) -> None:
        """Before a batch is asked for again: whoever was given it may have written to it."""
        self._batches.clear()


class ResidentFeed(Feed):
    """All items on the device in storage types; a batch is a gather, without a word between host and device."""

    kind = "resident"

    def __init__(
        self, items: Items, *, batch_size: int, seed: int, device: torch.device | str, reason: str = "resident"
    ) -> None:
        """Reads every item: decoded ones with several threads, packed ones from first to last.

        Raises:
            DataError: more than 5 % of the items are unreadable, or they are not alike.
        """
        order = ShuffledOrder(len(items), batch_size, seed, device=device)
        super().__init__(order, order.device, reason)
        loaded = items if isinstance(items, ArrayItems) else load(items)
        # A pack is copied even to main memory: a page of it that the system dropped would be waited for in a step.
        copy = isinstance(items, PackedItems)
        self._items = ArrayItems(
            {name: tensor.to(self.device, copy=copy) for name, tensor in loaded.tensors.items()}, items.formats
        )
        self._batches = GatheredAhead(self._items, self.order)
        self._report(getattr(items, "unreadable", {}))

    def next(self) -> dict[str, Tensor]:
        batch = self._batches.at(self.position)
        self.position += 1
        return batch

    def stage(self, slot: int = 0) -> None:
        self._keep(slot, {"indices": self.order.indices(self.position)})
        self.position += 1

    def gather(self, slot: int = 0) -> dict[str, Tensor]:
        return self._items.gather(self._kept(slot)["indices"])

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        super().load_state_dict(state)
        self._batches.forget()

    def close(self) -> None:
        self._slots.clear()
        del self._items, self._batches


def load(items: Items) -> ArrayItems:
    """Every item in memory, on the CPU; ``load(items)[i]`` equals ``items[i]``.

    Raises:
        DataError: more than 5 % of the items are unreadable, or they are not alike.
    """
    first = read_item(items, 0)
    rows = {name: tensor.new_empty((len(items), *tensor.shape)) for name, tensor in first.items()}

    def place(index: int, item: Mapping[str, Tensor]) -> None:
        for name, tensor in item.items():
            rows[name][index] = tensor

    if isinstance(items, DecodedItems):
        decode_all(items, place, f"reading {items.root}")
        return ArrayItems(rows, items.formats)
    # One after another: nothing says that a plugin's own items may be read from several threads.
    for index in range(len(items)):
        item = read_item(items, index)
        check_alike(first, item, index)
        check_finite(item, index)
        place(index, item)
    return ArrayItems(rows, items.formats)

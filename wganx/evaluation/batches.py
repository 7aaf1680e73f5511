"""Batches of held-out data for looking and measuring; training never sees their items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.data import DecodedItems
from wganx.data.items import check_alike
from wganx.data.threads import for_each_index
from wganx.data.watchdog import read_item
from wganx.plugins.contracts import Game, Items


def gather(items: Items, indices: Sequence[int], device: torch.device) -> dict[str, Tensor]:
    """The items at `indices`, stacked ``(N, ...)`` in storage types on the device.

    Each is read once, however often it is asked for.

    Raises:
        DataError: they are not alike.
    """
    different = sorted(set(indices))

    found: list[Mapping[str, Tensor]]
    if isinstance(items, DecodedItems):
        found = for_each_index(len(different), lambda place: items[different[place]])
    else:  # nothing says that a plugin's own items may be read from several threads
        found = [read_item(items, index) for index in different]
    item = dict(zip(different, found))
    for index in different:
        check_alike(found[0], item[index], index)
    return {name: torch.stack([item[index][name] for index in indices]).to(device) for name in found[0]}


def heldout_batch(game: Game, items: Items, count: int, *, seed: int, device: torch.device) -> Batch:
    """`count` items in an order fixed by `seed`, as the game's batch; repeated when there are fewer."""
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed)).tolist()
    chosen = [order[i % len(order)] for i in range(count)]
    return game.batch(gather(items, chosen, device), torch.Generator(device).manual_seed(seed), training=False)


def with_labels(batch: Batch, labels: Mapping[str, Tensor]) -> Batch:
    """The batch with other labels ``(N,)``, wherever it has them."""
    context = {name: labels.get(name, rows) for name, rows in batch.context.items()}
    condition = {name: labels.get(name, rows) for name, rows in batch.condition.items()}
    return Batch(batch.real, context, condition, batch.known)

"""Feeds: endless batches of items on the device, from any position."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

import torch

from wganx.errors import DataError, UsageError

if TYPE_CHECKING:
    from torch import Tensor

    from wganx.batch import Batch
    from wganx.data.order import ShuffledOrder

log = logging.getLogger(__name__)

_MOST_WORDS = 20


class Feed(ABC):
    """Endless batches of items in storage types on the device, in the order of a `ShuffledOrder`.

    Both kinds hand out the same batches for the same seed, so a run may go on under the other kind.

    `next` has two halves: `stage` works on the host and moves the position on, `gather` works on the device alone and
    reads storage that never moves, so a CUDA graph may contain it. Several batches can be staged before any is
    gathered, each in a slot of its own.

    Attributes:
        kind: ``resident`` or ``stream``.
        reason: one sentence that says what was chosen and why.
        device: where the batches are.
        position: how many batches were staged; what was read ahead does not count.
        item_name: what item `i` is called in messages.
    """

    kind: Literal["resident", "stream"]

    def __init__(self, order: ShuffledOrder, device: torch.device, reason: str) -> None:
        self.order = order
        self.device = device
        self.reason = reason
        self.position = 0
        self.item_name: Callable[[int], str] = "item {:,}".format
        self._slots: dict[int, dict[str, Tensor]] = {}
        self._unreadable: dict[str, str] = {}

    @abstractmethod
    def next(self) -> dict[str, Tensor]:
        """The batch at `position`, each tensor ``(batch_size, ...)`` on the device; moves the position on by one.

        The same as `stage` and `gather`, without the storage in between.

        Raises:
            DataError: the data cannot be read; the position stays.
        """

    @abstractmethod
    def stage(self, slot: int = 0) -> None:
        """Puts what identifies the batch at `position` into `slot`, and moves the position on by one.

        The slot's storage is made when it is first used and overwritten in place from then on.

        Raises:
            DataError: the data cannot be read; the position stays.
        """

    @abstractmethod
    def gather(self, slot: int = 0) -> dict[str, Tensor]:
        """The batch staged in `slot`, in new tensors ``(batch_size, ...)``; no work for the host, and no waiting.

        Raises:
            UsageError: nothing was staged in the slot.
        """

    @property
    def unreadable(self) -> list[tuple[str, str]]:
        """Name and reason of the items found unreadable so far, each replaced by the next readable one."""
        return list(self._unreadable.items())

    def state_dict(self) -> dict[str, int]:
        """The position in the data, and what it is a position in."""
        return {"batches": self.position, **self._identity()}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Goes on from a saved position.

        Raises:
            DataError: the number of items, the seed or the batch size is another than when the state was saved.
        """
        changes = [
            f"{what} was {state[key]:,} and is {now:,}"
            for (key, now), what in zip(self._identity().items(), ("the number of items", "the seed", "the batch size"))
            if state[key] != now
        ]
        if changes:
            raise DataError(
                f"the data changed since the checkpoint: {', '.join(changes)}; restore it, or start a new run"
            )
        if not isinstance(state["batches"], int) or not 0 <= state["batches"] < 2**53:
            raise DataError("the checkpoint's position in the data is no number of batches; go on from another one")
        self.position = state["batches"]

    @abstractmethod
    def close(self) -> None:
        """Ends workers and lets go of memory; only the feed's state can be asked for afterwards."""

    def _keep(self, slot: int, values: Mapping[str, Tensor]) -> None:
        """Copies into the slot's storage; from the host to a CUDA device without waiting where they are pinned."""
        kept = self._slots.get(slot)
        if kept is None:
            kept = {name: torch.empty_like(value, device=self.device) for name, value in values.items()}
            self._slots[slot] = kept
        for name, value in values.items():
            kept[name].copy_(value, non_blocking=self.device.type == "cuda")

    def _kept(self, slot: int) -> dict[str, Tensor]:
        try:
            return self._slots[slot]
        except KeyError:
            raise UsageError(f"nothing was staged in slot {slot} of the feed; call stage({slot}) first") from None

    def _identity(self) -> dict[str, int]:
        return {"count": self.order.count, "seed": self.order.seed, "batch_size": self.order.batch_size}

    def _report(self, unreadable: Mapping[str, str]) -> None:
        for name, reason in unreadable.items():
            if name in self._unreadable:
                continue
            self._unreadable[name] = reason
            if len(self._unreadable) <= _MOST_WORDS:
                log.warning("%s cannot be read (%s); the next readable one takes its place", name, reason)
            elif len(self._unreadable) == _MOST_WORDS + 1:  # the windows of a damaged film may be thousands
                log.warning("more than %d cannot be read; the others are counted and not named", _MOST_WORDS)


class BatchStream(Iterator["Batch"]):
    """What the engine trains on: an endless iterator of batches whose position can be saved.

    Args:
        feed: where the items come from.
        make_batch: the task's view of them: items ``(N, ...)`` in storage types to a `wganx.Batch`.
    """

    def __init__(self, feed: Feed, make_batch: Callable[[dict[str, Tensor]], Batch]) -> None:
        self.feed = feed
        self.make_batch = make_batch

    def __next__(self) -> Batch:
        return self.make_batch(self.feed.next())

    def name_of(self, batch: int, row: int) -> str:
        """What the item in row `row` of batch number `batch` is called in messages."""
        return self.feed.item_name(int(self.feed.order.indices(batch)[row]))

    def stage(self, slot: int = 0) -> None:
        """The host's half of the next batch: see `Feed.stage`."""
        self.feed.stage(slot)

    def assemble(self, slot: int = 0) -> Batch:
        """The device's half: the batch staged in `slot`, as the task sees it."""
        return self.make_batch(self.feed.gather(slot))

    def state_dict(self) -> dict[str, int]:
        """The feed's state."""
        return self.feed.state_dict()

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Sets the feed's position; raises DataError when the data changed."""
        self.feed.load_state_dict(state)

    def close(self) -> None:
        """Closes the feed."""
        self.feed.close()

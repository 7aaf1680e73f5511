"""Feeds: endless batches of items on the device, from any position."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from wganx.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from wganx.batch import Batch
    from wganx.data.order import ShuffledOrder

log = logging.getLogger(__name__)


class Feed(ABC):
    """Endless batches of items in storage types on the device, in the order of a `ShuffledOrder`.

    Both kinds hand out the same batches for the same seed, so a run may go on under the other kind.

    Attributes:
        kind: ``resident`` or ``stream``.
        reason: one sentence that says what was chosen and why.
        position: how many batches were handed out; what workers have read ahead does not count.
    """

    kind: Literal["resident", "stream"]

    def __init__(self, order: ShuffledOrder, reason: str) -> None:
        self.order = order
        self.reason = reason
        self.position = 0
        self._unreadable: dict[str, str] = {}

    @abstractmethod
    def next(self) -> dict[str, Tensor]:
        """The batch at `position`, each tensor ``(batch_size, ...)`` on the device; moves the position on by one.

        Raises:
            DataError: the data cannot be read.
        """

    @property
    def unreadable(self) -> list[tuple[str, str]]:
        """Path and reason of the files found unreadable so far, each replaced by the next readable one."""
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
        self.position = state["batches"]

    @abstractmethod
    def close(self) -> None:
        """Ends workers and lets go of memory; only the feed's state can be asked for afterwards."""

    def _identity(self) -> dict[str, int]:
        return {"count": self.order.count, "seed": self.order.seed, "batch_size": self.order.batch_size}

    def _report(self, unreadable: Mapping[str, str]) -> None:
        for path, reason in unreadable.items():
            if path not in self._unreadable:
                self._unreadable[path] = reason
                log.warning("%s cannot be read (%s); the next readable file takes its place", path, reason)


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

    def state_dict(self) -> dict[str, int]:
        """The feed's state."""
        return self.feed.state_dict()

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        """Sets the feed's position; raises DataError when the data changed."""
        self.feed.load_state_dict(state)

    def close(self) -> None:
        """Closes the feed."""
        self.feed.close()

"""Where batches come from: anything that can be iterated, made endless and, where it can be, resumable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.errors import DataError


@runtime_checkable
class Resumable(Protocol):
    """A source that knows its position, such as `wganx.data.BatchStream`."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Stream:
    """Endless batches on a device.

    A plain iterable (a list, a DataLoader) is started again when it runs out, and after a resume it starts from its
    beginning. A `Resumable` one continues where the checkpoint left it.
    """

    def __init__(self, batches: Iterable[Batch | Tensor], device: torch.device) -> None:
        self._source = batches
        self._device = device
        self._iterator: Iterator[Batch | Tensor] | None = None
        self._ahead: Batch | None = None

    def take(self, count: int) -> list[Batch]:
        """The next `count` batches."""
        return [self._next() for _ in range(count)]

    def peek(self) -> Batch:
        """The next batch, which the next `take` will hand out all the same; no position is asked for in between."""
        self._ahead = self._next()
        return self._ahead

    def state(self) -> dict[str, Any] | None:
        """Position in the data, or None when the source does not know its own."""
        return self._source.state_dict() if isinstance(self._source, Resumable) else None

    def load_state(self, state: dict[str, Any] | None) -> None:
        """Go to a position that `state` gave."""
        if state is not None and isinstance(self._source, Resumable):
            self._source.load_state_dict(state)
            self._iterator = self._ahead = None

    def _next(self) -> Batch:
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            return ahead
        for _ in range(2):
            if self._iterator is None:
                self._iterator = iter(self._source)
            item = next(self._iterator, None)
            if item is not None:
                return (item if isinstance(item, Batch) else Batch(_tensor(item))).to(self._device)
            self._iterator = None
        raise DataError("the batches ran out; give an iterable that can be started again, such as a list or DataLoader")


def _tensor(item: object) -> Tensor:
    if isinstance(item, Tensor):
        return item
    raise DataError(
        f"batches must be tensors or wganx.Batch, got {type(item).__name__}; "
        "from a labelled DataLoader take the samples alone, or wrap them: wganx.Batch(x, context={'label': y})"
    )

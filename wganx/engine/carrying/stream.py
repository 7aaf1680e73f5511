"""Where batches come from: anything that can be iterated, made endless and, where it can be, resumable."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from wganx.batch import Batch
from wganx.engine.observer import log_note
from wganx.errors import CheckpointError, DataError


@runtime_checkable
class Resumable(Protocol):
    """A source that knows its position, such as `wganx.data.BatchStream`."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@runtime_checkable
class Staged(Protocol):
    """A source that prepares a batch in two halves, such as `wganx.data.BatchStream`.

    `stage` does what the host has to do and puts the rest into fixed places on the device; `assemble` makes the batch
    there, from these places alone, so that it can be recorded and replayed.
    """

    def stage(self, slot: int) -> None: ...

    def assemble(self, slot: int) -> Batch: ...


class Stream:
    """Endless batches on a device.

    A plain iterable (a list, a DataLoader) is started again when it runs out, and after a resume it starts from its
    beginning. A `Resumable` one continues where the checkpoint left it.

    Attributes:
        least: rows of a batch; one with fewer, as a last one may have, is left out.
        multiple: a batch is cut to a multiple of so many rows.
        most: rows of a batch, None for any number.
        note: told, once, that there are such batches.
    """

    def __init__(
        self, batches: Iterable[Any], device: torch.device, prepare: Callable[[Any], Batch | Tensor] | None = None
    ) -> None:
        self._source = batches
        self._device = device
        self._prepare = prepare
        self.least, self.multiple = 1, 1
        self.most: int | None = None
        self.note: Callable[[str], None] = log_note
        self._told = False
        self._iterator: Iterator[Any] | None = None
        self._ahead: Batch | None = None
        self._places: dict[tuple[int, str], Batch] = {}
        self._staged: dict[int, Batch | None] = {}

    def take(self, count: int) -> list[Batch]:
        """The next `count` batches."""
        return [self._next() for _ in range(count)]

    def peek(self) -> Batch:
        """The next batch, which the next `take` will hand out all the same; no position is asked for in between."""
        self._ahead = self._next()
        return self._ahead

    def stage(self, slot: int) -> str:
        """Put the next batch into fixed places on the device, number `slot` of several; returns what form it has.

        For steps that are recorded, together with `assemble`; `take` does the work of both.
        """
        if isinstance(self._source, Staged) and self._ahead is None:
            self._source.stage(slot)
            self._staged[slot] = None
            return "staged"
        batch = self._next()
        self._staged[slot] = place = self._place(slot, batch)
        _fill(place, batch)
        return _form(batch)

    def assemble(self, slot: int) -> Batch:
        """The batch that was staged in `slot`, in places that stay the same; device work only."""
        place = self._staged[slot]
        if place is not None:
            return place
        batch = cast(Staged, self._source).assemble(slot)
        place = self._place(slot, batch)
        _fill(place, batch)
        return place

    def state(self) -> dict[str, Any] | None:
        """Position in the data, or None when the source does not know its own."""
        return self._source.state_dict() if isinstance(self._source, Resumable) else None

    def load_state(self, state: dict[str, Any] | None) -> None:
        """Go to a position that `state` gave.

        Raises:
            CheckpointError: it is no position in this data.
        """
        if state is not None and isinstance(self._source, Resumable):
            try:
                self._source.load_state_dict(state)
            except (KeyError, TypeError, AttributeError, OverflowError) as error:
                raise CheckpointError(
                    f"the checkpoint's position in the data cannot be taken up: {type(error).__name__}: {error}"
                ) from error
            self._iterator = self._ahead = None

    def once_more(self, state: dict[str, Any] | None, most: int) -> Iterator[tuple[int, Batch]]:
        """Number and content of the batches from position `state` on, or from the first, as far as they can be had.

        Nothing of an iterable that cannot be started again. The position is another afterwards.
        """
        if isinstance(self._source, Resumable):
            if state is None:
                return
            self.load_state(state)
            first = int(state.get("batches", 0))
            yield from ((first + number, self._next()) for number in range(most))
        elif (batches := iter(self._source)) is not self._source:
            for number, item in enumerate(itertools.islice(batches, most)):
                yield number, self._batch(item)

    def name_of(self, batch: int, row: int) -> str | None:
        """What row `row` of batch number `batch` is made of, where the source knows."""
        named = getattr(self._source, "name_of", None)
        return None if named is None else str(named(batch, row))

    def _place(self, slot: int, batch: Batch) -> Batch:
        key = (slot, _form(batch))
        if key not in self._places:
            self._places[key] = batch.each(torch.empty_like)
        return self._places[key]

    def _next(self) -> Batch:
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            return ahead
        left_out = False
        for _ in range(2):
            if self._iterator is None:
                self._iterator = iter(self._source)
            for item in self._iterator:
                whole = self._batch(item)
                batch = self._cut(whole)
                if batch is not None:
                    return batch.to(self._device)
                left_out = True
            self._iterator = None
        if left_out:
            raise DataError(f"no batch has the {self.least} rows that these networks need; make all batches alike")
        raise DataError("the batches ran out; give an iterable that can be started again, such as a list or DataLoader")

    def _batch(self, item: Any) -> Batch:
        if self._prepare is not None:
            item = self._prepare(item)
        elif isinstance(item, tuple | list) and len(item) == 1:
            item = item[0]  # as a DataLoader of a TensorDataset gives them
        return item if isinstance(item, Batch) else Batch(_tensor(item))

    def _cut(self, batch: Batch) -> Batch | None:
        """The rows that can be used, or None for too few."""
        rows = min(len(batch) // self.multiple * self.multiple, self.most or len(batch))
        if rows == len(batch) >= self.least:
            return batch
        used = rows if rows >= self.least else 0
        if not self._told:
            self._told = True
            what = f"its first {used} are used" if used else "it is left out"
            self.note(f"a batch of {len(batch)} rows does not suit these networks: {what}")
        return batch[:used] if used else None


def _tensor(item: object) -> Tensor:
    if isinstance(item, Tensor):
        return item
    raise DataError(
        f"batches must be tensors or wganx.Batch, got {type(item).__name__}; of pairs (x, y) take the samples alone: "
        "fit(..., prepare=lambda pair: pair[0]), or wganx.Batch(pair[0], context={'label': pair[1]}), and likewise "
        "condition= for the critic, under the names that the networks' forward has for it"
    )


def _form(batch: Batch) -> str:
    """Names, shapes and types of a batch's tensors."""
    parts = [("real", batch.real), *batch.context.items(), *batch.condition.items(), *batch.known.items()]
    return " ".join(f"{name}{tuple(tensor.shape)}{tensor.dtype}" for name, tensor in parts)


def _fill(place: Batch, batch: Batch) -> None:
    place.real.copy_(batch.real, non_blocking=True)
    pairs = ((place.context, batch.context), (place.condition, batch.condition), (place.known, batch.known))
    for ours, theirs in pairs:
        for name, tensor in theirs.items():
            ours[name].copy_(tensor, non_blocking=True)

"""Data larger than memory: read batch by batch, ahead of the training."""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, Dataset

from wganx.data import patience
from wganx.data.decoded import DecodedItems, refuse_if_too_many
from wganx.data.feed import Feed
from wganx.data.finite import check_finite
from wganx.data.items import ArrayItems, Items, check_alike, reason_of
from wganx.data.order import ShuffledOrder
from wganx.data.packed import PackedItems
from wganx.data.resident import GatheredAhead
from wganx.data.ring import ArrayRows, Buffer, DecodedRows, Ring, Rows
from wganx.data.watchdog import Wait
from wganx.errors import DataError, NoAnswer

if TYPE_CHECKING:
    from torch import Tensor

    Fetched = tuple[dict[str, Tensor], dict[str, str], str | None]

_BATCHES_AHEAD = 4
_LOOK = 5.0
"""Seconds after which a loader looks whether its workers live."""
_TIMED_OUT = "DataLoader timed out after"
_log = logging.getLogger("wganx")


class StreamFeed(Feed):
    """Batches read from their items when they are due.

    Who reads depends on the items. Tensors in a pack, or in memory when a device wants them: a thread, which gathers
    rows into a ring of buffers; `workers` are of no use there. `DecodedItems`: such a thread, which decodes them, or
    `workers` processes. A plugin's own items, which need not bear a second thread: `workers` processes, or this thread
    when there are none. Tensors in memory that stay there: this thread.

    Workers are spawned, on every platform. They and the thread live as long as the feed is not closed or set to
    another position.
    """

    kind = "stream"

    def __init__(
        self,
        items: Items,
        *,
        batch_size: int,
        seed: int,
        device: torch.device | str,
        workers: int = 0,
        reason: str = "streamed",
    ) -> None:
        device = torch.device(device)
        if device.type == "cuda" and device.index is None:
            device = torch.device("cuda", torch.cuda.current_device())
        super().__init__(ShuffledOrder(len(items), batch_size, seed), device, reason)
        self._source = items
        self._workers = workers
        self._in_memory: GatheredAhead | None = None
        self._rows: Callable[[], Rows] | None = None
        if isinstance(items, ArrayItems) and not isinstance(items, PackedItems) and device.type == "cpu":
            self._in_memory = GatheredAhead(items, self.order)
        elif isinstance(items, ArrayItems):
            self._rows = partial(ArrayRows, items)
            self._report(getattr(items, "unreadable", {}))
        elif isinstance(items, DecodedItems) and not workers:
            self._rows = partial(DecodedRows, items)
        self._ring: Ring | None = None
        self._end_ring: Callable[[], object] = _nothing
        self._batches: Iterator[Fetched] | None = None
        self._started_at = 0

    def next(self) -> dict[str, Tensor]:
        with self._read() as batch:
            # What does not move is copied, or the buffer's next batch would appear in it.
            return {name: tensor.to(self.device, copy=True) for name, tensor in batch.items()}

    def stage(self, slot: int = 0) -> None:
        with self._read() as batch:
            self._keep(slot, batch)

    def gather(self, slot: int = 0) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self._kept(slot).items()}

    def load_state_dict(self, state: Mapping[str, int]) -> None:
        super().load_state_dict(state)
        self._stop()
        if self._in_memory is not None:
            self._in_memory.forget()

    def close(self) -> None:
        self._stop()
        self._slots.clear()

    def _stop(self) -> None:
        batches, self._batches = self._batches, None
        # The iterator would end its workers when it goes. But one that is ended while it sends a batch may abort,
        # which is of no interest any more, and out of `__del__` it would be printed and could not be caught.
        with suppress(RuntimeError):
            getattr(batches, "_shutdown_workers", _nothing)()
        for worker in getattr(batches, "_workers", ()):
            if worker.is_alive():  # one that stands still hears no other signal, and would be waited for at the end
                worker.kill()
        self._end_ring()
        self._ring, self._end_ring = None, _nothing

    @contextmanager
    def _read(self) -> Iterator[Mapping[str, Tensor]]:
        """The batch at the position, to be copied by work on the current stream; then the position moves on."""
        if self._in_memory is not None:
            yield self._in_memory.at(self.position)
        elif self._rows is not None:
            ring = self._ring or self._start_ring(self._rows())
            buffer = self._take(ring)
            self._judge(buffer.unreadable)
            yield buffer.receive()
            ring.release(buffer)
        else:
            batch, unreadable, failure = self._fetch()
            self._judge(unreadable, failure)
            yield batch
        self.position += 1

    def _judge(self, unreadable: Mapping[str, str], failure: str | None = None) -> None:
        """Reports what was found with a batch; after an error the next call reads the same batch again."""
        self._report(unreadable)
        try:
            if failure is not None:
                raise DataError(failure)
            if self._unreadable and not isinstance(self._source, ArrayItems):
                drawn = (self.position + 1 - self._started_at) * self.order.batch_size
                refuse_if_too_many(self._source, self._unreadable, drawn=drawn)
        except DataError:
            self._stop()
            raise

    def _start_ring(self, rows: Rows) -> Ring:
        self._started_at = self.position
        self._ring = ring = Ring(rows, self.order, self.position, self.device)
        self._end_ring = weakref.finalize(self, ring.stop)
        return ring

    def _take(self, ring: Ring) -> Buffer:
        try:
            return ring.take()
        except Exception as error:
            self._stop()
            if isinstance(error, DataError):
                raise
            raise DataError(_failure(error)) from error

    def _fetch(self) -> Fetched:
        if self._batches is None:
            self._batches = self._start()
        begun, told = time.monotonic(), False
        while True:
            try:
                # The loader's own limit does not hold while it takes what a worker hands over, which may stop at that.
                with Wait("reading by worker processes"):
                    return next(self._batches)
            except NoAnswer:
                self._stop()
                raise
            except Exception as error:
                waited = time.monotonic() - begun
                if _TIMED_OUT not in str(error):
                    self._stop()
                    raise DataError(_failure(error)) from error
                if waited > patience.LONGEST:
                    self._stop()
                    raise NoAnswer(patience.no_answer(patience.LONGEST)) from error
                if waited > patience.TELL and not told:
                    told = True
                    _log.warning(patience.waiting())

    def _start(self) -> Iterator[Fetched]:
        self._started_at = self.position
        loader = DataLoader(
            _Reader(self._source) if self._workers else _ReaderHere(self._source),
            batch_size=None,  # the reader gathers whole batches itself
            sampler=_From(self.order, self.position),
            num_workers=self._workers,
            prefetch_factor=_BATCHES_AHEAD if self._workers else None,
            timeout=_LOOK if self._workers else 0,
            multiprocessing_context="spawn" if self._workers else None,
            worker_init_fn=_start_worker if self._workers else None,
            pin_memory=self.device.type == "cuda",
            generator=torch.Generator(),  # or the loader would draw from the run's global random stream
        )
        try:
            with warnings.catch_warnings(), _children_as_they_are():
                warnings.filterwarnings("ignore", "Got pickle error")  # the error below says it better
                return iter(loader)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise DataError(
                f"the dataset cannot be sent to worker processes ({reason_of(error)}); define its decoder "
                "at the top level of a module, or read with 0 workers"
            ) from error


class _From:
    """The batches' indices from a position on, as a sampler."""

    def __init__(self, order: ShuffledOrder, position: int) -> None:
        self.order = order
        self.position = position

    def __iter__(self) -> Iterator[list[int]]:
        batch = self.position
        while True:
            yield self.order.indices(batch).tolist()
            batch += 1


class _Reader(Dataset["Fetched"]):
    """Reads whole batches; lives in the workers.

    Failures that are meant for people travel back as values: as exceptions they would arrive wrapped in a traceback.
    """

    def __init__(self, items: Items) -> None:
        self.items = items
        self.reported = 0
        self.first: Mapping[str, Tensor] | None = None

    def __getitem__(self, indices: list[int]) -> Fetched:
        try:
            batch, failure = self._gather(indices), None
        except NoAnswer:
            raise
        except DataError as error:
            batch, failure = {}, str(error)
        unreadable = list(getattr(self.items, "unreadable", {}).items())
        fresh, self.reported = dict(unreadable[self.reported :]), len(unreadable)
        return batch, fresh, failure

    def _gather(self, indices: Iterable[int]) -> dict[str, Tensor]:
        rows = []
        for index in indices:
            item = self.items[index]
            self.first = self.first or item
            check_alike(self.first, item, index)
            check_finite(item, index)
            rows.append(item)
        return {name: torch.stack([item[name] for item in rows]) for name in rows[0]}


class _ReaderHere(_Reader):
    """Reads whole batches in the training's own thread, where nobody else waits for them."""

    def _gather(self, indices: Iterable[int]) -> dict[str, Tensor]:
        with Wait("reading") as wait:
            wait.items = self.items
            return super()._gather(_told(indices, wait))


def _told(indices: Iterable[int], wait: Wait) -> Iterator[int]:
    for index in indices:
        wait.index = index
        yield index


def _nothing() -> None:
    """There is no thread or process to end."""


@contextmanager
def _children_as_they_are() -> Iterator[None]:
    """Leaves the signal of a child's end as it was.

    A loader answers it from then on by an error out of whatever the main thread is at, a step or a file being written.
    Without, it finds a worker that died when a batch is asked for, within five seconds.
    """
    number = getattr(signal, "SIGCHLD", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(number)
    try:
        yield
    finally:
        signal.signal(number, before)


def _failure(error: Exception) -> str:
    text = str(error).strip()
    if "exited unexpectedly" in text or "killed by signal" in text:
        return (
            f"a worker process that reads the data died ({reason_of(error)}); it may be out of memory, or the "
            "program lacks an `if __name__ == '__main__':` guard; read with fewer workers, or with 0"
        )
    # From a worker the text is a whole traceback, which ends with the error itself.
    return f"reading a batch failed: {text.splitlines()[-1] if text else type(error).__name__}"


def _start_worker(worker: int) -> None:
    # Ctrl-C reaches every process of a terminal; the run still needs batches until it has saved.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The thread that sends batches is not waited for. In the midst of torch's code it would meet an interpreter that is
    # gone: "terminate called without an active exception". There is nothing left to tidy up but the process.
    atexit.register(os._exit, 0)

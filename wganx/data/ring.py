"""Batches read ahead of the training, by a thread, into a ring of buffers."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from wganx.data import patience
from wganx.data.decoded import DecodedItems
from wganx.data.items import ArrayItems, check_alike
from wganx.data.order import ShuffledOrder
from wganx.data.packed import PackedItems
from wganx.errors import DataError, NoAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

DEPTH = 3
_PATIENCE = 5.0
_log = logging.getLogger("wganx")


class Rows(Protocol):
    """Items from which whole batches are read."""

    def item(self) -> Mapping[str, Tensor]:
        """One of the items, for its types and shapes."""

    def read(self, indices: Tensor, into: Mapping[str, Tensor]) -> dict[str, str]:
        """Puts item ``indices[k]`` into row ``k``; returns the reasons of items newly found unreadable."""


class ArrayRows:
    """Rows of tensors in memory or mapped from a pack, read in the order in which they lie there."""

    def __init__(self, items: ArrayItems) -> None:
        """Tensors that are not contiguous are copied."""
        self._items = items
        self._bytes = {name: _as_bytes(tensor.cpu().contiguous()) for name, tensor in items.tensors.items()}
        self._ahead: dict[str, NDArray[np.uint8]] = {}

    def item(self) -> Mapping[str, Tensor]:
        return self._items[0]

    def read(self, indices: Tensor, into: Mapping[str, Tensor]) -> dict[str, str]:
        # numpy's take, which uses no threads of its own: the cores are the training's.
        ascending, place = torch.sort(indices)
        back = torch.empty_like(place)
        back[place] = torch.arange(len(place))
        if isinstance(self._items, PackedItems):
            self._items.announce(ascending.tolist())
        for name, rows in self._bytes.items():
            target = _as_bytes(into[name])
            if name not in self._ahead:
                self._ahead[name] = np.empty_like(target)
            np.take(rows, ascending.numpy(), axis=0, out=self._ahead[name], mode="clip")
            np.take(self._ahead[name], back.numpy(), axis=0, out=target, mode="clip")
        return {}


class DecodedRows:
    """Items that are decoded when they are due."""

    def __init__(self, items: DecodedItems) -> None:
        self._items = items
        self._reported = 0

    def item(self) -> Mapping[str, Tensor]:
        return self._items[0]

    def read(self, indices: Tensor, into: Mapping[str, Tensor]) -> dict[str, str]:
        for row, index in enumerate(indices.tolist()):
            item = self._items[index]
            check_alike({name: tensor[row] for name, tensor in into.items()}, item, index)
            for name, tensor in item.items():
                into[name][row] = tensor
        unreadable = list(self._items.unreadable.items())
        fresh, self._reported = dict(unreadable[self._reported :]), len(unreadable)
        return fresh


class Buffer:
    """Storage for one batch on the host, and for a CUDA device also there, with what keeps the two in step.

    `side` is the stream on which copies to the device run beside the training's own work; None without such a device.
    """

    def __init__(self, item: Mapping[str, Tensor], batch_size: int, side: torch.cuda.Stream | None) -> None:
        self.host = {
            name: torch.empty((batch_size, *tensor.shape), dtype=tensor.dtype, pin_memory=side is not None)
            for name, tensor in item.items()
        }
        self.unreadable: dict[str, str] = {}
        self._side = side
        self._there = self.host
        if side is not None:
            self._arrived: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._used: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            with torch.cuda.stream(side):
                self._there = {name: torch.empty_like(value, device=side.device) for name, value in self.host.items()}

    def wait_until_sent(self) -> None:
        """Until the host's memory may be written again; called by the reading thread."""
        if self._side is not None:
            self._arrived.synchronize()

    def send(self) -> None:
        """Starts the copy to the device, which begins there once the batch before was used."""
        if self._side is None:
            return
        with torch.cuda.stream(self._side):
            self._side.wait_event(self._used)
            for name, tensor in self.host.items():
                self._there[name].copy_(tensor, non_blocking=True)
            self._arrived.record(self._side)

    def receive(self) -> dict[str, Tensor]:
        """The batch for work on the current stream, which waits for the copy; the host does not."""
        if self._side is not None:
            stream = torch.cuda.current_stream(self._side.device)
            stream.wait_event(self._arrived)
            for tensor in self._there.values():
                tensor.record_stream(stream)
        return self._there

    def used(self) -> None:
        """The current stream has been given all the work that it is to do with the batch."""
        if self._side is not None:
            self._used.record(torch.cuda.current_stream(self._side.device))


class Ring:
    """A thread that keeps the next `DEPTH` batches ready, from a position on, until it is stopped.

    It holds on to nothing but the rows, so that whoever owns the ring can go without ending it first.
    """

    def __init__(self, rows: Rows, order: ShuffledOrder, position: int, device: torch.device) -> None:
        self._rows, self._position, self._device = rows, position, device
        self._order = ShuffledOrder(order.count, order.batch_size, order.seed)  # its memory is one thread's
        self._free: queue.SimpleQueue[Buffer | None] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[Buffer | BaseException] = queue.SimpleQueue()
        self._stopping = threading.Event()
        # A daemon, so that a read that hangs does not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._work, name="wganx data", daemon=True)
        self._thread.start()

    def take(self) -> Buffer:
        """The next batch's buffer, to be given back by `release`; raises what the thread was ended by.

        Raises:
            NoAnswer: no batch came for so long that none is waited for any more.
        """
        try:
            found = self._ready.get(timeout=patience.TELL)
        except queue.Empty:
            _log.warning(patience.waiting())
            try:
                found = self._ready.get(timeout=patience.LONGEST - patience.TELL)
            except queue.Empty:
                raise NoAnswer(patience.no_answer(patience.LONGEST)) from None
        if isinstance(found, Exception):
            raise found
        if isinstance(found, BaseException):  # an exit is the reading thread's, not the training's
            raise DataError(f"what reads the data ended by {type(found).__name__}: {found}") from found
        return found

    def release(self, buffer: Buffer) -> None:
        """Lets the thread fill a buffer again."""
        buffer.used()
        self._free.put(buffer)

    def stop(self) -> None:
        """Ends the thread, and waits for it a few seconds at most."""
        self._stopping.set()
        self._free.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE)

    def _work(self) -> None:
        try:
            side = None
            if self._device.type == "cuda":
                torch.cuda.set_device(self._device)  # a thread has a current device of its own
                side = torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
            item = self._rows.item()
            for _ in range(DEPTH):
                self._free.put(Buffer(item, self._order.batch_size, side))
            for batch in itertools.count(self._position):
                buffer = self._free.get()
                if buffer is None or self._stopping.is_set():
                    return
                buffer.wait_until_sent()
                buffer.unreadable = self._rows.read(self._order.indices(batch), buffer.host)
                buffer.send()
                self._ready.put(buffer)
        except BaseException as error:  # whatever it is, who waits for a batch must hear of it
            self._ready.put(error)


def _as_bytes(tensor: Tensor) -> NDArray[np.uint8]:
    """Rows of bytes ``(N, bytes a row)`` over the same memory, whatever the type."""
    return tensor.view(len(tensor), -1).view(torch.uint8).numpy()

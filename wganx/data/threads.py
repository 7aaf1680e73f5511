"""Reading many files at once: threads, because files and their decoders wait outside the interpreter's lock."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from wganx.data.watchdog import Wait, answered
from wganx.errors import NoAnswer

T = TypeVar("T")

_CHUNK = 64
_CHUNKS_A_THREAD = 4
_PATIENCE = 5.0


def thread_count() -> int:
    """How many threads read files: one a core, and 16 at most."""
    return min(os.cpu_count() or 1, 16)


def for_each_index(
    count: int, work: Callable[[int], T], *, threads: int | None = None, doing: str = "reading files"
) -> list[T]:
    """``[work(0), ..., work(count - 1)]``, computed by several threads; the first exception ends it and is raised.

    Args:
        doing: what this is, in words, where no file answers any more.

    Raises:
        NoAnswer: for a long time no `work` came to its end.
    """
    workers = threads or thread_count()
    # Few items may be long ones, such as films: then every thread gets some.
    size = max(1, min(_CHUNK, count // (_CHUNKS_A_THREAD * workers)))
    starts = range(0, count, size)
    todo, done = queue.SimpleQueue[int](), queue.SimpleQueue[tuple[int, list[T] | BaseException]]()
    ending = threading.Event()

    def thread() -> None:
        while not ending.is_set():
            try:
                start = todo.get_nowait()
            except queue.Empty:
                return
            found: list[T] = []
            try:
                for index in range(start, min(start + size, count)):
                    found.append(work(index))
                    answered()
                done.put((start, found))
            except BaseException as error:  # whatever it is, who waits must hear of it
                ending.set()
                done.put((start, error))

    for start in starts:
        todo.put(start)
    # Daemons, and none of a pool's: the interpreter would wait for a read that hangs before it ends.
    workers = min(workers, len(starts))
    crew = [threading.Thread(target=thread, name=f"wganx reading {n}", daemon=True) for n in range(workers)]
    results: dict[int, list[T] | BaseException] = {}
    patience = _PATIENCE
    try:
        with Wait(doing):
            for each in crew:
                each.start()
            while len(results) < len(starts) and not ending.is_set():
                results.update([done.get()])
    except NoAnswer:
        patience = 0.0
        raise
    finally:
        ending.set()
        until = time.monotonic() + patience
        for each in crew:
            if each.ident is not None:
                each.join(max(0.0, until - time.monotonic()))
    while not done.empty():
        results.update([done.get()])
    whole: list[T] = []
    for start in sorted(results):  # of several that failed, the first
        found = results[start]
        if isinstance(found, BaseException):
            raise found
        whole += found
    return whole

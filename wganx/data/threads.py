"""Reading many files at once: threads, because files and their decoders wait outside the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_CHUNK = 64
_CHUNKS_A_THREAD = 4


def thread_count() -> int:
    """How many threads read files: one a core, and 16 at most."""
    return min(os.cpu_count() or 1, 16)


def for_each_index(count: int, work: Callable[[int], T], *, threads: int | None = None) -> list[T]:
    """``[work(0), ..., work(count - 1)]``, computed by several threads; the first exception ends it and is raised."""

    workers = threads or thread_count()
    # Few items may be long ones, such as films: then every thread gets some.
    size = max(1, min(_CHUNK, count // (_CHUNKS_A_THREAD * workers)))

    def chunk(start: int) -> list[T]:
        return [work(index) for index in range(start, min(start + size, count))]

    pool = ThreadPoolExecutor(workers)
    try:
        return [result for results in pool.map(chunk, range(0, count, size)) for result in results]
    finally:
        pool.shutdown(cancel_futures=True)

"""Reading many files at once: threads, because files and their decoders wait outside the interpreter's lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_CHUNK = 64


def thread_count() -> int:
    """How many threads read files: one a core, and 16 at most."""
    return min(os.cpu_count() or 1, 16)


def for_each_index(count: int, work: Callable[[int], T], *, threads: int | None = None) -> list[T]:
    """``[work(0), ..., work(count - 1)]``, computed by several threads; the first exception ends it and is raised."""

    def chunk(start: int) -> list[T]:
        return [work(index) for index in range(start, min(start + _CHUNK, count))]

    pool = ThreadPoolExecutor(threads or thread_count())
    try:
        return [result for results in pool.map(chunk, range(0, count, _CHUNK)) for result in results]
    finally:
        pool.shutdown(cancel_futures=True)

"""Decoding every item of a split once, whatever becomes of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from wganx.data.decoded import DecodedItems, refuse_if_too_many
from wganx.data.items import check_alike
from wganx.data.threads import for_each_index
from wganx.data.watchdog import read_item

if TYPE_CHECKING:
    from torch import Tensor

log = logging.getLogger(__name__)

_FIRST_WORD = 5.0
_BETWEEN_WORDS = 15.0


def decode_all(items: DecodedItems, place: Callable[[int, Mapping[str, Tensor]], None], doing: str) -> list[int]:
    """Calls ``place(i, items[i])`` for every item, from several threads and in no particular order.

    `doing` says in words what this is; when it takes longer than a few seconds, it is told with how far it came.

    Returns:
        The items that are unreadable, and were replaced.

    Raises:
        DataError: more than 5 % are unreadable, or the items are not alike.
    """
    first = read_item(items, 0)
    progress = Progress(len(items), doing, items.unit)

    def read(index: int) -> bool:
        item = items.attempt(index)
        if item is not None:
            check_alike(first, item, index)
            place(index, item)
        progress.one_more()
        return item is not None

    readable = for_each_index(len(items), read, doing=doing)
    refuse_if_too_many(items, items.unreadable)
    replaced = [index for index, found in enumerate(readable) if not found]
    for index in replaced:
        item = read_item(items, index)
        check_alike(first, item, index)
        place(index, item)
    return replaced


class Progress:
    """Says how far a long work has come; silent when it is short."""

    def __init__(self, whole: int, doing: str, unit: str) -> None:
        self._whole, self._doing, self._unit = whole, doing, unit
        self._done = 0
        self._begun = time.monotonic()
        self._next_word = self._begun + _FIRST_WORD
        self._counting = threading.Lock()

    def one_more(self) -> None:
        """Another one is done; called by any thread."""
        with self._counting:
            self._done += 1
            now = time.monotonic()
            if now < self._next_word or self._done == self._whole:
                return
            self._next_word = now + _BETWEEN_WORDS
            done = self._done
        left = (now - self._begun) / done * (self._whole - done)
        # A warning, because nobody would see anything less, and a silent minute looks like a hang.
        log.warning(
            "%s: %s of %s %s, about %.0f s left", self._doing, f"{done:,}", f"{self._whole:,}", self._unit, left
        )

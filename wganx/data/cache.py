"""The cache folder: entries that appear whole or not at all, whoever writes them at the same time."""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from wganx.storage import remove_folder

log = logging.getLogger(__name__)

UNUSED_DAYS = 60
"""An entry that was not used for so long goes when another is written."""
_ABANDONED_DAYS = 1
_LEFT_BEHIND = (".writing", ".removing", ".replaced")
"""How the names end that `wganx.storage` gives to what it has not finished with."""
_PATIENCE = 3.0
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)
_DAY = 24 * 60 * 60


@contextmanager
def only_one(folder: Path, slot: str) -> Iterator[None]:
    """Lets one process at a time into the work on a slot of `folder`, and says when it has to wait.

    Where the file system knows no locks everyone is let in: work is then done twice, and still ends well.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{slot}.lock")
    try:
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            log.warning("another process is decoding the same files; waiting for it to end")
            lock.acquire()
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()


def tidy(entry: Path, slot: str) -> None:
    """Removes other states of the slot, what was not used for long, and what killed processes left behind.

    Who has an entry open keeps it: the files go once nobody maps them.
    """
    for other in entry.parent.iterdir():
        if other == entry or not other.is_dir():
            continue
        left_behind = other.name.startswith(".") and other.name.endswith(_LEFT_BEHIND)
        days = UNUSED_DAYS if not left_behind else _ABANDONED_DAYS
        if other.name.startswith(f"{slot}-") or _days_since_use(other) > days:
            with suppress(OSError):  # somebody else removes it, or may
                remove_folder(other)


def mark_used(file: Path) -> None:
    """Notes that the entry of this file is in use today."""
    try:
        os.utime(file)
    except OSError:  # a cache that may only be read is tidied by who may write it
        log.debug("%s cannot be touched", file)


def _days_since_use(folder: Path) -> float:
    try:
        newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
    except OSError:  # somebody else removes it
        return 0.0
    return (time.time() - newest) / _DAY

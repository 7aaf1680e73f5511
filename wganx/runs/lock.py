"""One training at a time in a run folder."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from wganx.errors import UsageError

NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Inside, no other process trains in `folder`. The system frees the lock when the process ends, however it ends.

    Raises:
        UsageError: another process does so now; says which, where and since when.
    """
    with (folder / NAME).open("ab+") as file:
        if not _take(file):
            raise UsageError(f"{folder} is in use by {_holder(folder / NAME)}; wait until it has ended, or stop it")
        file.truncate(0)
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        holder = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
        file.write((json.dumps(holder) + "\n").encode("ascii"))
        file.flush()
        try:
            yield
        finally:
            with suppress(OSError):
                file.truncate(0)
            # The file stays: whoever removed it could take away the lock of one who came between.


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        return f"process {told['process']} on {told['host']} since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


if os.name == "nt":
    import msvcrt

    _FAR = 1 << 30  # a region that nothing is written to: Windows forbids others to read what is locked

    def _take(file: BinaryIO) -> bool:
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

else:
    import fcntl

    def _take(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # A file system that knows no locks: better without than not at all.
            return True
        return True

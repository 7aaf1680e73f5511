"""One training at a time in a run folder, and whether one goes on there now."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from wganx.errors import UsageError, WganxError
from wganx.storage import open_to_add, take
from wganx.stored import open_file

NAME = ".lock"
CUT_OFF = "it ended without a word, as when a process is killed or its machine goes down"


class FolderGone(WganxError):
    """Where a folder was, there is none any more, or another one."""


class Held:
    """The lock of a folder, as long as it is held."""

    def __init__(self, folder: Path, holder: bytes) -> None:
        self._folder, self._holder = folder, holder

    def check(self) -> None:
        """That what is written into the folder still goes there: a mount that is gone leaves an empty folder behind.

        Raises:
            FolderGone: it is not the folder that was locked.
        """
        found = None
        with suppress(OSError):  # by its content: not every file system gives a file the same number twice
            found = (self._folder / NAME).read_bytes()
        if found != self._holder:
            raise FolderGone(
                f"{self._folder} is not the folder any more in which this began: its disk is gone, it was moved or "
                "removed, or another process took it; nothing is written to what is there now; bring it back, then go "
                "on with wganx resume"
            )


@contextmanager
def locked(folder: Path) -> Iterator[Held]:
    """Inside, no other process trains in `folder`. The system frees the lock when the process ends, however it ends.

    Raises:
        UsageError: another process does so now; says which, where and since when.
    """
    with open_to_add(folder / NAME) as file:
        if not (take(file) or _take_again(file)):
            raise UsageError(f"{folder} is in use by {_holder(folder / NAME)}; wait until it has ended, or stop it")
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        holder = json.dumps({"process": os.getpid(), "host": socket.gethostname(), "since": since}) + "\n"
        try:
            file.truncate(0)
            file.write(holder.encode("ascii"))
            file.flush()
        except OSError as error:  # which knows no name of a file that is open
            raise OSError(error.errno, error.strerror, str(folder / NAME)) from error
        try:
            yield Held(folder, holder.encode("ascii"))
        finally:
            with suppress(OSError):
                file.truncate(0)
            # The file stays: whoever removed it could take away the lock of one who came between.


def held(folder: Path) -> bool:
    """Whether a process trains in `folder` now; where that cannot be told, it is believed to."""
    try:
        with open_file(folder / NAME) as file:
            # Whoever ended in order left it empty; whoever was killed did not, and the system has freed it.
            return bool(file.read(1)) and not _free(file)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def as_they_are(facts: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The facts of ``run.json``, honestly: a run that is said to be running and whose lock nobody holds was cut off.

    It counts as interrupted, since it goes on like one that was.
    """
    if facts.get("status") == "running" and not held(folder):
        return {**facts, "status": "interrupted", "error": CUT_OFF}
    return facts


def _take_again(file: BinaryIO) -> bool:
    """A second try: who only asks whether it is `held` has it for an instant."""
    time.sleep(0.05)
    return take(file)


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        return f"process {told['process']} on {told['host']} since {told['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


if os.name == "nt":

    def _free(file: BinaryIO) -> bool:
        return take(file)  # given back when the file is closed

else:
    import fcntl

    def _free(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: those who ask do not stand in each other's way
        except OSError:
            return False
        return True

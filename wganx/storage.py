"""Writing to disk: what is written is there whole, or not at all; the one home of that.

A file or folder is written aside, under a hidden name beside its own, synced to the disk, and renamed. A kill at any
moment leaves the old one or the new one.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def write_whole(path: Path, content: str | bytes) -> None:
    """Make `content` the content of the file `path`; text as UTF-8, its line breaks as they are.

    Raises:
        OSError: the folder cannot be written; the old file is as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    # A name of its own, which exists for nobody else: no link that lies in wait is followed.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".writing", dir=path.parent)
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o666 & ~_umask())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new, empty folder to write into, which becomes `path` when the work inside ends well and vanishes otherwise.

    A folder that is there already is replaced. Files inside are synced here.

    Raises:
        OSError: the parent folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".writing", dir=path.parent))
    try:
        aside.chmod(0o777 & ~_umask())
        yield aside
        for file in aside.rglob("*"):
            sync(file)
        sync(aside)
        _take_the_place_of(path, aside)
        sync(path.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def append_line(path: Path, values: Mapping[str, Any]) -> None:
    """Add one object to a ``.jsonl`` file, synced to the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values) + "\n")
        file.flush()
        os.fsync(file.fileno())


def remove_folder(path: Path) -> None:
    """Remove a folder, so that a removal cut short leaves nothing under its name."""
    condemned = path.with_name(f".{path.name}.removing")
    shutil.rmtree(condemned, ignore_errors=True)
    path.rename(condemned)
    shutil.rmtree(condemned)


def sync(path: Path) -> None:
    """Flush a file or, where the system can, a folder's entries to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _take_the_place_of(path: Path, aside: Path) -> None:
    try:
        aside.rename(path)
    except OSError:
        if not path.exists():
            raise
        replaced = path.with_name(f".{path.name}.replaced")
        shutil.rmtree(replaced, ignore_errors=True)
        path.rename(replaced)
        aside.rename(path)
        shutil.rmtree(replaced)


def _umask() -> int:
    """Temporary files are made for their owner alone; what takes their place has the rights of any new file."""
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""How many windows the files of a split have: counted once, kept in the cache folder."""

from __future__ import annotations

import io
import json
import logging
import operator
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from wganx.data.cache import mark_used, tidy
from wganx.data.decoded import UNREADABLE_SHARE, first_few
from wganx.data.decoding import Progress
from wganx.data.identity import SCHEMA, Unidentified, identify
from wganx.data.items import reason_of
from wganx.data.threads import for_each_index
from wganx.errors import DataError
from wganx.places import cache_folder
from wganx.storage import whole_folder, write_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from wganx.data.files import FileTree
    from wganx.data.layout import Split

    Counted = tuple[NDArray[np.int64], dict[str, str]]

log = logging.getLogger(__name__)

WORTH_SECONDS = 1.0
"""Files that are counted faster than this are counted at every start and leave nothing on the disk."""
_HEADER, _COUNTS = "header.json", "counts.npy"


def count_windows(
    tree: FileTree,
    split: Split,
    paths: Sequence[str],
    windows: Callable[[BinaryIO, str], int],
    stamps: Iterable[str] | None,
) -> Counted:
    """The number of windows of each of `paths`, int64, and the reasons why some have none, by path.

    From the cache folder where the files, their `stamps` and the source of `windows` are those of an earlier time;
    otherwise counted, and kept there if that took long.

    Raises:
        DataError: no file has a window, or more than 5 % have none; or `windows` returned what is no count.
    """
    entry, why_not = None, ""
    try:
        identity = identify(tree.root, (split, windows), stamps)
        entry = cache_folder() / "windows" / str(identity)
    except (Unidentified, OSError) as error:
        why_not = str(error)
    counted = _read(entry, len(paths)) if entry is not None else None
    if counted is not None and _count(tree, list(counted[1]), windows)[0].any():
        counted = None  # a file that could not be read can be now: the trouble was passing
    if counted is None:
        begun = time.perf_counter()
        counted = _count(tree, paths, windows)
        if time.perf_counter() - begun > WORTH_SECONDS:
            try:
                if entry is not None:
                    _keep(tree.root, entry, identity.slot, counted)
            except OSError as error:
                why_not = reason_of(error)
            if why_not:
                log.warning("the windows of %s are counted anew at every start, because %s", tree.root, why_not)
    _refuse(tree, split, paths, counted)
    return counted


def _count(tree: FileTree, paths: Sequence[str], windows: Callable[[BinaryIO, str], int]) -> Counted:
    counts = np.zeros(len(paths), dtype=np.int64)
    progress = Progress(len(paths), f"counting the windows of {tree.root}", "files")

    def count(index: int) -> str | None:
        path, reason = paths[index], None
        found: object = 0
        try:
            with tree.open(path) as source:
                found = windows(source, path)
        except MemoryError:
            raise
        except Exception as error:  # any failure of a reader is the file's, until too many fail
            reason = reason_of(error, path)
        counts[index] = _whole(found, path)
        if not counts[index] and reason is None:
            reason = f"no window fits into its {tree.sizes[path]:,} bytes"
        progress.one_more()
        return reason

    reasons = for_each_index(len(paths), count, doing=f"reading {tree.root}")
    return counts, {path: reason for path, reason in zip(paths, reasons) if reason is not None}


def _whole(found: object, path: str) -> int:
    try:
        count = operator.index(found)  # type: ignore[arg-type]
    except TypeError:
        count = -1
    if count < 0:
        raise DataError(f"the number of windows of {path} is to be a whole number of 0 or more, and was {found!r}")
    return count


def _refuse(tree: FileTree, split: Split, paths: Sequence[str], counted: Counted) -> None:
    """Refuses a split in which too many files have no window, and names those of which it may be made without."""
    counts, left_out = counted
    if not counts.any():
        raise DataError(
            f"no file of the split {split!r} in {tree.root} gives a window ({len(left_out)} of {len(paths)} have none)"
            f"; take a shorter window, or give others:{first_few(left_out)}"
        )
    whole = len(tree.layout.train) + len(tree.layout.heldout)
    if len(left_out) > UNREADABLE_SHARE * whole:
        raise DataError(
            f"{len(left_out)} of {whole} files in {tree.root} have no window or cannot be read, and at most "
            f"{UNREADABLE_SHARE:.0%} are left out; take a shorter window, or mend or remove them:{first_few(left_out)}"
        )
    if left_out:
        log.warning(
            "%d of %d files in %s are left out, having no window:%s",
            len(left_out), whole, tree.root, first_few(left_out),
        )  # fmt: skip


def _read(entry: Path, files: int) -> Counted | None:
    """What is kept, or None where there is nothing, or something torn or foreign."""
    try:
        header = json.loads((entry / _HEADER).read_text(encoding="ascii"))
        counts = np.load(entry / _COUNTS, allow_pickle=False)
        if header["schema"] != SCHEMA or header["identity"] != entry.name:
            return None
        if counts.shape != (files,) or counts.dtype != np.int64 or (counts < 0).any():
            return None
        left_out = {str(path): str(reason) for path, reason in header["left_out"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError):
        return None
    mark_used(entry / _HEADER)
    return counts, left_out


def _keep(root: Path, entry: Path, slot: str, counted: Counted) -> None:
    content = io.BytesIO()
    np.save(content, counted[0], allow_pickle=False)
    header = {"schema": SCHEMA, "identity": entry.name, "root": str(root), "left_out": counted[1]}
    with whole_folder(entry) as aside:
        write_whole(aside / _COUNTS, content.getvalue())
        write_whole(aside / _HEADER, json.dumps(header, indent=1))
    tidy(entry, slot)

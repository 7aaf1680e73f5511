"""Long files: an item is a window of one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from wganx.data.decoded import TreeItems
from wganx.data.window_index import count_windows

if TYPE_CHECKING:
    from torch import Tensor

    from wganx.batch import SampleFormat
    from wganx.data.files import FileTree
    from wganx.data.layout import Split
    from wganx.data.listing import Listing


log = logging.getLogger(__name__)

_LONG_BYTES = 16 * 2**20


class WindowItems(TreeItems):
    """One item a window of a file of a split, read when asked for; no file is ever read whole for it.

    Splits are by file, never by window, and by group where one is named. The windows of file ``f`` follow those of
    file ``f - 1``; the index takes 8 bytes a file, however many windows there are.

    Attributes:
        paths: relative path of each file that has a window.
        left_out: reason by path, for the files that have none or cannot be read.
    """

    unit = "windows"

    def __init__(
        self,
        tree: FileTree,
        split: Split,
        windows: Callable[[BinaryIO, str], int],
        decode: Callable[[BinaryIO, str, int], Mapping[str, Tensor]],
        formats: Mapping[str, SampleFormat],
        *,
        group: Callable[[str], str | None] | None = None,
        label: str | None = "label",
        listing: Listing | None = None,
    ) -> None:
        """Asks every file of the split for its windows, with several threads, unless that is known from before.

        `windows` and `decode` are called by several threads at once, must be deterministic, and importable by name
        (or a `functools.partial` of such) for worker processes and for the cache.

        Args:
            tree: the folder or archive.
            split: which of its splits.
            windows: `windows(source, path)` says how many windows a file has. `source` is the opened file, seekable
                and at its begin; where the file lies in a folder, `source.name` is its path on the disk. It should
                read a header, not the file. What it raises is the reason why that file is left out: say there how
                long the file is and how long a window.
            decode: `decode(source, path, window)` makes the tensors of window 0, 1, ..., the same keys, shapes and
                types for every one. Whatever it raises is the reason why that window is unreadable.
            formats: of every tensor that `decode` makes, as it is stored.
            group: what a file belongs to (a speaker, a scene), all of which lies in one split: see `Layout.by_group`.
            label: under which key the class folders' label is added, as `FileItems` does; None for no label.
            listing: splits and labels, in place of those of folders.

        Raises:
            DataError: the split has no files, no file has a window, more than 5 % have none, all are of one group,
                a label is one of the `formats`, or `windows` returned what is no count.
        """
        super().__init__(tree, split, formats, recipe=(windows, decode), group=group, label=label, listing=listing)
        self.decode = decode
        counts, self.left_out = count_windows(tree, split, self.paths, windows, super().stamps())
        self.paths = tuple(path for path, count in zip(self.paths, counts.tolist()) if count)
        self._ends = np.cumsum(counts[counts > 0])
        self._warn_of_slow_seeks()

    def __len__(self) -> int:
        return int(self._ends[-1])

    def place(self, index: int) -> tuple[str, int]:
        """Path of the file and number of the window that item `index` (from 0 on) is."""
        file = int(np.searchsorted(self._ends, index, side="right"))
        return self.paths[file], index - (int(self._ends[file - 1]) if file else 0)

    def name(self, index: int) -> str:
        path, window = self.place(index)
        return f"{path}, window {window}"

    def _warn_of_slow_seeks(self) -> None:
        slow = next(
            (path for path in self.paths if self.tree.sizes[path] >= _LONG_BYTES and not self.tree.seeks_at_once(path)),
            None,
        )
        if slow is not None:
            log.warning(
                "%s is compressed in %s, so for every window all before it is unpacked; unpack the archive, or store "
                "what is in it as it is (zip -0)",
                slow,
                self.tree.root,
            )

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        path, window = self.place(index)
        with self.tree.open(path) as source:
            return {**self.decode(source, path, window), **self.labels(path)}

"""Items: what a dataset opens, one dict of tensors in storage types each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import torch

from wganx.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

    from wganx.batch import SampleFormat
    from wganx.data.files import FileTree
    from wganx.data.layout import Split

UNREADABLE_SHARE = 0.05
_SURE_FROM = 20


class Items(Protocol):
    """What a feed is made of: the shape of `wganx.Items`, which lives a floor above.

    Items that may fail one by one and put another in the place of a failed one (as `FileItems` does) also have
    ``unreadable``, a dict from the name of what failed to the reason, which feeds report.
    """

    format: SampleFormat

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Mapping[str, Tensor]: ...


class ArrayItems:
    """Items that are in memory: row ``i`` of every tensor is item ``i``.

    Attributes:
        tensors: each ``(N, ...)``, in storage types.
        format: what ``sample`` means once a task has turned it into a batch.
    """

    def __init__(self, tensors: Mapping[str, Tensor], format: SampleFormat) -> None:
        """
        Raises:
            DataError: no tensors, no rows, tensors of different lengths, or labels that do not fit `format.classes`.
        """
        lengths = {name: len(tensor) if tensor.dim() else 0 for name, tensor in tensors.items()}
        if not lengths or 0 in lengths.values():
            raise DataError(f"a dataset needs tensors with at least one row each, got rows {lengths}")
        if len(set(lengths.values())) > 1:
            raise DataError(f"every tensor needs as many rows as the others, got {lengths}")
        self.tensors = dict(tensors)
        self.format = format
        if format.classes:
            self._check_labels(len(format.classes))

    def __len__(self) -> int:
        return len(next(iter(self.tensors.values())))

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        row = range(len(self))[index]
        return {name: tensor[row] for name, tensor in self.tensors.items()}

    def gather(self, indices: Tensor) -> dict[str, Tensor]:
        """Rows `indices` ``(N,)`` of every tensor, ``(N, ...)``, on the tensors' device."""
        return {name: tensor.index_select(0, indices) for name, tensor in self.tensors.items()}

    def _check_labels(self, classes: int) -> None:
        label = self.tensors.get("label")
        if label is None or label.dtype != torch.int64 or label.dim() != 1:
            raise DataError("a format with classes needs a tensor 'label' of shape (N,) and type int64")
        low, high = int(label.min()), int(label.max())
        if low < 0 or high >= classes:
            raise DataError(f"labels must lie in 0 .. {classes - 1} for {classes} classes, got {low} .. {high}")


class FileItems:
    """One item a file of a split, decoded when asked for; ``label`` (int64 scalar) where there are class folders.

    A file that cannot be read or decoded is remembered in `unreadable`, and the next readable one takes its place:
    the length never changes, and item ``i`` is the same however the items are read. More than 5 % are refused.

    Attributes:
        format: the given one, with the class folders' names.
        paths: relative path of each file.
        unreadable: reason by path, for the files that failed so far.
    """

    def __init__(
        self,
        tree: FileTree,
        split: Split,
        decode: Callable[[bytes, str], Mapping[str, Tensor]],
        format: SampleFormat,
    ) -> None:
        """`decode(content, path)` makes the item's tensors, the same keys, shapes and types for every file.

        It must be deterministic, and importable by name (or a `functools.partial` of such) to be used by workers.
        Whatever it raises is the reason why that file is unreadable.

        Raises:
            DataError: the split has no files.
        """
        self.tree = tree
        self.split = split
        self.decode = decode
        self.paths = tree.layout.files(split)
        if not self.paths:
            raise DataError(
                f"{tree.root} holds {len(tree.paths)} file, which leaves none for the split {split!r}; "
                "at least 2 are needed"
            )
        self.format = replace(format, classes=tree.layout.classes)
        self.unreadable: dict[str, str] = {}
        self._label_of = {name: label for label, name in enumerate(self.format.classes)}

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """
        Raises:
            DataError: more than 5 % of all files turned out to be unreadable.
        """
        place = range(len(self))[index]
        while (item := self.attempt(place)) is None:
            refuse_if_too_many(self, self.unreadable)
            place = (place + 1) % len(self)
        return item

    def attempt(self, index: int) -> dict[str, Tensor] | None:
        """Item `index`, or None (and a line in `unreadable`) when that very file cannot be read."""
        path = self.paths[index]
        if path in self.unreadable:
            return None
        try:
            item = dict(self.decode(self.tree.read(path), path))
        except MemoryError:
            raise
        except Exception as error:  # any failure of a reader or decoder is the file's, until too many fail
            self.unreadable[path] = reason_of(error)
            return None
        if (name := self.tree.layout.class_of(path)) is not None:
            item["label"] = torch.tensor(self._label_of[name])
        return item


def refuse_if_too_many(items: Items, unreadable: Mapping[str, str], *, drawn: int = 0) -> None:
    """Refuses data of which more than 5 % cannot be read.

    When `drawn` items were read so far, at random and each once, it also refuses early: from 20 items on, if the
    failures among them lie 4 standard deviations above what 5 % would give. So data with fewer failures is not
    refused for an unlucky start, and data with many does not train for half an epoch first.

    Raises:
        DataError: with the count, the share and the first few files and reasons.
    """
    failed, count = len(unreadable), len(items)
    expected = UNREADABLE_SHARE * drawn
    unlikely = expected + 4 * math.sqrt(expected * (1 - UNREADABLE_SHARE))
    if failed > UNREADABLE_SHARE * count:
        found = f"{failed} of {count} files"
    elif _SURE_FROM <= drawn < count and failed > unlikely:
        found = f"{failed} of the first {drawn} files"
    else:
        return
    where = f" in {items.tree.root}" if isinstance(items, FileItems) else ""
    first = "".join(f"\n  {path}: {reason}" for path, reason in list(unreadable.items())[:5])
    more = f"\n  and {failed - 5} more" if failed > 5 else ""
    raise DataError(
        f"{found}{where} cannot be read, and at most {UNREADABLE_SHARE:.0%} are skipped; "
        f"mend or remove them:{first}{more}"
    )


def check_alike(first: Mapping[str, Tensor], item: Mapping[str, Tensor], index: int) -> None:
    """Raises DataError unless `item` has the keys, shapes and types of `first`."""
    if item.keys() == first.keys() and all(
        tensor.shape == first[name].shape and tensor.dtype == first[name].dtype for name, tensor in item.items()
    ):
        return
    raise DataError(
        f"item {index} is {describe(item)}, but the first is {describe(first)}; every item must be alike, "
        "so let the dataset bring them to one size"
    )


def describe(item: Mapping[str, Tensor]) -> str:
    """The keys, types and shapes of an item in words: ``sample uint8 (3, 32, 32), label int64 ()``."""
    return ", ".join(
        f"{name} {str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
        for name, tensor in sorted(item.items())
    )


def reason_of(error: Exception) -> str:
    """An exception in one line of at most 200 characters."""
    text = " ".join(str(error).split())
    if not isinstance(error, DataError):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"

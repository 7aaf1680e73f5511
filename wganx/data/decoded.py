"""Items that are decoded when asked for, each of which may fail: the base, and one item a file."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from wganx.batch import SampleFormat
from wganx.data.finite import SAMPLE, amiss
from wganx.data.items import check_item, reason_of
from wganx.errors import DataError, NoAnswer

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from wganx.data.files import FileTree
    from wganx.data.layout import Split
    from wganx.data.listing import Listing

MOST_BYTES = 2**31
"""Of a file that is read whole to be decoded: more than the largest picture that is decoded has, uncompressed."""
UNREADABLE_SHARE = 0.05
_SURE_FROM = 20


class DecodedItems(ABC):
    """Items that are decoded when asked for: in threads, in worker processes, or once into a pack.

    A subclass says how many there are, what each is called, and how one is decoded. With that it promises that
    `decode_item` may be called by several threads at once and gives the same every time; and that it pickles, where
    worker processes are wanted.

    An item that cannot be decoded is noted in `unreadable`, and the next readable one takes its place: the length never
    changes, and item ``i`` is the same however the items are read. More than 5 % of all splits' items are refused.

    Attributes:
        formats: of every key of an item, as it is stored.
        root: where the items come from, for messages and for the pack's name.
        recipe: what they are made by: functions that can be imported, `functools.partial` of such, plain values. The
            functions' source is part of a pack's name.
        unreadable: reason by name, for the items that failed so far.
        unit: what the items are in messages.
    """

    unit = "items"
    _kept: dict[int, dict[str, Tensor]] | None = None
    _room = 0

    def __init__(self, formats: Mapping[str, SampleFormat], *, root: Path, recipe: Sequence[object]) -> None:
        self.formats: Mapping[str, SampleFormat] = dict(formats)
        self.root = root
        self.recipe = tuple(recipe)
        self.unreadable: dict[str, str] = {}

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def name(self, index: int) -> str:
        """What item `index` (from 0 on) is called in messages; no two alike."""

    @abstractmethod
    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        """Item `index` (from 0 on); whatever is raised is the reason why that item is unreadable."""

    def whole(self) -> int:
        """How many items all splits of the data have, as near as is known; of these at most 5 % may be unreadable."""
        return len(self)

    def remember(self, most_bytes: int = 256 * 2**20) -> None:
        """From now on keeps items that were decoded, up to so much memory, so that they are not decoded again."""
        self._kept, self._room = {}, most_bytes

    @contextmanager
    def remembering(self, most_bytes: int) -> Iterator[None]:
        """Inside, as after `remember`: who opens items asks for some of them several times."""
        before = self._kept, self._room
        if self._kept is None:
            self.remember(most_bytes)
        try:
            yield
        finally:
            self._kept, self._room = before

    def stamps(self) -> Iterable[str] | None:
        """Texts of which one is another when an item is, in a fixed order: size and time of every file.

        None, the default, where that is not known: such items are never packed.
        """
        return None

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """
        Raises:
            DataError: an item is not what the formats say, or more than 5 % of all turned out to be unreadable.
        """
        place = range(len(self))[index]
        while (item := self.attempt(place)) is None:
            refuse_if_too_many(self, self.unreadable)
            place = (place + 1) % len(self)
        return item

    def attempt(self, index: int) -> dict[str, Tensor] | None:
        """Item `index`, or None (and a line in `unreadable`) when that very one cannot be decoded.

        Raises:
            DataError: the item is not what the formats say.
        """
        if self._kept and (kept := self._kept.get(index)) is not None:
            return {name: tensor.clone() for name, tensor in kept.items()}
        if self.unreadable and self.name(index) in self.unreadable:
            return None
        try:
            item = dict(self.decode_item(index))
        except (MemoryError, NoAnswer):
            raise
        except Exception as error:  # any failure of a reader or decoder is the item's, until too many fail
            self.unreadable[self.name(index)] = reason_of(error, self.name(index))
            return None
        check_item(item, self.formats, self.name(index))
        if SAMPLE in item and (broken := amiss(item[SAMPLE])):
            self.unreadable[self.name(index)] = f"its values are not finite: {broken}"
            return None
        if self._kept is not None and (size := sum(tensor.nbytes for tensor in item.values())) <= self._room:
            self._kept[index] = {name: tensor.clone() for name, tensor in item.items()}
            self._room -= size
        return item


class TreeItems(DecodedItems):
    """Items that are made of the files of a split, with a label where there are class folders, or those of a listing.

    Attributes:
        tree: the folder or archive.
        split: which of its splits.
        layout: how it is split: the tree's own layout, or that by groups or of the listing.
        listing: what is said of the files beside their content; None where folders say it.
        paths: relative path of each file.
        label_key: under which key the class folders' label is; None without.
        label_wanted: whether class folders, where there are any, give a label.
        details: what its maker found of the files, a sentence each.
        remarks: what of that may not be meant, a sentence each with the mend.
    """

    unit = "files"

    def __init__(
        self,
        tree: FileTree,
        split: Split,
        formats: Mapping[str, SampleFormat],
        *,
        recipe: Sequence[object],
        group: Callable[[str], str | None] | None = None,
        label: str | None = "label",
        listing: Listing | None = None,
    ) -> None:
        """
        Raises:
            DataError: the split has no files, or a label is one of the `formats`.
        """
        self.tree = tree
        self.split: Split = split
        self.listing = listing
        if listing is not None:
            label, self.layout = None, listing.layout
        else:
            self.layout = tree.layout if group is None else tree.layout.by_group(group)
        self.paths = self.layout.files(split)
        if not self.paths:
            raise DataError(
                f"{tree.root} holds {len(tree.paths)} file, which leaves none for the split {split!r}; "
                "at least 2 are needed"
            )
        classes = self.layout.classes
        self.label_wanted = label is not None
        self.label_key = label if classes else None
        self.details: Sequence[str] = ()
        self.remarks: Sequence[str] = ()
        if self.label_key in formats:
            raise DataError(
                f"{label!r} is the label of the class folders in {tree.root}, and a format of the decoder's own; "
                "give the folders' label another key, or label=None"
            )
        named = {self.label_key: classes} if self.label_key else {}
        if listing is not None:
            # Where all are of one class, there is nothing to tell apart.
            named = {name: values for name, values in listing.classes.items() if len(values) > 1}
        if both := sorted(named.keys() & formats.keys()):
            raise DataError(f"{both[0]!r} is a label of the files in {tree.root}, and a format of the decoder's own")
        self._label_of = {
            name: {value: number for number, value in enumerate(values)} for name, values in named.items()
        }
        labels = {name: SampleFormat.label(values) for name, values in named.items()}
        super().__init__({**formats, **labels}, root=tree.root, recipe=(split, label, *recipe))

    def classes_of(self, path: str) -> Mapping[str, str]:
        """The classes of a file by the names of its labels, in words."""
        if self.listing is not None:
            return self.listing.entries[path].labels
        return {} if self.label_key is None else {self.label_key: str(self.layout.class_of(path))}

    def labels(self, path: str) -> dict[str, Tensor]:
        """The labels of a file, each an int64 scalar."""
        classes = self.classes_of(path)
        return {name: torch.tensor(numbers[classes[name]]) for name, numbers in self._label_of.items()}

    def whole(self) -> int:
        """The share of this split's files among all tells how many items the other has."""
        files = len(self.layout.train) + len(self.layout.heldout)
        return round(len(self) * files / len(self.layout.files(self.split)))

    def stamps(self) -> Iterable[str] | None:
        """Path, size, stamp and classes of every file."""
        if (stamps := getattr(self.tree, "stamps", None)) is None:
            return None
        return (
            f"{path}\0{self.tree.sizes[path]}\0{stamps[path]}\0{sorted(self.classes_of(path).items())}\0"
            for path in self.paths
        )


class FileItems(TreeItems):
    """One item a file of a split, decoded when asked for."""

    def __init__(
        self,
        tree: FileTree,
        split: Split,
        decode: Callable[[bytes, str], Mapping[str, Tensor]],
        formats: Mapping[str, SampleFormat],
        *,
        group: Callable[[str], str | None] | None = None,
        label: str | None = "label",
        listing: Listing | None = None,
    ) -> None:
        """
        Args:
            tree: the folder or archive.
            split: which of its splits.
            decode: `decode(content, path)` makes the item's tensors, the same keys, shapes and types for every file.
                It must be deterministic, and importable by name (or a `functools.partial` of such) to be used by
                workers. Whatever it raises is the reason why that file is unreadable.
            formats: of every tensor that `decode` makes, as it is stored.
            group: what a file belongs to (a speaker, a scene), all of which lies in one split: see `Layout.by_group`.
            label: under which key the class folders' label (int64 scalar) is added where there are class folders;
                None where the folders' names say nothing, or `decode` says it.
            listing: splits and labels, in place of those of folders.

        Raises:
            DataError: the split has no files, all are of one group, or a label is one of the `formats`.
        """
        super().__init__(tree, split, formats, recipe=(decode,), group=group, label=label, listing=listing)
        self.decode = decode

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, index: int) -> str:
        return self.paths[index]

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        path = self.paths[index]
        if (size := self.tree.sizes[path]) > MOST_BYTES:
            raise DataError(f"{path} has {size:,} bytes, and a file that is decoded whole {MOST_BYTES:,} at most")
        return {**self.decode(self.tree.read(path), path), **self.labels(path)}


def refuse_if_too_many(items: Sized, unreadable: Mapping[str, str], *, drawn: int = 0) -> None:
    """Refuses data of which more than 5 % cannot be read, or nothing of a split.

    The share is that of one split's failures in the items of all splits: one bad file of a hundred does no harm where
    it happens to be one of ten held-out ones.

    When `drawn` items were read so far, at random and each once, it also refuses early: from 20 items on, if the
    failures among them lie 4 standard deviations above what 5 % would give. So data with fewer failures is not
    refused for an unlucky start, and data with many does not train for half an epoch first.

    Raises:
        DataError: with the count, the share and the first few names and reasons.
    """
    failed, count = len(unreadable), len(items)
    expected = UNREADABLE_SHARE * drawn
    unlikely = expected + 4 * math.sqrt(expected * (1 - UNREADABLE_SHARE))
    unit, where, whole = "items", "", count
    if isinstance(items, DecodedItems):
        unit, where, whole = items.unit, f" in {items.root}", items.whole()
    if failed > UNREADABLE_SHARE * whole:
        found = f"{failed} of {whole} {unit}"
    elif failed >= count:
        raise DataError(f"none of the {count} {unit}{where} of a split can be read; mend them:{first_few(unreadable)}")
    elif _SURE_FROM <= drawn < count and failed > unlikely:
        found = f"{failed} of the first {drawn} {unit}"
    else:
        return
    raise DataError(
        f"{found}{where} cannot be read, and at most {UNREADABLE_SHARE:.0%} are skipped; "
        f"mend or remove them:{first_few(unreadable)}"
    )


def first_few(reasons: Mapping[str, str]) -> str:
    """Five names and reasons, a line each, and how many more there are; sorted, as threads find them in any order."""
    first = "".join(f"\n  {name}: {reason}" for name, reason in sorted(reasons.items())[:5])
    return first + (f"\n  and {len(reasons) - 5} more" if len(reasons) > 5 else "")

"""What a data set says of its files beside their content: splits, labels and texts, in place of class folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from wganx.data.layout import Layout, Split
from wganx.errors import DataError
from wganx.names import composed, on_a_line

if TYPE_CHECKING:
    from wganx.data.files import FileTree


@dataclass(frozen=True, slots=True)
class Entry:
    """What a data set says of one of its files.

    Attributes:
        labels: its class by the name of each label: ``{"speaker": "anna", "emotion": "happy"}``.
        split: where the data set has splits of its own; None for a file of neither.
        group: what it belongs to where splits are drawn (a sentence that many say, a film), so that all of it lies in
            one split; None for a file that stands alone.
        text: what is said or shown in it.
        beside: paths of files that are read with it, such as a smaller film of the same; they lie in its split.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    split: Split | None = None
    group: str | None = None
    text: str = ""
    beside: tuple[str, ...] = ()


def _shown(entry: Entry) -> Entry:
    """With classes that can be shown in a line."""
    if all(on_a_line(value) == value for value in entry.labels.values()):
        return entry
    return replace(entry, labels={name: on_a_line(value) for name, value in entry.labels.items()})


class Listing:
    """The files of a tree of which a data set says something; all others are in neither split.

    Attributes:
        tree: the folder or archive.
        entries: what is said of each file, by its path.
        layout: which of them are for training, and which are held out.
    """

    def __init__(self, tree: FileTree, entries: Mapping[str, Entry], *, by: str | None = None) -> None:
        """
        Args:
            tree: the folder or archive.
            entries: what is said of its files, by path; all have the same labels.
            by: None for the splits of the entries, where there are both, and drawn ones otherwise: a tenth is held out
                by the hash of each group, or of each path that has none. ``"file"`` draws them in any case. The name
                of a label draws them too, so that all files of a class lie in one split.

        Raises:
            DataError: no entries, a file that is not there, a label that some have and others not, no such label as
                `by`, or nothing that could be held out.
        """
        self.tree = tree
        self.entries = {path: _shown(entries[path]) for path in sorted(entries)}
        if not self.entries:
            raise DataError(f"nothing is said of the {len(tree.paths):,} files in {tree.root}, so none is used")
        if self.entries.keys() - tree.sizes.keys():  # a list may write an accent otherwise than the disk does
            on_disk = {composed(path): path for path in tree.paths}
            found = {on_disk.get(composed(on_a_line(path)), path): entry for path, entry in self.entries.items()}
            self.entries = dict(sorted(found.items()))
        if missing := sorted(self.entries.keys() - tree.sizes.keys()):
            raise DataError(
                f"{len(missing):,} of {len(entries):,} listed files are not in {tree.root}, {missing[0]} first; "
                "unpack it again"
            )
        first, wanted = next((path, entry.labels.keys()) for path, entry in self.entries.items())
        for path, entry in self.entries.items():
            if entry.labels.keys() != wanted:
                raise DataError(
                    f"{path} has the labels {sorted(entry.labels) or 'none'} and {first} {sorted(wanted) or 'none'}; "
                    "all files need the same"
                )
        if by not in (None, "file", *wanted):
            raise DataError(f"there is no label {by!r} to split by; labels: {', '.join(sorted(wanted)) or 'none'}")
        self.layout = self._split(by)

    def _split(self, by: str | None) -> Layout:
        read = {*self.entries, *(other for entry in self.entries.values() for other in entry.beside)}
        outside = tuple(path for path in self.tree.paths if path not in read)
        whole = Layout((), (), classes=(), split_by_folder=False, outside=outside, depth=0)
        if by is None:
            train, heldout = (
                tuple(path for path, entry in self.entries.items() if entry.split == split)
                for split in ("train", "heldout")
            )
            if train and heldout:
                neither = tuple(path for path, entry in self.entries.items() if entry.split is None)
                outside = tuple(sorted((*outside, *neither)))
                return replace(whole, train=train, heldout=heldout, outside=outside, how="as published")
        whole = replace(whole, train=tuple(self.entries))
        if len(self.entries) == 1 and by in (None, "file"):
            return replace(whole, how="by a hash")  # as of a folder with one file: nothing is held out
        if by in (None, "file"):
            drawn = whole.by_group(lambda path: self.entries[path].group)
            return replace(drawn, how="by a hash")
        return replace(whole.by_group(lambda path: self.entries[path].labels[str(by)]), how=f"by {by}")

    @cached_property
    def classes(self) -> dict[str, tuple[str, ...]]:
        """The classes of each label in both splits, sorted."""
        paths = (*self.layout.train, *self.layout.heldout)
        found: dict[str, set[str]] = {}
        for path in paths:
            for name, value in self.entries[path].labels.items():
                found.setdefault(name, set()).add(value)
        return {name: tuple(sorted(values)) for name, values in found.items()}

    def counts(self) -> dict[str, dict[str, dict[Split, int]]]:
        """For each class of each label, its files in each split."""
        splits: tuple[Split, Split] = ("train", "heldout")
        counted = {
            split: Counter((name, value) for path in self.layout.files(split) for name, value in self._labels(path))
            for split in splits
        }
        return {
            name: {value: {split: counted[split][name, value] for split in splits} for value in values}
            for name, values in self.classes.items()
        }

    def _labels(self, path: str) -> list[tuple[str, str]]:
        return list(self.entries[path].labels.items())

"""What is in a folder, before training on it."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from wganx.data.alike import groups_alike
from wganx.data.files import FileTree
from wganx.data.items import reason_of
from wganx.data.layout import Split
from wganx.data.listing import Listing
from wganx.data.threads import for_each_index


@dataclass(frozen=True, kw_only=True)
class ScanReport:
    """The findings of `scan`.

    Attributes:
        path: what was scanned.
        files: how many files have one of the suffixes.
        bytes: their size together, unpacked.
        splits: files in ``train`` and in ``heldout``.
        beside: how many files are read with those, such as the smaller ones of pairs.
        split_by_folder: the splits are folders.
        how: by what the files were split, in words.
        outside: how many files lie beside the split folders, and so in neither split.
        classes: for each class, its files in each split; empty without class folders.
        labels: the same for each label that the data set itself gives its files; empty where folders say it.
        properties: for each property that the probe reports, how many files have which value, the most common first.
        noted: the files of which the probe says that something may be amiss, by what it says.
        duplicates: groups of files with exactly the same content.
        alike: groups of files that the probe describes nearly alike, such as a photo in two sizes; without those of
            exactly the same content.
        leaked: those groups of both kinds that have files in both splits.
        unreadable: reason by path.
        skipped: files with another suffix, by suffix.
        mends: what would make these readable, by suffix, where it is known.
        skipped_runs: run folders of wganx below the path, whose files are not counted.
        remarks: what looks as if another layout was meant, a sentence each with the mend.
    """

    path: str
    files: int
    bytes: int
    splits: dict[str, int]
    beside: int
    split_by_folder: bool
    how: str
    outside: int
    classes: dict[str, dict[str, int]]
    labels: dict[str, dict[str, dict[str, int]]]
    properties: dict[str, dict[str, int]]
    noted: dict[str, list[str]]
    duplicates: list[list[str]]
    alike: list[list[str]]
    leaked: list[list[str]]
    unreadable: dict[str, str]
    skipped: dict[str, int]
    mends: dict[str, str]
    skipped_runs: list[str]
    remarks: list[str]

    def to_json(self) -> dict[str, Any]:
        """The report in the types of JSON."""
        return asdict(self)


def scan(
    path: str | os.PathLike[str],
    suffixes: Iterable[str],
    probe: Callable[[BinaryIO, str], Mapping[str, str]],
    mends: Mapping[str, str] | None = None,
    *,
    listing: Listing | None = None,
) -> ScanReport:
    """Looks at every file, with several threads; a file of any size stays on the disk.

    Args:
        path: a folder or a zip archive.
        suffixes: endings of the files to look at.
        probe: `probe(file, path)` says what the plugin sees in an open file, e.g. ``{"size": "32x32", "mode": "RGB"}``;
            what it says under ``look`` may be amiss, and the file is named with it; what it says under ``alike``, bytes
            in hexadecimal digits such as those of a thumbnail, finds files that are nearly the same; whatever it raises
            is the reason why the file is unreadable.
        mends: what would make files of other endings readable, by the ending.
        listing: the files below `path` with their splits and labels, as a data set itself has them; None for folders.

    Raises:
        DataError: there is nothing to scan (see `FileTree`).
    """
    tree = FileTree(path, suffixes, mends) if listing is None else listing.tree
    layout = tree.layout if listing is None else listing.layout
    split_of = dict.fromkeys(layout.train, "train") | dict.fromkeys(layout.heldout, "heldout")
    entries = {} if listing is None else listing.entries
    beside = {other: split_of[path] for path in split_of if path in entries for other in entries[path].beside}
    split_of |= beside
    paths = tree.paths if listing is None else tuple(sorted(split_of))

    def look(index: int) -> tuple[str | None, Mapping[str, str], str | None]:
        name, digest = paths[index], None
        try:
            with _opened(tree, name) as file:
                digest = _digest(file)
                file.seek(0)
                return digest, dict(probe(file, name)), None
        except Exception as error:  # whatever goes wrong with a file is a finding about it
            return digest, {}, reason_of(error, name)

    same: defaultdict[str, list[str]] = defaultdict(list)
    properties: defaultdict[str, Counter[str]] = defaultdict(Counter)
    noted: defaultdict[str, list[str]] = defaultdict(list)
    described: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for name, (digest, seen, reason) in zip(paths, for_each_index(len(paths), look, doing=f"reading {tree.root}")):
        if digest is not None:
            same[digest].append(name)
        if reason is not None:
            unreadable[name] = reason
        for key, value in seen.items():
            if key == "look":
                noted[value].append(name)
            elif key == "alike":
                described[name] = value
            else:
                properties[key][value] += 1
    tree.close()

    duplicates = [names for names in same.values() if len(names) > 1]
    for names in duplicates:  # which are alike, and said so already
        for name in names[1:]:
            described.pop(name, None)
    alike = groups_alike(described)
    return ScanReport(
        path=str(tree.root),
        files=len(paths),
        bytes=sum(tree.sizes.get(name, 0) for name in paths),
        splits={"train": len(layout.train), "heldout": len(layout.heldout)},
        beside=len(beside),
        split_by_folder=layout.split_by_folder,
        how=layout.how,
        outside=len(layout.outside),
        classes=_plain({"": layout.counts()})[""],
        labels={} if listing is None else _plain(listing.counts()),
        properties={key: dict(values.most_common()) for key, values in sorted(properties.items())},
        noted=dict(sorted(noted.items())),
        duplicates=duplicates,
        alike=alike,
        leaked=[
            names for names in (*duplicates, *alike) if {"train", "heldout"} <= {split_of.get(name) for name in names}
        ],
        unreadable=unreadable,
        skipped=dict(tree.skipped),
        mends={suffix: mend for suffix, mend in tree.mends.items() if suffix in tree.skipped},
        skipped_runs=list(tree.skipped_runs),
        # What a data set says of its files needs no folders that would be splits or classes.
        remarks=layout.remarks() if layout is tree.layout else [],
    )


def _opened(tree: FileTree, name: str) -> BinaryIO:
    """A file, as it lies there; what is compressed in an archive is unpacked once and not at every step back."""
    return tree.open(name) if tree.seeks_at_once(name) else io.BytesIO(tree.read(name))


def _digest(file: BinaryIO) -> str:
    found = hashlib.sha256()
    while piece := file.read(1 << 20):
        found.update(piece)
    return found.hexdigest()


def _plain(counts: Mapping[str, Mapping[str, Mapping[Split, int]]]) -> dict[str, dict[str, dict[str, int]]]:
    return {
        label: {name: {str(split): count for split, count in splits.items()} for name, splits in classes.items()}
        for label, classes in counts.items()
    }

"""What the folders of a data set mean: splits and classes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "heldout"]

HELDOUT_SHARE = 0.1
_HELDOUT_NAMES = frozenset({"test", "val", "valid", "validation", "heldout"})


@dataclass(frozen=True)
class Layout:
    """Which files are for training, which are held out, and what their classes are.

    Attributes:
        train, heldout: paths of each split, sorted; `heldout` is empty only when there is a single file.
        classes: names of the class folders, sorted, the same for both splits; empty without class folders.
        split_by_folder: the splits are folders; otherwise a tenth is held out by a hash of each path.
        outside: paths that lie in neither split folder, and so in neither split.
        depth: how many folders lie above the class folder.
    """

    train: tuple[str, ...]
    heldout: tuple[str, ...]
    classes: tuple[str, ...]
    split_by_folder: bool
    outside: tuple[str, ...]
    depth: int

    def files(self, split: Split) -> tuple[str, ...]:
        return self.train if split == "train" else self.heldout

    def class_of(self, path: str) -> str | None:
        """The class folder that `path` lies in; None without classes."""
        return path.split("/")[self.depth] if self.classes else None


def layout_of(paths: Sequence[str]) -> Layout:
    """Reads the folders' names. One folder that wraps everything is looked through.

    Folders ``train`` and one or more of ``test``, ``val``, ``valid``, ``validation``, ``heldout`` (in any case) are
    the splits. Otherwise a file is held out when the SHA-256 of its path, as a fraction of its range, is below 0.1:
    adding files moves none of the others. At least one of two or more files is held out, and never all.

    The folders at the first level (below the split) are classes when there are at least two and every file lies
    below one.
    """
    depth = _wrapped(paths)
    split_of = {path: _split_named(path, depth) for path in paths}
    by_folder = {"train", "heldout"} <= set(split_of.values())
    if by_folder:
        heldout = tuple(path for path in paths if split_of[path] == "heldout")
        train = tuple(path for path in paths if split_of[path] == "train")
        depth += 1
    else:
        heldout = _share(paths, depth)
        chosen = set(heldout)
        train = tuple(path for path in paths if path not in chosen)
    inside = {*train, *heldout}
    folders = [path.split("/")[depth:-1] for path in inside]
    classes = {folder[0] for folder in folders if folder} if all(folders) else set()
    return Layout(
        train=train,
        heldout=heldout,
        classes=tuple(sorted(classes)) if len(classes) > 1 else (),
        split_by_folder=by_folder,
        outside=tuple(path for path in paths if path not in inside),
        depth=depth,
    )


def _wrapped(paths: Sequence[str]) -> int:
    tops = {path.split("/")[0] for path in paths}
    return int(len(tops) == 1 and all("/" in path for path in paths))


def _split_named(path: str, depth: int) -> Split | None:
    folders = path.split("/")[depth:-1]
    top = folders[0].lower() if folders else ""
    if top == "train":
        return "train"
    return "heldout" if top in _HELDOUT_NAMES else None


def _share(paths: Sequence[str], depth: int) -> tuple[str, ...]:
    if len(paths) < 2:
        return ()
    # Without the wrapping folder, so that a folder and a zip of it are split alike.
    fraction = {path: _fraction(path.split("/", depth)[-1]) for path in paths}
    heldout = [path for path in paths if fraction[path] < HELDOUT_SHARE]
    by_fraction = sorted(paths, key=lambda path: fraction[path])
    if not heldout:
        return (by_fraction[0],)
    if len(heldout) == len(paths):
        heldout.remove(by_fraction[-1])
    return tuple(heldout)


def _fraction(path: str) -> float:
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64

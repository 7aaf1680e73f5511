"""What the folders of a data set mean: splits and classes."""

from __future__ import annotations

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from wganx.errors import DataError
from wganx.names import composed

log = logging.getLogger(__name__)

Split = Literal["train", "heldout"]

HELDOUT_SHARE = 0.1
_TRAIN_NAMES = frozenset({"train", "training"})
_HELDOUT_NAMES = frozenset({"test", "testing", "val", "valid", "validation", "heldout"})
_LETTERED = re.compile(r"(train|test|val)([A-Z])")
"""Sets of two domains without pairs are published so: trainA, trainB, testA and testB."""


@dataclass(frozen=True)
class Layout:
    """Which files are for training, which are held out, and what their classes are.

    Attributes:
        train, heldout: paths of each split, sorted; `heldout` is empty only when there is a single file.
        classes: names of the class folders, sorted, the same for both splits; empty without class folders.
        split_by_folder: the splits are folders; otherwise a tenth is held out by a hash of each path.
        outside: paths that lie in neither split folder, and so in neither split.
        depth: how many folders lie above the class folder.
        empty: folders in which no such file lies.
        how: by what the files were split, in words.
        lettered: a folder's last letter is the class, and what stands before it the split.
    """

    train: tuple[str, ...]
    heldout: tuple[str, ...]
    classes: tuple[str, ...]
    split_by_folder: bool
    outside: tuple[str, ...]
    depth: int
    empty: tuple[str, ...] = ()
    how: str = ""
    lettered: bool = False

    def files(self, split: Split) -> tuple[str, ...]:
        return self.train if split == "train" else self.heldout

    def class_of(self, path: str) -> str | None:
        """The class folder that `path` lies in; None without classes."""
        if not self.classes:
            return None
        folder = composed(path.split("/")[self.depth])
        return folder[-1] if self.lettered else folder

    def counts(self) -> dict[str, dict[Split, int]]:
        """For each class, its files in each split; empty without classes."""
        train, heldout = (Counter(map(self.class_of, files)) for files in (self.train, self.heldout))
        return {name: {"train": train[name], "heldout": heldout[name]} for name in self.classes}

    def remarks(self) -> list[str]:
        """What looks as if another layout was meant, a sentence each with the mend."""
        return [*_half_a_split(self), *_nearly_classes(self), *_without_files(self)]

    def by_group(self, group: Callable[[str], str | None]) -> Layout:
        """The same files, split so that all of a group lie in one split.

        `group(path)` names what a file belongs to: a speaker, a scene; None for a file that stands alone. A group is
        held out by the hash of its name, as a file is by that of its path: adding files moves none of the others.
        Split folders stay as they are, and a group that lies in both is named in a warning.

        Raises:
            DataError: all files belong to one group, which leaves none to hold out.
        """
        if self.split_by_folder:
            _warn_of_shared(self, group)
            return self
        together: dict[str, list[str]] = {}
        for path in (*self.train, *self.heldout):
            named = group(path)
            # A path of its own is no group's name, whatever the names are.
            key = f"file {_below(path, self.depth)}" if named is None else f"group {named}"
            together.setdefault(key, []).append(path)
        if len(together) < 2:
            raise DataError(
                f"all {len(self.train) + len(self.heldout)} files belong to one group, {next(iter(together))[6:]!r}, "
                "which leaves none to hold out; add files of another, or put them into folders train and test"
            )
        chosen = _share({key: _fraction(key) for key in together})
        heldout = tuple(sorted(path for key in chosen for path in together[key]))
        train = tuple(sorted(path for key in together.keys() - chosen for path in together[key]))
        return replace(self, train=train, heldout=heldout, how="by the hash of each group")


def layout_of(paths: Sequence[str], empty: Sequence[str] = ()) -> Layout:
    """Reads the folders' names. One folder that wraps everything is looked through, and so is a ``train`` below it.

    Folders ``train`` or ``training`` and one or more of ``test``, ``testing``, ``val``, ``valid``, ``validation``,
    ``heldout`` (in any case) are the splits. Otherwise a file is held out when the SHA-256 of its path, as a fraction
    of its range, is below 0.1: adding files moves none of the others. At least one of two or more files is held out,
    and never all.

    The folders at the first level (below the split) are classes when there are at least two and every file lies
    below one. Folders ``trainA``, ``trainB``, ``testA`` and ``testB``, and no others, are splits and classes ``A`` and
    ``B`` in one; so are further letters, and ``val`` is held out as well.

    Args:
        paths: of all files, sorted.
        empty: folders in which none of them lies; those where a class could be are named in the remarks.
    """
    depth = _wrapped(paths)
    if (lettered := _lettered(paths, depth)) is not None:
        return replace(lettered, empty=tuple(empty))
    split_of = {path: _split_named(path, depth) for path in paths}
    by_folder = {"train", "heldout"} <= set(split_of.values())
    if by_folder:
        heldout = tuple(path for path in paths if split_of[path] == "heldout")
        train = tuple(path for path in paths if split_of[path] == "train")
        depth += 1
    else:
        depth += set(split_of.values()) == {"train"}
        # Without the wrapping folders, so that a folder and a zip of it are split alike.
        chosen = _share({path: _fraction(_below(path, depth)) for path in paths})
        heldout = tuple(path for path in paths if path in chosen)
        train = tuple(path for path in paths if path not in chosen)
    inside = {*train, *heldout}
    folders = [path.split("/")[depth:-1] for path in inside]
    classes = {composed(folder[0]) for folder in folders if folder} if all(folders) else set()
    return Layout(
        train=train,
        heldout=heldout,
        classes=tuple(sorted(classes)) if len(classes) > 1 else (),
        split_by_folder=by_folder,
        outside=tuple(path for path in paths if path not in inside),
        depth=depth,
        empty=tuple(empty),
        how="by their folders" if by_folder else "by the hash of each path",
    )


def _lettered(paths: Sequence[str], depth: int) -> Layout | None:
    """The layout of folders that are a split and a class in one; None of others."""
    found = {path: _LETTERED.fullmatch(path.split("/")[depth]) for path in paths if _deep(path) > depth}
    of_path = {path: (match[1], match[2]) for path, match in found.items() if match}
    train = tuple(path for path, (split, _) in of_path.items() if split == "train")
    classes = sorted({of_path[path][1] for path in train})
    if len(of_path) < len(paths) or len(train) == len(paths) or len(classes) < 2:
        return None
    if {letter for _, letter in of_path.values()} != set(classes):
        return None
    return Layout(
        train=train,
        heldout=tuple(path for path in paths if of_path[path][0] != "train"),
        classes=tuple(classes),
        split_by_folder=True,
        outside=(),
        depth=depth,
        how="by their folders",
        lettered=True,
    )


def _half_a_split(layout: Layout) -> list[str]:
    """A folder named as a split without its counterpart."""
    if layout.split_by_folder:
        return []
    tops = {path.split("/")[layout.depth] for path in layout.train + layout.heldout if _deep(path) > layout.depth}
    named = sorted(top for top in tops if top.lower() in _TRAIN_NAMES | _HELDOUT_NAMES)
    if not named:
        return []
    missing = "train" if named[0].lower() in _HELDOUT_NAMES else "test"
    read = "a class" if layout.classes else "any other folder"
    return [
        f"the folder {named[0]} is read as {read}, since no folder {missing} lies beside it; "
        "put every file into one of the two to split them yourself"
    ]


def _nearly_classes(layout: Layout) -> list[str]:
    """Folders that would be classes but for a few files, or a level higher; classes of which nothing is learnt."""
    depth, files = layout.depth, (*layout.train, *layout.heldout)
    if layout.classes:
        unlearnt = [name for name, count in layout.counts().items() if not count["train"]]
        if not unlearnt:
            return []
        return [f"no training file in {a_few('the class', 'the classes', unlearnt)}, so nothing is learnt of it"]
    tops = {path.split("/")[depth] for path in files if _deep(path) > depth}
    beside = sorted(path for path in files if _deep(path) <= depth)
    if len(tops) > 1 and 2 * len(beside) <= len(files):
        return [
            f"{a_few('the folder', 'the folders', sorted(tops))} would be classes, but for "
            f"{len(beside):,} file{'' if len(beside) == 1 else 's'} beside them "
            f"({a_few('', '', beside, 3)}), so there are no labels; move {'it' if len(beside) == 1 else 'them'} into "
            "one of the folders, or out of the data"
        ]
    below = {path.split("/")[depth + 1] for path in files if _deep(path) > depth + 1}
    if len(tops) == 1 and len(below) > 1 and all(_deep(path) > depth + 1 for path in files):
        return [
            f"{a_few('the folder', 'the folders', sorted(below))} in {min(tops)} are no classes, since they lie a "
            f"level too deep, so there are no labels; move them out of {min(tops)} to have them read as classes"
        ]
    return []


def _without_files(layout: Layout) -> list[str]:
    """Empty folders where a class could be."""
    files = (*layout.train, *layout.heldout)
    if not layout.depth and not any("/" in path for path in files):
        return []
    reached: list[str] = []
    for folder in sorted(layout.empty):
        if _deep(folder) <= layout.depth and not any(folder.startswith(f"{above}/") for above in reached):
            reached.append(folder)
    if not reached:
        return []
    return [f"no file that can be read in {a_few('the folder', 'the folders', reached)}, so none is a class by it"]


def a_few(one: str, many: str, names: Sequence[str], most: int = 5) -> str:
    """``the folders a, b, c and 4 more``"""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{one if len(names) == 1 else many} {', '.join(names[:most])}{more}".strip()


def _deep(path: str) -> int:
    return path.count("/")


def _wrapped(paths: Sequence[str]) -> int:
    tops = {path.split("/")[0] for path in paths}
    return int(len(tops) == 1 and all("/" in path for path in paths))


def _split_named(path: str, depth: int) -> Split | None:
    folders = path.split("/")[depth:-1]
    top = folders[0].lower() if folders else ""
    if top in _TRAIN_NAMES:
        return "train"
    return "heldout" if top in _HELDOUT_NAMES else None


def _share(fraction: Mapping[str, float]) -> set[str]:
    """What is held out of what has these fractions: of one nothing, of more at least one and never all."""
    if len(fraction) < 2:
        return set()
    heldout = {key for key, value in fraction.items() if value < HELDOUT_SHARE}
    if not heldout:
        return {min(fraction, key=lambda key: fraction[key])}
    if len(heldout) == len(fraction):
        heldout.remove(max(fraction, key=lambda key: fraction[key]))
    return heldout


def _below(path: str, depth: int) -> str:
    return path.split("/", depth)[-1]


def _fraction(path: str) -> float:
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _warn_of_shared(layout: Layout, group: Callable[[str], str | None]) -> None:
    shared = sorted({group(path) for path in layout.train} & {group(path) for path in layout.heldout} - {None}, key=str)
    if shared:
        named = ", ".join(map(str, shared[:5])) + (f" and {len(shared) - 5} more" if len(shared) > 5 else "")
        log.warning(
            "%s in both split folders, so what is held out is not all new to who trained on the rest: %s",
            "1 group lies" if len(shared) == 1 else f"{len(shared)} groups lie",
            named,
        )

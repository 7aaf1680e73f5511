"""CelebA as it is published: aligned faces, 40 attributes of each, and the list that says which are for training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from wganx import DataContext, DataError, Items, Split
from wganx.data import Entry, FileItems, FileTree, Listing
from wganx_image.configs.datasets import CelebaConfig
from wganx_image.datasets.pictures import decode, stored_picture

PICTURES, PARTITION, ATTRIBUTES = "img_align_celeba", "list_eval_partition", "list_attr_celeba"
_PICTURE_SUFFIXES, _LIST_SUFFIXES = (".jpg", ".png"), (".txt", ".csv")
_SPLIT_OF: dict[str, Split] = {"0": "train", "1": "heldout", "2": "heldout"}  # 1 is for validation, 2 for testing
_ANSWER_OF = {"1": "yes", "-1": "no", "0": "no"}
_OTHER = "other"
"""The class of who has none of the attributes of a label, or more than one."""


def open_celeba(config: CelebaConfig, split: Split, context: DataContext) -> Items:
    """The faces of the official split; validation and test faces are held out. Each chosen attribute is a label.

    Of several attributes that exclude each other, such as colours of hair, one label can be made: apart, a translation
    could be asked for hair that is black and blond, which nobody has.

    Raises:
        DataError: pictures or a list are missing or damaged; no such attribute.
    """
    listing = _listing(config.root, config.by_label)
    formats = {"sample": stored_picture(3, config.size)}
    return FileItems(listing.tree, split, partial(decode, size=config.size, channels=3), formats, listing=listing)


def list_celeba(path: Path) -> Listing:
    """The faces at a path, with their splits."""
    return _listing(path, {})


def _listing(root: Path, attributes: Mapping[str, tuple[str, ...]]) -> Listing:
    tree, lines_of = _found(root)
    part_of = dict(_parts(*lines_of(PARTITION)))
    answers = _answers(*lines_of(ATTRIBUTES), attributes) if attributes else {}
    # By number: the lists name .jpg files where the pictures are the .png ones as well.
    path_of = {PurePosixPath(path).stem: path for path in tree.paths if path.lower().endswith(_PICTURE_SUFFIXES)}
    if missing := sorted(part_of.keys() - path_of.keys()):
        raise DataError(
            f"{len(missing):,} of {len(part_of):,} pictures that {PARTITION} lists are not in {tree.root}, "
            f"{missing[0]} first; unpack the archive again"
        )
    if attributes and (missing := sorted(part_of.keys() - answers.keys())):
        raise DataError(f"{ATTRIBUTES} says nothing of {len(missing):,} pictures, {missing[0]} first; get it again")
    entries = {
        path_of[number]: Entry(labels=answers.get(number, {}), split=_SPLIT_OF[part])
        for number, part in part_of.items()
    }
    tree.paths = tuple(path for path in tree.paths if path.lower().endswith(_PICTURE_SUFFIXES))
    return Listing(tree, entries)


Lines = tuple[str, list[list[str]]]
"""Where a table is, and the words of its lines."""


def _found(root: Path) -> tuple[FileTree, Callable[[str], Lines]]:
    """The pictures, and a reader of the lists by their names without an ending."""
    if root.suffix.lower() == ".zip":
        tree = FileTree(root, (*_PICTURE_SUFFIXES, *_LIST_SUFFIXES))

        def inside(name: str) -> Lines:
            for path in tree.paths:
                if PurePosixPath(path).stem == name:
                    return f"{path} in {root}", list(_words(tree.read(path).decode("utf-8")))
            raise DataError(_missing(root, name))

        return tree, inside
    for folder in (root, root / "celeba", root / "CelebA"):
        pictures = [
            place / name
            for place in (folder, folder / "Img")
            for name in (PICTURES, f"{PICTURES}_png", f"{PICTURES}.zip")
        ]
        there = next((path for path in pictures if path.exists()), None)
        if there is not None:

            def beside(name: str, folder: Path = folder) -> Lines:
                # Published are folders Img, Anno and Eval.
                for place in (folder, folder / "Anno", folder / "Eval"):
                    for path in (place / f"{name}{suffix}" for suffix in _LIST_SUFFIXES):
                        if path.is_file():
                            return str(path), list(_words(path.read_text(encoding="utf-8", errors="replace")))
                raise DataError(_missing(folder, name))

            beside(PARTITION)
            return FileTree(there, _PICTURE_SUFFIXES), beside
    raise DataError(_missing(root, PICTURES))


def _missing(root: Path, what: str) -> str:
    return (
        f"no {what} of CelebA in {root}. Wanted there, or in its folder celeba: the pictures as {PICTURES}/000001.jpg "
        f"and so on, or {PICTURES}.zip; {PARTITION}.txt or .csv; and {ATTRIBUTES}.txt or .csv where "
        "dataset.attributes are chosen. Get them from the dataset's own page or a copy of it, and set dataset.root"
    )


def _words(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        yield line.replace(",", " ").split()


def _parts(where: str, lines: list[list[str]]) -> Iterator[tuple[str, str]]:
    for number, words in enumerate(lines, start=1):
        match words:
            case [name, "0" | "1" | "2" as part]:
                yield PurePosixPath(name).stem, part
            case [] | ["image_id", "partition"]:
                continue
            case _:
                raise DataError(
                    f"{where}, line {number}: a file name and 0, 1 or 2 are wanted, not {' '.join(words)!r}"
                )


def _answers(where: str, lines: list[list[str]], wanted: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, str]]:
    """The class of each wanted label of each picture: ``yes`` or ``no``, or which of several attributes it has.

    The list has a line of the attributes' names, with or without a word for the pictures' own; before it, in the
    original, how many pictures there are.
    """
    rows = [(number, words) for number, words in enumerate(lines, start=1) if words]
    if rows and len(rows[0][1]) == 1 and rows[0][1][0].isdigit():
        del rows[0]
    names = rows[0][1] if rows else []
    if names and names[0].lower() in ("image_id", "image", "filename"):
        names = names[1:]
    if not names or any(name in _ANSWER_OF for name in names):
        raise DataError(f"{where}: a line of the attributes' names is wanted before the pictures; get it again")
    if unknown := [name for several in wanted.values() for name in several if name not in names]:
        raise DataError(f"dataset.attributes: there is no {unknown[0]!r} in {where}; there are: {', '.join(names)}")
    columns = {label: [names.index(name) + 1 for name in several] for label, several in wanted.items()}
    answers = {}
    for number, words in rows[1:]:
        if len(words) != len(names) + 1 or any(word not in _ANSWER_OF for word in words[1:]):
            raise DataError(
                f"{where}, line {number}: a file name and {len(names)} times 1 or -1 are wanted, not "
                f"{' '.join(words)[:60]!r}"
            )
        answers[PurePosixPath(words[0]).stem] = {
            label: _class(wanted[label], [_ANSWER_OF[words[column]] for column in own])
            for label, own in columns.items()
        }
    return answers


def _class(attributes: tuple[str, ...], answers: list[str]) -> str:
    if len(attributes) == 1:
        return answers[0]
    there = [name for name, answer in zip(attributes, answers) if answer == "yes"]
    return there[0] if len(there) == 1 else _OTHER

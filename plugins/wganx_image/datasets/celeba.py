"""CelebA as it is unpacked: a folder of aligned faces and the list that says which are for training."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from wganx import DataContext, DataError, Items, Split
from wganx.data import FileItems, FileTree, Layout
from wganx_image.configs.datasets import CelebaConfig
from wganx_image.datasets.pictures import decode, stored_picture

PICTURES, PARTITION = "img_align_celeba", "list_eval_partition.txt"
_TRAIN = "0"  # 1 is for validation, 2 for testing: both are held out


def open_celeba(config: CelebaConfig, split: Split, context: DataContext) -> Items:
    """The faces of the official split; validation and test faces are held out.

    Raises:
        DataError: the folder or the list is missing, or a listed picture is.
    """
    root = _unpacked(config.root)
    tree = FileTree(root / PICTURES, (".jpg", ".png"))
    tree.layout = _official(tree, root / PARTITION)
    formats = {"sample": stored_picture(3, config.size)}
    return FileItems(tree, split, partial(decode, size=config.size, channels=3), formats)


def _unpacked(root: Path) -> Path:
    for folder in (root, root / "celeba"):
        if (folder / PICTURES).is_dir() and (folder / PARTITION).is_file():
            return folder
    raise DataError(
        f"no CelebA in {root} or {root / 'celeba'}: the folder {PICTURES} and the file {PARTITION} are wanted; "
        "get both from the dataset's own page, unpack them there, and set dataset.root"
    )


def _official(tree: FileTree, partition: Path) -> Layout:
    part_of: dict[str, str] = {}
    for number, line in enumerate(partition.read_text(encoding="utf-8").splitlines(), start=1):
        match line.split():
            case [name, "0" | "1" | "2" as part]:
                part_of[name] = part
            case []:
                continue
            case _:
                raise DataError(f"{partition}, line {number}: a file name and 0, 1 or 2 are wanted, not {line!r}")
    if missing := sorted(set(part_of) - set(tree.paths)):
        raise DataError(
            f"{len(missing)} of {len(part_of)} pictures that {partition} lists are not in {tree.root}, "
            f"{missing[0]} first; unpack the archive again"
        )
    return Layout(
        train=tuple(name for name in tree.paths if part_of.get(name) == _TRAIN),
        heldout=tuple(name for name in tree.paths if part_of.get(name) not in (_TRAIN, None)),
        classes=(),
        split_by_folder=False,
        outside=tuple(name for name in tree.paths if name not in part_of),
        depth=0,
        how=f"as {PARTITION} has it",
    )

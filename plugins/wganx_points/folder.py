"""The user's own points: `.npy` and `.csv` files, one point a row."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from wganx import DataContext, DataError, SampleFormat, Split
from wganx.data import ArrayItems, FileTree, read_array
from wganx_points.configs import FolderConfig
from wganx_points.datasets import points_format

SUFFIXES = (".csv", ".npy")


def open_folder(config: FolderConfig, split: Split, context: DataContext) -> ArrayItems:
    """The rows of one file, or of all files of a folder or a zip archive of one.

    Folders ``train`` and ``test`` (or ``val``, ``heldout``) are the splits where there are both; otherwise the seed
    draws which share `config.heldout` of all rows is held out. Class folders give every point its label.

    Raises:
        DataError: nothing to read, a file that holds no points, files of different dimension, or a single point.
    """
    if config.root.is_file() and config.root.suffix.lower() in SUFFIXES:
        path = str(config.root)
        return _split_rows({path: read_table(config.root.read_bytes(), path)}, None, (), config, split, context)
    tree = FileTree(config.root, SUFFIXES)
    layout = tree.layout
    paths = layout.files(split) if layout.split_by_folder else tree.paths
    clouds = {path: read_table(tree.read(path), path) for path in paths}
    _check_dimensions(clouds)
    labels = None
    if layout.classes:
        classes = [layout.classes.index(str(layout.class_of(path))) for path in paths]
        labels = np.repeat(classes, [len(cloud) for cloud in clouds.values()])
    if layout.split_by_folder:
        items: ArrayItems = PointItems(clouds, labels, layout.classes)
    else:
        items = _split_rows(clouds, labels, layout.classes, config, split, context)
    if layout.split_by_folder or not layout.classes:  # else rows are held out, and every class has some to learn from
        items.remarks = layout.remarks()
    return items


class PointItems(ArrayItems):
    """Points that know which row of which file each is."""

    def __init__(
        self, clouds: Mapping[str, NDArray[np.float32]], labels: NDArray[np.int64] | None, classes: tuple[str, ...]
    ) -> None:
        points = torch.from_numpy(np.concatenate([*clouds.values()]))
        tensors, formats = {"sample": points}, {"sample": points_format(points.shape[1])}
        if labels is not None:
            tensors["label"], formats["label"] = torch.from_numpy(labels), SampleFormat.label(classes)
        super().__init__(tensors, formats)
        self._files: Sequence[str] = (*clouds,)
        self._ends = np.cumsum([len(cloud) for cloud in clouds.values()])

    def name_of_row(self, row: int) -> str:
        file = int(np.searchsorted(self._ends, row, side="right"))
        return f"{self._files[file]}, row {row - (int(self._ends[file - 1]) if file else 0)} (counted from 0)"


def decode(content: bytes, path: str) -> NDArray[np.float32]:
    """The points ``(N, D)`` in a file, all of them finite.

    Raises:
        DataError: naming `path`: as of `read_table`, or a row that is not finite.
    """
    points = read_table(content, path)
    if not (finite := np.isfinite(points).all(axis=1)).all():
        raise DataError(f"{path}: row {int(np.argmin(finite))} (counted from 0) is not finite: {points[~finite][0]}")
    return points


def read_table(content: bytes, path: str) -> NDArray[np.float32]:
    """The points ``(N, D)`` in a file, finite or not; a first line of a ``.csv`` that holds no numbers is its header.

    Raises:
        DataError: naming `path`: no table of numbers, or empty.
    """
    try:
        array = path.lower().endswith(".npy")
        table = read_array(io.BytesIO(content), path, len(content)) if array else _csv(content)
    except ValueError as error:
        raise DataError(f"{path} holds no points: {error}") from error
    if table.ndim != 2 or table.size == 0 or table.dtype.kind not in "fiu":
        raise DataError(
            f"{path} holds {table.dtype} values of shape {table.shape}; "
            "points are numbers of shape (points, coordinates)"
        )
    with np.errstate(over="ignore"):  # what is beyond 32 bit is infinite, and named as such
        points: NDArray[np.float32] = table.astype(np.float32)
    return points


def probe(file: BinaryIO, path: str) -> Mapping[str, str]:
    """What `wganx data scan` reports of a file: its dimension and its number of points."""
    points, dimension = decode(file.read(), path).shape
    return {"dimension": str(dimension), "points": str(points)}


def _csv(content: bytes) -> NDArray[np.float64]:
    lines = content.decode("utf-8-sig").splitlines()
    return np.array([*_rows(lines)], dtype=np.float64)


def _rows(lines: list[str]) -> Iterator[list[float]]:
    width = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = [float(cell) for cell in line.split(",")]
        except ValueError as error:
            if number == 1:
                continue
            raise ValueError(f"line {number}: {error}") from None
        if width and len(row) != width:
            raise ValueError(f"line {number} has {len(row)} numbers, those before it {width}")
        width = len(row)
        yield row


def _check_dimensions(clouds: Mapping[str, NDArray[np.float32]]) -> None:
    first, *others = clouds.items()
    for path, points in others:
        if points.shape[1] != first[1].shape[1]:
            raise DataError(
                f"{path} has {points.shape[1]} coordinates a point and {first[0]} has {first[1].shape[1]}; "
                "all files of a folder need the same"
            )


def _split_rows(
    clouds: Mapping[str, NDArray[np.float32]],
    labels: NDArray[np.int64] | None,
    classes: tuple[str, ...],
    config: FolderConfig,
    split: Split,
    context: DataContext,
) -> ArrayItems:
    items = PointItems(clouds, labels, classes)
    if len(items) < 2:
        raise DataError(f"{config.root} holds a single point; one to train on and one to hold out are needed")
    held = min(max(round(config.heldout * len(items)), 1), len(items) - 1)
    order = np.random.default_rng(context.seed).permutation(len(items))
    return items.only(torch.from_numpy(np.sort(order[:held] if split == "heldout" else order[held:])))

"""The user's own points: `.npy` and `.csv` files, one point a row."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from wganx import DataContext, DataError, SampleFormat, Split
from wganx.data import ArrayItems, FileTree
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
        return _split_rows(decode(config.root.read_bytes(), str(config.root)), None, (), config, split, context)
    tree = FileTree(config.root, SUFFIXES)
    layout = tree.layout
    paths = layout.files(split) if layout.split_by_folder else tree.paths
    clouds = [decode(tree.read(path), path) for path in paths]
    _check_dimensions(dict(zip(paths, clouds)))
    points = np.concatenate(clouds)
    labels = None
    if layout.classes:
        classes = [layout.classes.index(str(layout.class_of(path))) for path in paths]
        labels = np.repeat(classes, [len(cloud) for cloud in clouds])
    if layout.split_by_folder:
        items = _items(points, labels, layout.classes)
    else:
        items = _split_rows(points, labels, layout.classes, config, split, context)
    if layout.split_by_folder or not layout.classes:  # else rows are held out, and every class has some to learn from
        items.remarks = layout.remarks()
    return items


def decode(content: bytes, path: str) -> NDArray[np.float32]:
    """The points ``(N, D)`` in a file; a first line of a ``.csv`` that holds no numbers is its header.

    Raises:
        DataError: naming `path`: no table of finite numbers, or empty.
    """
    try:
        table = np.load(io.BytesIO(content), allow_pickle=False) if path.lower().endswith(".npy") else _csv(content)
    except (ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} holds no points: {error}") from error
    if table.ndim != 2 or table.size == 0 or table.dtype.kind not in "fiu":
        raise DataError(
            f"{path} holds {table.dtype} values of shape {table.shape}; "
            "points are numbers of shape (points, coordinates)"
        )
    points: NDArray[np.float32] = table.astype(np.float32)
    if not (finite := np.isfinite(points).all(axis=1)).all():
        raise DataError(f"{path}: row {int(np.argmin(finite))} (counted from 0) is not finite: {points[~finite][0]}")
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
    points: NDArray[np.float32],
    labels: NDArray[np.int64] | None,
    classes: tuple[str, ...],
    config: FolderConfig,
    split: Split,
    context: DataContext,
) -> ArrayItems:
    if len(points) < 2:
        raise DataError(f"{config.root} holds a single point; one to train on and one to hold out are needed")
    held = min(max(round(config.heldout * len(points)), 1), len(points) - 1)
    order = np.random.default_rng(context.seed).permutation(len(points))
    rows = np.sort(order[:held] if split == "heldout" else order[held:])
    return _items(points[rows], None if labels is None else labels[rows], classes)


def _items(points: NDArray[np.float32], labels: NDArray[np.int64] | None, classes: tuple[str, ...]) -> ArrayItems:
    tensors, formats = {"sample": torch.from_numpy(points)}, {"sample": points_format(points.shape[1])}
    if labels is not None:
        tensors["label"], formats["label"] = torch.from_numpy(labels), SampleFormat.label(classes)
    return ArrayItems(tensors, formats)

"""Moving MNIST: clips made of any copy of MNIST, and the published ones to be tried on."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wganx import DataContext, DataError, Items, Split
from wganx.data import DecodedItems
from wganx_video.configs.datasets import MovingMnistConfig
from wganx_video.datasets.clips import stored_clip
from wganx_video.datasets.moving import RATE_HZ, MovingGlyphs

PUBLISHED = "mnist_test_seq.npy"
_FILES: Mapping[Split, str] = {"train": "train-images", "heldout": "t10k-images"}
_MAGIC = b"\x00\x00\x08\x03"
"""Unsigned bytes in three dimensions, by IDX's own description."""
_PLACES = ("", "raw", "MNIST", "MNIST/raw", "MovingMNIST")


def open_moving_mnist(config: MovingMnistConfig, split: Split, context: DataContext) -> Items:
    """Two digits in 64 px for 20 frames. Digits of held-out clips are those of MNIST's test file.

    Where the published test clips lie beside them, those are held out, whatever `config.count`; they fix frames and
    size.

    Raises:
        DataError: MNIST is not below `config.root`, a file of it is not whole, or the published clips are others than
            the options ask for.
    """
    if split == "heldout" and (found := _first(config.root, (PUBLISHED,))) is not None:
        return PublishedClips(found, config)
    name = _FILES[split]
    path = _first(config.root, (f"{name}-idx3-ubyte", f"{name}-idx3-ubyte.gz", f"{name}.idx3-ubyte"))
    if path is None:
        raise DataError(
            f"there is no {name}-idx3-ubyte (or .gz) in {config.root} nor in its folders raw and MNIST; put MNIST's "
            "files there, or say where they are by --data or dataset.root"
        )
    count = config.count if split == "train" else max(1, config.count // 4)
    return MovingGlyphs(read_idx(path), config, count, split, context.seed, root=path.parent)


class PublishedClips(DecodedItems):
    """The 10,000 clips of the benchmark, of which no more is read than what is asked for."""

    unit = "clips"

    def __init__(self, path: Path, config: MovingMnistConfig) -> None:
        try:
            clips_TNHW = np.load(path, mmap_mode="r")
        except (ValueError, OSError, EOFError) as error:
            raise DataError(f"{path} is no readable array ({error}); download it again") from error
        if clips_TNHW.ndim != 4 or clips_TNHW.dtype != np.uint8:
            raise DataError(
                f"{path} holds {clips_TNHW.dtype} values of shape {clips_TNHW.shape}; the published clips are uint8 "
                "(frames, clips, height, width)"
            )
        frames, count, height, width = clips_TNHW.shape
        if (height, width) != (config.size, config.size) or frames < config.frames:
            raise DataError(
                f"{path} has clips of {frames} frames of {height} x {width} px, and {config.frames} of {config.size} "
                f"px were asked for; set dataset.size={height} and dataset.frames={frames}, or move the file away"
            )
        self._path, self._count, self._frames = path, int(count), config.frames
        format = stored_clip(config.frames, 1, height, width, RATE_HZ)
        super().__init__({"sample": format}, root=path.parent, recipe=(config.frames,))

    def __len__(self) -> int:
        return self._count

    def name(self, index: int) -> str:
        return f"{PUBLISHED}, clip {index}"

    def stamps(self) -> Iterable[str]:
        told = self._path.stat()
        return (f"{PUBLISHED} {told.st_size} {told.st_mtime_ns}",)

    def decode_item(self, index: int) -> Mapping[str, Tensor]:
        clips_TNHW = np.load(self._path, mmap_mode="r")
        return {"sample": torch.from_numpy(np.array(clips_TNHW[: self._frames, index]))[:, None]}


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Pictures ``(N, h, w)`` of one of MNIST's files, packed or not.

    Raises:
        DataError: it is no such file, or cut short.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be unpacked ({error}); download it again") from error
    if content[:4] != _MAGIC or len(content) < 16:
        raise DataError(f"{path} is no IDX file of pictures; download it again")
    count, height, width = (int.from_bytes(content[at : at + 4], "big") for at in (4, 8, 12))
    if len(content) != 16 + count * height * width:
        raise DataError(
            f"{path} is to hold {count:,} pictures of {height} x {width} px, and is {len(content):,} bytes long; "
            "download it again"
        )
    return np.frombuffer(content, np.uint8, offset=16).reshape(count, height, width)


def _first(root: Path, names: Iterable[str]) -> Path | None:
    candidates = (root / place / name for place in _PLACES for name in names)
    return next((path for path in candidates if path.is_file()), None)

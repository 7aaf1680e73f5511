"""Datasets that are small enough to be opened whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import DataContext, DataError, Items, SampleFormat, Split
from wganx.data import ArrayItems
from wganx_image.configs.datasets import DigitsConfig, DownloadableConfig
from wganx_image.datasets.pictures import stored_picture

_HELDOUT_SHARE = 0.2
_SPLIT_SEED = 0  # the same split whatever the run's seed, so that the scores of several seeds compare


def open_digits(config: DigitsConfig, split: Split, context: DataContext) -> Items:
    """The 1,797 handwritten digits that come with scikit-learn, 8 x 8 px in 17 greys; a fifth of each is held out."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    train, heldout = train_test_split(
        np.arange(len(digits.target)), test_size=_HELDOUT_SHARE, stratify=digits.target, random_state=_SPLIT_SEED
    )
    rows = np.sort(train if split == "train" else heldout)
    pixels_NHW = np.round(digits.images[rows] * (255 / 16)).astype(np.uint8)
    return _items(
        torch.from_numpy(pixels_NHW)[:, None],
        torch.from_numpy(digits.target[rows]),
        tuple(str(digit) for digit in range(10)),
        config.size,
    )


def open_mnist(config: DownloadableConfig, split: Split, context: DataContext) -> Items:
    """Handwritten digits, 28 x 28 px grey, framed to 32 x 32 in black.

    Raises:
        DataError: the files are not below `config.root`.
    """
    from torchvision.datasets import MNIST

    return _framed(MNIST, config, split)


def open_fashion_mnist(config: DownloadableConfig, split: Split, context: DataContext) -> Items:
    """Pieces of clothing, 28 x 28 px grey, framed to 32 x 32 in black.

    Raises:
        DataError: the files are not below `config.root`.
    """
    from torchvision.datasets import FashionMNIST

    return _framed(FashionMNIST, config, split)


def open_cifar10(config: DownloadableConfig, split: Split, context: DataContext) -> Items:
    """Small photographs of ten kinds of things, 32 x 32 px in colour.

    Raises:
        DataError: the files are not below `config.root`, or not as published.
    """
    from torchvision.datasets import CIFAR10

    found = _found(CIFAR10, config, split, Path(CIFAR10.base_folder))
    pixels_NCHW = torch.from_numpy(found.data).permute(0, 3, 1, 2).contiguous()
    return _items(pixels_NCHW, torch.tensor(found.targets), tuple(found.classes), config.size)


def _framed(dataset: Callable[..., Any], config: DownloadableConfig, split: Split) -> Items:
    found = _found(dataset, config, split, Path(dataset.__name__, "raw"))
    pixels_NCHW = F.pad(found.data, (2, 2, 2, 2))[:, None]
    return _items(pixels_NCHW, found.targets, tuple(found.classes), config.size)


def _found(dataset: Callable[..., Any], config: DownloadableConfig, split: Split, own: Path) -> Any:
    root = _holder(config.root, own)
    try:
        return dataset(root, train=split == "train", download=config.download)
    except (RuntimeError, OSError) as error:
        mend = (
            "the download failed, so look at the network or put the unpacked files there by hand"
            if config.download
            else "set dataset.root to the folder above, put the unpacked files there, or set dataset.download=true"
        )
        raise DataError(f"no complete {dataset.__name__} in {root / own} ({error}); {mend}") from error


def _holder(root: Path, own: Path) -> Path:
    """The folder that holds `own`, the dataset's files; many people point at these themselves, or half-way."""
    whole = root.absolute()
    for depth in range(len(own.parts), 0, -1):
        if whole.parts[-depth:] == own.parts[:depth] and (holder := whole.parents[depth - 1]).joinpath(own).is_dir():
            return holder
    return root


def _items(pixels_NCHW: Tensor, label: Tensor, classes: tuple[str, ...], size: int) -> Items:
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2.functional import resize

    if pixels_NCHW.shape[-1] != size:
        pixels_NCHW = resize(pixels_NCHW, [size, size], InterpolationMode.BICUBIC, antialias=True)
    tensors = {"sample": pixels_NCHW, "label": label.to(torch.int64)}
    formats = {"sample": stored_picture(pixels_NCHW.shape[1], size), "label": SampleFormat.label(classes)}
    return ArrayItems(tensors, formats)

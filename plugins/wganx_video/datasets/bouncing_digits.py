"""Clips of the digits that come with scikit-learn, offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wganx import DataContext, Split
from wganx_video.configs.datasets import BouncingDigitsConfig
from wganx_video.datasets.moving import MovingGlyphs

_TRAIN_DIGITS = 1500
"""Of the 1,797; their writers are mixed, so that the later ones are no other hands."""


def open_bouncing_digits(config: BouncingDigitsConfig, split: Split, context: DataContext) -> MovingGlyphs:
    """Handwritten digits that bounce; a digit of a held-out clip is in no clip to learn from."""
    from sklearn.datasets import load_digits

    images = load_digits().images
    chosen = images[:_TRAIN_DIGITS] if split == "train" else images[_TRAIN_DIGITS:]
    count = config.count if split == "train" else max(1, config.count // 4)
    return MovingGlyphs(enlarged(chosen, config.digit), config, count, split, context.seed, root=Path(__file__).parent)


def enlarged(images_N88: NDArray[np.float64], size: int) -> NDArray[np.uint8]:
    """Digits of 17 greys as bytes ``(N, size, size)``, by bicubic interpolation."""
    pictures = (Image.fromarray(np.round(image * (255 / 16)).astype(np.uint8)) for image in images_N88)
    return np.stack([np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC)) for picture in pictures])

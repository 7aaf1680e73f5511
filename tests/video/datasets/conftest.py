"""Datasets of films opened as a run opens them, and films that are quickly written: arrays and folders of frames."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from wganx_video.datasets.film_items import FilmItems

from tests.opening import both_splits
from wganx.plugins import Catalog, load

Opened = Callable[..., tuple[FilmItems, FilmItems]]


def film(frames: int = 12, height: int = 24, width: int = 32, channels: int = 3, seed: int = 0) -> NDArray[np.uint8]:
    """A film ``(T, H, W, C)`` of noise, of which the first pixel of each frame is the frame's number."""
    film_THWC = np.random.default_rng(seed).integers(0, 256, (frames, height, width, channels), np.uint8)
    film_THWC[:, 0, 0] = np.arange(frames)[:, None]
    return film_THWC


def write_frames(folder: Path, film_THWC: NDArray[np.uint8], name: str = "{:08d}.png", first: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, picture_HWC in enumerate(film_THWC, first):
        Image.fromarray(picture_HWC.squeeze(2) if picture_HWC.shape[2] == 1 else picture_HWC).save(
            folder / name.format(number)
        )


def write_array(path: Path, film_THWC: NDArray[np.generic]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, film_THWC)


def write_gif(path: Path, frames: int = 10, size: tuple[int, int] = (24, 16)) -> None:
    """Grey frames, each a little brighter than the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = [Image.new("L", size, 20 * number) for number in range(frames)]
    pictures[0].save(path, "GIF", save_all=True, append_images=pictures[1:], duration=40)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load(["video"])


@pytest.fixture(scope="session")
def opened(catalog: Catalog) -> Opened:
    return partial(both_splits, catalog)

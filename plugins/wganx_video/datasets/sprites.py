"""Coloured shapes over a slope of colour, offline: for colour, frames that are not square, dense backgrounds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wganx import DataContext, Split
from wganx_video.configs.datasets import SpritesConfig
from wganx_video.datasets.clips import DrawnClips, stored_clip
from wganx_video.datasets.moving import RATE_HZ, paths

SHAPES = ("disc", "square", "triangle", "cross")
_RADIUS = (0.12, 0.22)
"""Of the shorter side."""


def open_sprites(config: SpritesConfig, split: Split, context: DataContext) -> Sprites:
    """Clips of shapes in colour."""
    return Sprites(config, split, context.seed)


class Sprites(DrawnClips):
    """Clips uint8 ``(frames, 3, height, width)``; borders lie between pixels, so that motion of less than one shows."""

    def __init__(self, config: SpritesConfig, split: Split, seed: int) -> None:
        self._config = config
        format = stored_clip(config.frames, 3, config.height, config.width, RATE_HZ)
        options = (config.frames, config.height, config.width, config.shapes, config.step)
        count = config.count if split == "train" else max(1, config.count // 4)
        recipe = (paths, coverage, *options)
        super().__init__(format, count, split, seed, recipe=recipe, root=Path(__file__).parent)

    def draw(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        config = self._config
        height, width, side = config.height, config.width, min(config.height, config.width)
        y_HW, x_HW = np.mgrid[:height, :width] + 0.5
        clip_TCHW = np.repeat(_slope(rng, y_HW / height, x_HW / width)[None], config.frames, 0)
        places_TK2 = paths(rng, config.shapes, config.frames, config.step, "elastic")
        for number in range(config.shapes):
            shape = SHAPES[rng.integers(len(SHAPES))]
            radius = side * rng.uniform(*_RADIUS)
            colour_C = rng.random(3)
            free = np.array((height, width)) - 2 * radius
            for frame_CHW, (down, across) in zip(clip_TCHW, radius + places_TK2[:, number] * free):
                cover_HW = coverage(shape, y_HW - down, x_HW - across, radius)
                frame_CHW += cover_HW * (colour_C[:, None, None] - frame_CHW)
        return np.round(clip_TCHW * 255).astype(np.uint8)


def coverage(shape: str, y_HW: NDArray[np.float64], x_HW: NDArray[np.float64], radius: float) -> NDArray[np.float64]:
    """How much of each pixel a shape covers, 0 to 1, by the signed distance of its middle to the border.

    Args:
        y_HW, x_HW: middles of the pixels, from the middle of the shape.
        radius: half of its size.
    """
    if shape == "disc":
        inside = radius - np.hypot(y_HW, x_HW)
    elif shape == "square":
        inside = 0.85 * radius - np.maximum(np.abs(y_HW), np.abs(x_HW))
    elif shape == "triangle":
        slant = (np.abs(x_HW) * math.sqrt(3) - y_HW) / 2
        inside = radius / 2 - np.maximum(slant, y_HW)
    else:
        arm = radius / 3
        bars = [np.maximum(np.abs(a) - arm, np.abs(b) - radius) for a, b in ((y_HW, x_HW), (x_HW, y_HW))]
        inside = -np.minimum(*bars)
    covered: NDArray[np.float64] = np.clip(inside + 0.5, 0, 1)
    return covered


def _slope(rng: np.random.Generator, y_HW: NDArray[np.float64], x_HW: NDArray[np.float64]) -> NDArray[np.float64]:
    """A background ``(3, H, W)`` that goes from one colour to another in some direction."""
    angle = rng.random() * 2 * math.pi
    along_HW = 0.5 + (math.sin(angle) * (y_HW - 0.5) + math.cos(angle) * (x_HW - 0.5)) / math.sqrt(2)
    first_C, second_C = rng.random((2, 3))
    found: NDArray[np.float64] = first_C[:, None, None] + along_HW * (second_C - first_C)[:, None, None]
    return found

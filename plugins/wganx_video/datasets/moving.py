"""Glyphs that move and bounce, as in Srivastava, Mansimov and Salakhutdinov 2015, "Unsupervised Learning of Video
Representations using LSTMs"."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wganx import Split
from wganx_video.configs.datasets import Bounce, MovingConfig
from wganx_video.datasets.clips import DrawnClips, stored_clip

RATE_HZ = 10.0


class MovingGlyphs(DrawnClips):
    """Clips uint8 ``(frames, 1, size, size)`` of glyphs ``(N, h, w)`` that are drawn with replacement."""

    def __init__(
        self, glyphs_NHW: NDArray[np.uint8], config: MovingConfig, count: int, split: Split, seed: int, *, root: Path
    ) -> None:
        self._glyphs_NHW, self._config = glyphs_NHW, config
        format = stored_clip(config.frames, 1, config.size, config.size, RATE_HZ)
        options = (config.frames, config.size, config.digits, config.step, config.bounce)
        recipe = (paths, composited, glyphs_NHW.tobytes(), *options)
        super().__init__(format, count, split, seed, recipe=recipe, root=root)

    def draw(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        config = self._config
        chosen = self._glyphs_NHW[rng.integers(len(self._glyphs_NHW), size=config.digits)]
        places = paths(rng, config.digits, config.frames, config.step, config.bounce)
        free = np.subtract((config.size, config.size), chosen.shape[1:])
        return composited(chosen, np.floor(places * free).astype(np.int64), config.size)[:, None]


def paths(rng: np.random.Generator, count: int, frames: int, step: float, bounce: Bounce) -> NDArray[np.float64]:
    """Places in the unit square ``(frames, count, 2)``: at constant speed in straight lines, from wall to wall."""
    place_K2 = rng.random((count, 2))
    angle_K = rng.random(count) * 2 * math.pi
    way_K2 = step * np.stack([np.sin(angle_K), np.cos(angle_K)], 1)
    found = np.empty((frames, count, 2))
    for frame in range(frames):
        found[frame] = place_K2
        place_K2 = place_K2 + way_K2
        below, above = place_K2 < 0, place_K2 > 1
        if bounce == "elastic":
            place_K2 = np.where(below, -place_K2, np.where(above, 2 - place_K2, place_K2))
            way_K2 = np.where(below | above, -way_K2, way_K2)
        elif (hit := below | above).any():
            place_K2 = place_K2.clip(0, 1)
            # Any direction that leads away from the walls that were hit.
            angle_K = rng.random(count) * 2 * math.pi
            fresh_K2 = step * np.stack([np.sin(angle_K), np.cos(angle_K)], 1)
            fresh_K2 = np.where(below, np.abs(fresh_K2), np.where(above, -np.abs(fresh_K2), fresh_K2))
            way_K2 = np.where(hit.any(1, keepdims=True), fresh_K2, way_K2)
    return found


def composited(glyphs_KHW: NDArray[np.uint8], corners_TK2: NDArray[np.int64], size: int) -> NDArray[np.uint8]:
    """Frames ``(T, size, size)`` of glyphs with their upper left corners at places in px; the brighter one shows."""
    found = np.zeros((len(corners_TK2), size, size), np.uint8)
    height, width = glyphs_KHW.shape[1:]
    for frame, corners_K2 in zip(found, corners_TK2):
        for glyph, (top, left) in zip(glyphs_KHW, corners_K2):
            part = frame[top : top + height, left : left + width]
            np.maximum(part, glyph, out=part)
    return found

"""Scenes as items: a picture with its weather, season and time of day, or with its style."""

from __future__ import annotations

from wganx import DataContext, Split
from wganx_image.configs.datasets import ProceduralScenesConfig, ProceduralStylesConfig
from wganx_image.datasets.drawing.items import DrawnItems
from wganx_image.datasets.scenes.kinds import CHANCES, SHARES
from wganx_image.datasets.scenes.landscape import draw_scenes
from wganx_image.datasets.scenes.styles import draw_styles


def open_procedural_scenes(config: ProceduralScenesConfig, split: Split, context: DataContext) -> DrawnItems:
    """Drawn landscapes; `context.seed`, the split and its number fix a scene."""
    return DrawnItems(
        draw_scenes, SHARES, CHANCES,
        count=config.count, size=config.size, labels=config.kinds, split=split, seed=context.seed,
    )  # fmt: skip


def open_procedural_styles(config: ProceduralStylesConfig, split: Split, context: DataContext) -> DrawnItems:
    """Drawn landscapes of some styles, as many of each, no two of the same place."""
    shares = {"style": dict.fromkeys(map(str, config.styles), 1 / len(config.styles))}
    return DrawnItems(
        draw_styles, shares, CHANCES,
        count=config.count, size=config.size, labels=("style",), split=split, seed=context.seed,
    )  # fmt: skip

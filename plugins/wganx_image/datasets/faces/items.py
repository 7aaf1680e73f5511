"""Faces as items: a picture and its attributes."""

from __future__ import annotations

from wganx import DataContext, Split
from wganx_image.configs.datasets import ProceduralFacesConfig
from wganx_image.datasets.drawing.items import DrawnItems
from wganx_image.datasets.faces.attributes import CHANCES, SHARES
from wganx_image.datasets.faces.portrait import draw_faces


def open_procedural_faces(config: ProceduralFacesConfig, split: Split, context: DataContext) -> DrawnItems:
    """Drawn faces; `context.seed`, the split and its number fix a face. Each chosen attribute is a label."""
    return DrawnItems(
        draw_faces, SHARES, CHANCES,
        count=config.count, size=config.size, labels=config.attributes, split=split, seed=context.seed,
    )  # fmt: skip

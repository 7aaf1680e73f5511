"""Datasets opened as a run opens them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from wganx import DataContext
from wganx.plugins import Catalog


def both_splits(catalog: Catalog, name: str, root: Path, **options: object) -> tuple[Any, Any]:
    """Both splits of a dataset, with what is fitted to it when a run starts."""
    dataset = catalog.dataset(name)
    config = dataset.config(root=root, **options)
    context = DataContext(fitted=dataset.factory("fit")(config, DataContext()))
    train, heldout = (dataset.factory("open")(config, split, context) for split in ("train", "heldout"))
    return train, heldout

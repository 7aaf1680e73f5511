"""The audio plugin as it is loaded, and its datasets opened as a run opens them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wganx import DataContext
from wganx.data import WindowItems
from wganx.plugins import Catalog, load

Opened = Callable[..., tuple[WindowItems, WindowItems]]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load(["audio"])


@pytest.fixture(scope="session")
def opened(catalog: Catalog) -> Opened:
    """Both splits of a dataset, with what is fitted to it when a run starts."""

    def open_both(name: str, root: Path, **options: object) -> tuple[WindowItems, WindowItems]:
        dataset = catalog.dataset(name)
        config = dataset.config(root=root, **options)
        context = DataContext(fitted=dataset.factory("fit")(config, DataContext()))
        train, heldout = (dataset.factory("open")(config, split, context) for split in ("train", "heldout"))
        return train, heldout

    return open_both

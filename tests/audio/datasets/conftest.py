"""The audio plugin as it is loaded, and its datasets opened as a run opens them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from tests.opening import both_splits
from wganx.data import WindowItems
from wganx.plugins import Catalog, load

Opened = Callable[..., tuple[WindowItems, WindowItems]]


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return load(["audio"])


@pytest.fixture(scope="session")
def opened(catalog: Catalog) -> Opened:
    return partial(both_splits, catalog)

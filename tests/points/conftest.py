from __future__ import annotations

from collections.abc import Callable

import pytest

from wganx import Batch, Config, Game, Items, MetricContext


@pytest.fixture
def whole_split() -> Callable[[Game, Items], Batch]:
    """A split as one batch of a game."""
    import torch

    def batch_of(game: Game, items: Items) -> Batch:
        rows = [items[index] for index in range(len(items))]
        stacked = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        return game.batch(stacked, torch.Generator().manual_seed(0), training=False)

    return batch_of


@pytest.fixture
def metric_context() -> Callable[[Game, Items], MetricContext]:
    """What a metric is told when every split is `items`."""
    return lambda game, items: MetricContext(
        config=Config(), game=game, items=lambda split: items, features=lambda extractor, side: side.real
    )

"""Metrics on samples whose values are known: perfect, collapsed, shifted, optimally and randomly moved."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from wganx_points.configs import (
    CloudConfig,
    GaussianConfig,
    GenerateConfig,
    GridConfig,
    PairConfig,
    RingConfig,
    TranslateConfig,
)
from wganx_points.datasets import ModeItems, open_cloud, open_pair
from wganx_points.metrics import modes, transport_cost, w1
from wganx_points.tasks import Generate, Translate

from wganx import Batch, DataContext, Formats, Game, Items, MetricContext, Sides

WholeSplit = Callable[[Game, Items], Batch]
Context = Callable[[Game, Items], MetricContext]


@pytest.mark.parametrize(("config", "total"), [(RingConfig(), 8), (GridConfig(), 25)], ids=["ring", "grid"])
def test_real_points_cover_every_mode(
    config: CloudConfig, total: int, whole_split: WholeSplit, metric_context: Context
) -> None:
    items = open_cloud(config, "heldout", DataContext())
    game = Generate(GenerateConfig(labels=True), Formats(items.formats))
    batch = whole_split(game, items)
    values = modes(Sides(batch, batch, batch), metric_context(game, items))
    assert values["modes"] == values["modes_total"] == total
    # The radius of a plane Gaussian is Rayleigh distributed: P(r > 3 sigma) = exp(-9/2).
    share = 1 - math.exp(-4.5)
    assert abs(values["high_quality"] - share) < 5 * math.sqrt(share * (1 - share) / len(batch))
    assert values["label_match"] == 1


def test_collapse_and_misses_are_seen(metric_context: Context) -> None:
    items = open_cloud(RingConfig(count=10, modes=4), "heldout", DataContext())
    assert isinstance(items, ModeItems)
    context = metric_context(Generate(GenerateConfig(), Formats(items.formats)), items)

    def values(*rows: torch.Tensor) -> dict[str, float]:
        batch = Batch(torch.stack(rows))
        return dict(modes(Sides(batch, batch, batch), context))

    first, second, third, _ = items.centres
    assert values(*[first] * 100) == {"modes": 1, "modes_total": 4, "high_quality": 1}
    assert values(*[torch.zeros(2)] * 100) == {"modes": 0, "modes_total": 4, "high_quality": 0}
    # A fair share is 25 of 100, so 5 make a mode and 4 do not; just within and beyond 3 sigma of the last.
    edge = torch.tensor([3 * items.sigma, 0.0])
    far = values(*[first] * 87, *[second] * 5, *[third] * 4, *[third + 1.01 * edge] * 4)
    assert far == {"modes": 2, "modes_total": 4, "high_quality": pytest.approx(0.96)}
    near = values(*[first] * 87, *[second] * 5, *[third] * 4, *[third + 0.99 * edge] * 4)
    assert near == {"modes": 3, "modes_total": 4, "high_quality": 1}


def test_label_match_counts_what_was_asked_for(metric_context: Context) -> None:
    items = open_cloud(RingConfig(count=10, modes=4), "heldout", DataContext())
    assert isinstance(items, ModeItems)
    game = Generate(GenerateConfig(labels=True), Formats(items.formats))
    batch = Batch(items.centres, context={"label": torch.tensor([0, 1, 3, 2])})
    assert modes(Sides(batch, batch, batch), metric_context(game, items))["label_match"] == 0.5


def test_modes_do_not_apply_without_modes(whole_split: WholeSplit, metric_context: Context) -> None:
    items = open_cloud(GaussianConfig(count=10), "heldout", DataContext())
    game = Generate(GenerateConfig(), Formats(items.formats))
    batch = whole_split(game, items)
    assert modes(Sides(batch, batch, batch), metric_context(game, items)) == {}


def test_w1_of_a_shift_is_its_length(whole_split: WholeSplit, metric_context: Context) -> None:
    items = open_cloud(GaussianConfig(count=100), "heldout", DataContext())
    game = Generate(GenerateConfig(), Formats(items.formats))
    batch = whole_split(game, items)
    shifted = batch.with_real(batch.real + torch.tensor([3.0, -4.0]))
    context = metric_context(game, items)
    assert w1(Sides(shifted, batch, batch), context)["w1"] == pytest.approx(5, rel=1e-5)
    assert w1(Sides(batch, batch, batch), context)["w1"] == 0


def test_the_cost_of_a_shift_is_optimal_and_that_of_a_shuffle_is_not(metric_context: Context) -> None:
    items = open_pair(PairConfig(count=100), "heldout", DataContext())
    game = Translate(TranslateConfig(), Formats(items.formats))
    source = items.tensors["source"]
    target = Batch(source + torch.tensor([0.6, 0.8]), context={"source": source})
    context = metric_context(game, items)
    best = transport_cost(Sides(target, target, target), context)
    assert best["cost"] == pytest.approx(1, rel=1e-5)
    assert best["optimal_cost"] == pytest.approx(1, rel=1e-5)
    assert best["excess"] == pytest.approx(0, abs=1e-5)
    shuffled = game.baselines()["random"](target, torch.Generator().manual_seed(0))
    assert transport_cost(Sides(target.with_real(shuffled), target, target), context)["excess"] > 0.5
    assert transport_cost(Sides(target.with_real(source), target, target), context)["excess"] == -1


def test_nothing_to_move_costs_nothing(metric_context: Context) -> None:
    items = open_pair(PairConfig(count=20), "heldout", DataContext())
    source = items.tensors["source"]
    same = Batch(source, context={"source": source})
    values = transport_cost(
        Sides(same, same, same), metric_context(Translate(TranslateConfig(), Formats(items.formats)), items)
    )
    assert values == {"cost": 0, "optimal_cost": 0}

"""What each game hands to the players, its extra loss, its baselines and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from wganx_points.configs import GenerateConfig, MoonsConfig, PairConfig, RingConfig, TranslateConfig
from wganx_points.datasets import open_cloud, open_pair
from wganx_points.tasks import Generate, Translate

from wganx import Batch, ConfigError, DataContext, Formats, Game, Items, Networks

WholeSplit = Callable[[Game, Items], Batch]


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_generate_hands_over_the_points_alone(whole_split: WholeSplit) -> None:
    items = open_cloud(RingConfig(count=20), "train", DataContext())
    game = Generate(GenerateConfig(), Formats(items.formats))
    batch = whole_split(game, items)
    assert torch.equal(batch.real, items.tensors["sample"])
    assert not batch.context
    assert not batch.condition
    assert not game.context
    assert not game.condition


def test_labels_go_to_both_players(whole_split: WholeSplit) -> None:
    items = open_cloud(RingConfig(count=20, modes=3), "train", DataContext())
    game = Generate(GenerateConfig(labels=True), Formats(items.formats))
    batch = whole_split(game, items)
    for given, formats in ((batch.context, game.context), (batch.condition, game.condition)):
        assert torch.equal(given["label"], items.tensors["label"])
        assert formats["label"].classes == ("mode 0", "mode 1", "mode 2")


def test_labels_are_refused_where_there_are_no_classes() -> None:
    items = open_cloud(MoonsConfig(count=5), "train", DataContext())
    with pytest.raises(ConfigError, match=r"task\.labels=true needs a dataset with classes .*name=ring or grid"):
        Generate(GenerateConfig(labels=True), Formats(items.formats))


def test_the_gaussian_baseline_has_the_moments_of_the_points(whole_split: WholeSplit) -> None:
    items = open_cloud(MoonsConfig(count=20_000), "train", DataContext())
    batch = whole_split(Generate(GenerateConfig(), Formats(items.formats)), items)
    stretched = batch.with_real(batch.real @ torch.tensor([[1.0, 0.5], [0.0, 1.0]]) + 3)
    drawn = Generate(GenerateConfig(), Formats(items.formats)).baselines()["gaussian"](stretched, rng())
    assert drawn.shape == stretched.real.shape
    torch.testing.assert_close(drawn.mean(dim=0), stretched.real.mean(dim=0), atol=0.06, rtol=0)
    torch.testing.assert_close(torch.cov(drawn.T), torch.cov(stretched.real.T), atol=0.1, rtol=0)
    assert not torch.equal(drawn, stretched.real)


def test_the_gaussian_baseline_of_a_flat_cloud_is_flat() -> None:
    line = torch.linspace(0, 1, 50).unsqueeze(1) * torch.tensor([[1.0, 2.0, -1.0]])
    ring = Formats(open_cloud(RingConfig(count=1), "train", DataContext()).formats)
    drawn = Generate(GenerateConfig(), ring).baselines()["gaussian"](Batch(line), rng())
    assert drawn.isfinite().all()
    torch.testing.assert_close(drawn[:, 1], 2 * drawn[:, 0], atol=1e-3, rtol=0)


def test_translate_hands_the_source_to_the_generator_only(whole_split: WholeSplit) -> None:
    items = open_pair(PairConfig(count=20), "train", DataContext())
    game = Translate(TranslateConfig(), Formats(items.formats))
    batch = whole_split(game, items)
    assert torch.equal(batch.real, items.tensors["sample"])
    assert torch.equal(batch.context["source"], items.tensors["source"])
    assert set(game.context) == {"source"}
    assert not batch.condition
    assert not game.condition


def test_the_transport_cost_is_the_weighted_mean_distance() -> None:
    pair = open_pair(PairConfig(count=1), "train", DataContext())
    game = Translate(TranslateConfig(cost_weight=0.5), Formats(pair.formats))
    source = torch.zeros(2, 2)
    fake = torch.tensor([[3.0, 4.0], [0.0, 0.0]], requires_grad=True)
    batch = Batch(source, context={"source": source})
    losses = game.generator_losses(Networks(nn.Identity(), nn.Identity()), fake, batch, step=0)
    assert losses["transport_cost"].item() == pytest.approx(0.5 * (5 + 0) / 2)
    torch.autograd.backward(losses["transport_cost"])
    # A point that has not moved yet has no direction, and must not poison the others.
    torch.testing.assert_close(fake.grad, torch.tensor([[0.15, 0.2], [0.0, 0.0]]))


def test_translate_baselines(whole_split: WholeSplit) -> None:
    items = open_pair(PairConfig(count=200), "train", DataContext())
    game = Translate(TranslateConfig(), Formats(items.formats))
    batch = whole_split(game, items)
    baselines = game.baselines()
    assert set(baselines) == {"copy", "random"}
    assert torch.equal(baselines["copy"](batch, rng()), batch.context["source"])
    mixed = baselines["random"](batch, rng())
    assert not torch.equal(mixed, batch.real)
    assert sorted(mixed.tolist()) == sorted(batch.real.tolist())


def test_translate_refuses_items_without_a_source() -> None:
    items = open_cloud(RingConfig(count=5), "train", DataContext())
    with pytest.raises(ConfigError, match=r"only: sample, label; choose dataset\.name=pair"):
        Translate(TranslateConfig(), Formats(items.formats))

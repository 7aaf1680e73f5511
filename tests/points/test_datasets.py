"""Clouds against their closed-form moments, and the independence of their splits."""

from __future__ import annotations

import math

import pytest
import torch
import wganx_points
from wganx_points.configs import (
    CloudConfig,
    GaussianConfig,
    GridConfig,
    MoonsConfig,
    PairConfig,
    RingConfig,
    SwissRollConfig,
)
from wganx_points.datasets import ModeItems, open_cloud, open_pair

from wganx import DataContext, Dataset, SampleFormat, Split
from wganx.data import ArrayItems

MANY = 20_000
SYNTHETIC = [dataset for dataset in wganx_points.wganx_datasets() if not dataset.folder]


def points_of(config: CloudConfig, seed: int = 0) -> torch.Tensor:
    return open_cloud(config, "train", DataContext(seed=seed)).tensors["sample"].double()


def assert_moments(points: torch.Tensor, mean: list[float], variance: list[float]) -> None:
    """Within 5 standard errors, the fourth moment taken from the points."""
    centred = points - points.mean(dim=0)
    mean_error = points.std(dim=0) / len(points) ** 0.5
    variance_error = (centred.pow(2).std(dim=0)) / len(points) ** 0.5
    assert ((points.mean(dim=0) - torch.tensor(mean)).abs() < 5 * mean_error).all()
    assert ((centred.pow(2).mean(dim=0) - torch.tensor(variance)).abs() < 5 * variance_error).all()


def test_ring_moments() -> None:
    each = 1.5**2 / 2 + 0.1**2
    assert_moments(points_of(RingConfig(count=MANY, modes=5, radius=1.5, sigma=0.1)), [0, 0], [each, each])


def test_grid_moments() -> None:
    each = 0.5**2 * (4**2 - 1) / 12 + 0.1**2
    assert_moments(points_of(GridConfig(count=MANY, side=4, spacing=0.5, sigma=0.1)), [0, 0], [each, each])


def test_gaussian_moments_in_three_dimensions() -> None:
    assert_moments(points_of(GaussianConfig(count=MANY, dimension=3, mean=-1, scale=2)), [-1] * 3, [4] * 3)


def test_moons_moments() -> None:
    scale, noise = 6 / 3, 0.1
    variance = [scale**2 * 0.75 + noise**2, scale**2 * (0.5625 - 1 / math.pi) + noise**2]
    assert_moments(points_of(MoonsConfig(count=MANY, width=6, noise=noise)), [0, 0], variance)


def test_swiss_roll_second_moment_and_radius() -> None:
    # The angle t is uniform on [1.5 pi, 4.5 pi] and the distance from the origin is proportional to it.
    first, last, radius = 1.5 * math.pi, 4.5 * math.pi, 3.0
    squared = points_of(SwissRollConfig(count=MANY, radius=radius, noise=0)).pow(2).sum(dim=1)
    expected = (radius / last) ** 2 * (last**3 - first**3) / (3 * (last - first))
    assert abs(squared.mean() - expected) < 5 * squared.std() / MANY**0.5
    assert squared.max().sqrt() == pytest.approx(radius, rel=1e-3)


def test_swiss_roll_noise_has_the_stated_deviation() -> None:
    sharp, blurred = (points_of(SwissRollConfig(count=MANY, noise=noise)) for noise in (0.0, 0.2))
    assert (blurred - sharp).std(dim=0).tolist() == pytest.approx([0.2, 0.2], rel=0.03)


@pytest.mark.parametrize("config", [RingConfig(count=MANY), GridConfig(count=MANY)], ids=["ring", "grid"])
def test_mixtures_know_their_modes(config: RingConfig | GridConfig) -> None:
    items = open_cloud(config, "heldout", DataContext())
    assert isinstance(items, ModeItems)
    offset = items.tensors["sample"] - items.centres[items.tensors["label"]]
    assert offset.std(dim=0).tolist() == pytest.approx([items.sigma] * 2, rel=0.03)
    counts = torch.bincount(items.tensors["label"], minlength=len(items.formats["label"].classes))
    fair = MANY / len(items.centres)
    assert ((counts - fair).abs() < 5 * fair**0.5).all()
    assert len(items.formats["label"].classes) == len(items.centres)


@pytest.mark.parametrize("dataset", SYNTHETIC, ids=lambda dataset: dataset.name)
def test_opened_as_declared(dataset: Dataset) -> None:
    items = dataset.factory("open")(dataset.config.model_validate({"count": 50}), "train", DataContext())
    assert len(items) == 50
    item = items[49]
    assert items.formats["sample"].axes == ("coordinate",)
    assert items.formats["sample"].value_range is None
    assert item["sample"].shape == items.formats["sample"].shape
    assert item["sample"].dtype == torch.float32


@pytest.mark.parametrize("dataset", SYNTHETIC, ids=lambda dataset: dataset.name)
def test_the_seed_fixes_every_point_and_the_splits_share_none(dataset: Dataset) -> None:
    def opened(split: Split, seed: int) -> dict[str, torch.Tensor]:
        items = dataset.factory("open")(dataset.config.model_validate({"count": 200}), split, DataContext(seed=seed))
        assert isinstance(items, ArrayItems)
        return items.tensors

    train, again, other, heldout = opened("train", 3), opened("train", 3), opened("train", 4), opened("heldout", 3)
    for name, points in train.items():
        assert torch.equal(points, again[name])
        if name != "label":
            rows = [set(map(tuple, cloud.tolist())) for cloud in (points, heldout[name], other[name])]
            assert not rows[0] & rows[1]
            assert not rows[0] & rows[2]


def test_the_clouds_of_a_pair_are_independent_even_when_alike() -> None:
    items = open_pair(PairConfig(source="gaussian", target="gaussian", count=MANY), "train", DataContext())
    both = torch.cat([items.tensors["sample"], items.tensors["source"]], dim=1)
    off_diagonal = torch.corrcoef(both.T)[:2, 2:]
    assert off_diagonal.abs().max() < 5 / MANY**0.5


def test_a_pair_knows_the_modes_of_its_target() -> None:
    items = open_pair(PairConfig(source="ring", target="grid", count=10), "train", DataContext())
    assert isinstance(items, ModeItems)
    assert len(items.centres) == 25
    assert set(items.formats) == {"sample", "source"}
    for format in items.formats.values():
        assert format == SampleFormat(axes=("coordinate",), shape=(2,), value_range=None)

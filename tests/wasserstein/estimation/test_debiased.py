"""Exact transport of few samples without its bias, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from wganx.wasserstein import exact_w1
from wganx.wasserstein.estimation.components import Components, between, find_components
from wganx.wasserstein.estimation.debiased import debiased, on_the_line
from wganx.wasserstein.estimation.split import Pair


def normal(n: int, dim: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def one(samples: Pair) -> Components:
    return Components(samples.x.mean(0, keepdim=True))


def test_the_bias_of_few_samples_in_many_dimensions_is_taken_out():
    moved = Pair(normal(400, 32), normal(400, 32, 1) + 3 / math.sqrt(32))
    wider = Pair(normal(400, 32), 2 * normal(400, 32, 1))
    mean_length = math.sqrt(2) * math.exp(math.lgamma(16.5) - math.lgamma(16))
    for samples, truth in ((moved, 3.0), (wider, mean_length)):
        assert exact_w1(samples.x, samples.y).value > 1.5 * truth
        found = debiased(samples, one(samples), 100, seed=0)
        assert found.value == pytest.approx(truth, rel=0.1)
        assert found.value <= found.high <= 1.6 * truth


def test_one_distribution_twice_leaves_open_what_its_noise_hides():
    samples = Pair(normal(400, 16), normal(400, 16, 1))
    found = debiased(samples, one(samples), 100, seed=0)
    assert found.value < 1 < exact_w1(samples.x, samples.y).value
    assert 0 < found.high < 2


def test_clusters_are_taken_one_by_one():
    # Six clusters 50 apart, twice as wide: noise in the counts alone moves 1 between them.
    rng = torch.Generator().manual_seed(0)
    centres = 35 * torch.eye(6, dtype=torch.float64)
    which = torch.randint(6, (2, 1200), generator=rng)
    samples = Pair(centres[which[0]] + normal(1200, 6), centres[which[1]] + 2 * normal(1200, 6, 1))
    truth = math.sqrt(2) * math.exp(math.lgamma(3.5) - math.lgamma(3))
    components = find_components(samples)
    assert len(components) == 6
    found = debiased(samples, components, 100, seed=0)
    assert found.value == pytest.approx(truth, rel=0.25)
    assert found.high > truth


def test_shares_that_differ_cost_the_way():
    components = Components(torch.tensor([[0.0], [10.0]], dtype=torch.float64))
    equal = torch.tensor([0.5, 0.5], dtype=torch.float64)
    moved = between(components, (equal, torch.tensor([0.7, 0.3], dtype=torch.float64)), (5000, 5000), 0)
    assert moved.cost == pytest.approx(2, rel=0.02)
    alike = between(components, (equal, equal), (5000, 5000), 0)
    assert alike.cost == 0 < alike.high < 0.3


@pytest.mark.parametrize(
    ("x", "y", "truth"),
    [
        (normal(2000, 1), normal(2000, 1, 1) + 1, 1.0),
        (normal(2000, 1), 3 * normal(1500, 1, 1), 2 * math.sqrt(2 / math.pi)),
        (normal(500, 1), normal(500, 1, 1), 0.0),
    ],
)
def test_on_the_line(x, y, truth):
    value, bias = on_the_line(x[:, 0], y[:, 0])
    plain = exact_w1(x, y).value
    assert value == pytest.approx(plain - bias)
    assert bias > 0
    assert value == pytest.approx(truth, abs=4 / math.sqrt(len(x)))

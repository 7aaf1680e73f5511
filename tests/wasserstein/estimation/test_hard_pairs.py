"""Pairs whose best critic has many kinks, or whose samples are few: the error that is stated holds."""

from __future__ import annotations

import math

import pytest
import torch

from wganx.wasserstein import bracket_w1, estimate_w1

QUICK = {"steps": 150, "width": 32, "batch_size": 64}


def normal(n: int, dim: int, rng: torch.Generator) -> torch.Tensor:
    return torch.randn(n, dim, generator=rng, dtype=torch.float64)


def comb(rng):
    which = 2.0 * torch.randint(6, (2, 500, 1), generator=rng)
    return which[0] + 0.02 * normal(500, 1, rng), which[1] + 1 + 0.02 * normal(500, 1, rng), 1.0


def grid(rng):
    places = 4.0 * torch.arange(5, dtype=torch.float64)
    centres = torch.cartesian_prod(places, places)
    which = torch.randint(25, (2, 2000), generator=rng)
    x, y = (centres[index] + wide * normal(2000, 2, rng) for index, wide in zip(which, (0.05, 0.25)))
    return x, y, 0.2 * math.sqrt(math.pi / 2)


def mixtures_on_one_axis(rng):
    sides = []
    for first in (-2.0, -1.0):
        side = normal(600, 10, rng)
        side[:, 0] = 0.3 * side[:, 0] + first + 2.0 * torch.randint(3, (600,), generator=rng)
        sides.append(side)
    return *sides, 1.0


def widened_clusters(rng):
    centres = 25 * torch.eye(4, 8, dtype=torch.float64)
    which = torch.randint(4, (2, 2000), generator=rng)
    x, y = (centres[index] + wide * normal(2000, 8, rng) for index, wide in zip(which, (1.0, 2.0)))
    return x, y, math.sqrt(2) * math.exp(math.lgamma(4.5) - math.lgamma(4))


@pytest.mark.parametrize("pair", [comb, grid, mixtures_on_one_axis, widened_clusters])
def test_the_readings_hold_where_a_network_cannot_follow(pair):
    x, y, truth = pair(torch.Generator().manual_seed(0))
    lower = estimate_w1(x, y, **QUICK)
    assert 0.8 * truth - lower.error <= lower.value <= truth + lower.error
    assert lower.low == pytest.approx(lower.value - lower.error)
    point = estimate_w1(x, y, "lipschitz-penalty", **QUICK)
    assert abs(point.value - truth) <= point.error
    assert point.low <= truth <= point.high


def test_what_cannot_be_known_is_said_in_words():
    rng = torch.Generator().manual_seed(0)
    point = estimate_w1(normal(200, 64, rng), normal(200, 64, rng), "lipschitz-penalty", **QUICK)
    assert point.value - point.error <= 0
    assert "these samples tell little: anything from 0 to " in point.guarantee


def test_a_bracket_holds_the_same_readings():
    x, y, _ = comb(torch.Generator().manual_seed(0))
    bracket = bracket_w1(x, y, steps=20, device="cpu")
    alone = [estimate_w1(x, y, method, steps=20, device="cpu") for method in ("orthogonal", "lipschitz-penalty")]
    assert [bracket.lower.value, bracket.point.value] == [found.value for found in alone]

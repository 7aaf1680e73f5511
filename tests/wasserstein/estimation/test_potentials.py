"""Potentials without a network: 1-Lipschitz whatever they were made from, and worth what transport costs."""

from __future__ import annotations

import pytest
import torch

from wganx.wasserstein import exact_w1
from wganx.wasserstein.estimation.candidates import around, choose, read, without_network
from wganx.wasserstein.estimation.components import Components, find_components
from wganx.wasserstein.estimation.potentials import McShane, extended, on_a_line
from wganx.wasserstein.estimation.split import Pair


def normal(n: int, dim: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def clustered(n: int = 150, dim: int = 3) -> Pair:
    """Three clusters far apart, and the same ones twice as wide."""
    rng = torch.Generator().manual_seed(7)
    centres = 30 * torch.eye(3, dim, dtype=torch.float64)
    which = torch.randint(3, (2, n), generator=rng)
    return Pair(centres[which[0]] + normal(n, dim), centres[which[1]] + 2 * normal(n, dim, 1))


def steepest(potential, samples: Pair) -> float:
    """Slopes between samples, between points close to each other, and between points far outside."""
    points = torch.cat([samples.x, samples.y, 3 * samples.x, samples.x + 1e-3])
    ways = torch.cdist(points, points)
    values = potential(points)
    slopes = (values[:, None] - values).abs() / ways
    return float(slopes[ways > 1e-9].max())


@pytest.mark.parametrize("samples", [clustered(), Pair(normal(80, 4), 2 * normal(90, 4, 1))])
def test_every_candidate_is_1_lipschitz(samples):
    candidates = without_network(samples, find_components(samples), 60)
    assert len(candidates) > 10
    for candidate in candidates:
        assert steepest(candidate, samples) <= 1 + 1e-6


def test_any_function_of_slope_1_stays_so_around_centres():
    samples = clustered()
    components = find_components(samples)
    assert len(components) == 3
    whole = around(components, lambda z: 5 * torch.sin(z.sum(1) / (5 * 3**0.5)), samples, 0.5)
    assert steepest(whole, samples) <= 1 + 1e-6


def test_an_extension_reads_exact_transport_on_the_samples_it_came_from():
    samples = Pair(normal(60, 3), normal(50, 3, 1) + 1)
    potential, value = extended(samples)
    assert value == pytest.approx(exact_w1(samples.x, samples.y).value, rel=1e-9)
    assert read(potential, samples).value == pytest.approx(value, rel=1e-6)


def test_whatever_is_extended_is_1_lipschitz():
    potential = McShane(normal(40, 2), 100 * normal(40, 1)[:, 0], 5.0)
    assert steepest(potential, Pair(normal(50, 2, 2), normal(50, 2, 3))) <= 1 + 1e-9


def test_on_the_line_the_potential_reads_all_there_is():
    samples = Pair(normal(200, 1), 3 * normal(150, 1, 1))
    potential = on_a_line(samples, torch.ones(1, dtype=torch.float64), False, 0.0)
    assert read(potential, samples).value == pytest.approx(exact_w1(samples.x, samples.y).value, rel=1e-9)


def test_the_best_reading_is_not_chosen_for_its_noise():
    judges = Pair(normal(50, 1), normal(50, 1, 1) - 0.5)

    def quiet(x: torch.Tensor) -> torch.Tensor:
        return x[:, 0].clamp(-2, 2)

    def loud(x: torch.Tensor) -> torch.Tensor:
        return 100 * torch.sin(1e4 * x[:, 0]) + 2 * quiet(x)

    assert read(loud, judges).value > read(quiet, judges).value
    assert choose([loud, quiet], judges, 50) is quiet


def test_one_cluster_has_one_component():
    assert len(find_components(Pair(normal(300, 5), 2 * normal(200, 5, 1)))) == 1
    heavy = normal(600, 2) / normal(600, 1, 1).abs()
    assert len(find_components(Pair(heavy[:300], heavy[300:]))) == 1
    same = torch.ones(30, 2, dtype=torch.float64)
    assert len(find_components(Pair(same, same))) == 1


def test_a_sample_belongs_to_the_nearest_centre():
    components = Components(torch.tensor([[0.0, 0.0], [10.0, 0.0]]))
    assert components.of(torch.tensor([[1.0, 1.0], [9.0, -3.0]])).tolist() == [0, 1]
    assert components.shares(torch.tensor([0, 1, 1, 1])).tolist() == [0.25, 0.75]

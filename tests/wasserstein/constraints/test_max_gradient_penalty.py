"""The penalty on the largest gradient norms."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from wganx.wasserstein import LipschitzPenalty, MaxGradientPenalty


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def bowl(x):
    """Half the squared length: the gradient norm at a point is its distance to zero."""
    return 0.5 * x.square().flatten(1).sum(1)


def wavy_critic():
    torch.manual_seed(4)
    critic = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1), nn.Flatten(0)).double()
    with torch.no_grad():
        critic[0].weight.mul_(6)
    return critic


@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 2.0])
def test_a_linear_critic_costs_as_under_the_one_sided_penalty(slope):
    real, fake = torch.randn(2, 8, 4, generator=rng(), dtype=torch.float64)
    loss = MaxGradientPenalty(3.0).penalty(lambda x: slope * x[:, 0], real, fake)
    assert loss.item() == pytest.approx(3.0 * max(0.0, slope - 1) ** 2, abs=1e-15)


@given(
    st.lists(st.floats(0, 50), min_size=1, max_size=12),
    st.integers(1, 15),
)
def test_the_pool_keeps_the_largest_norms(lengths, pool):
    # Real and fake coincide, so every point of a row lies where its sample lies.
    rows = torch.tensor(lengths, dtype=torch.float64)[:, None]
    kept = sorted(lengths, reverse=True)[:pool]
    expected = 2.0 * sum(max(0.0, length - 1) ** 2 for length in kept) / len(kept)
    assert MaxGradientPenalty(2.0, pool=pool).penalty(bowl, rows, rows).item() == pytest.approx(expected, rel=1e-9)


def test_for_a_batch_of_one_it_is_the_one_sided_penalty():
    critic = wavy_critic()
    losses = []
    for seed in range(20):
        real, fake = torch.randn(2, 1, 3, generator=rng(seed), dtype=torch.float64)
        largest = MaxGradientPenalty(10.0).terms(critic, real, fake, {}, rng(1))
        mean = LipschitzPenalty(10.0).terms(critic, real, fake, {}, rng(1))
        assert largest == mean
        losses.append(mean.loss.item())
    assert min(losses) == 0 < max(losses)


def test_a_pool_of_the_whole_batch_is_the_one_sided_penalty_and_a_smaller_one_costs_more():
    critic = wavy_critic()
    real, fake = torch.randn(2, 32, 3, generator=rng(), dtype=torch.float64)

    def loss(kind):
        return kind.terms(critic, real, fake, {}, rng(1)).loss.item()

    losses = [loss(MaxGradientPenalty(10.0, pool=pool)) for pool in (1, 4, 16, 32, 100)]
    assert losses[-2] == losses[-1] == pytest.approx(loss(LipschitzPenalty(10.0)), rel=1e-12)
    assert losses[0] > losses[1] > losses[2] > losses[3] > 0


def test_more_candidates_find_steeper_places():
    critic = wavy_critic()
    real, fake = torch.randn(2, 8, 3, generator=rng(), dtype=torch.float64)
    few, many = (
        MaxGradientPenalty(candidates=candidates).terms(critic, real, fake, {}, rng(1)).loss.item()
        for candidates in (1, 16)
    )
    # The first eight of the many points are the few.
    assert many > few


def test_only_the_hardest_points_are_penalised_and_all_are_measured():
    rows = torch.tensor([[3.0], [2.0], [0.5]])
    terms = MaxGradientPenalty(1.0, candidates=4).terms(bowl, rows, rows, {}, rng())
    assert terms.loss.item() == pytest.approx(4.0)
    assert terms.gradient_norm.item() == pytest.approx(5.5 / 3)


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e3))
def test_the_correction_inverts_the_bias_of_the_penalty(w1, weight):
    assert MaxGradientPenalty(weight).correct(w1 + w1**2 / (2 * weight)) == pytest.approx(w1, rel=1e-6)

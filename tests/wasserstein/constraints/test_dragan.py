"""The penalty around the real samples."""

import pytest
import torch

from wganx.wasserstein import Dragan


def bowl(x):
    """Half the squared length: the gradient norm at a point is its distance to zero."""
    return 0.5 * x.square().flatten(1).sum(1)


@pytest.mark.parametrize("shape", [(7,), (2, 50), (3, 8, 8), (4, 3, 5, 5)])
@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_slope_k_costs_weight_times_k_minus_one_squared(shape, slope):
    real, fake = torch.randn(2, 4, *shape, dtype=torch.float64)
    loss = Dragan(5.0).penalty(lambda x: slope * x.flatten(1)[:, 0], real, fake)
    assert loss.item() == pytest.approx(5.0 * (slope - 1) ** 2, abs=1e-15)


def test_the_fake_batch_is_not_looked_at():
    real = torch.randn(6, 3)
    loss = Dragan().penalty(bowl, real, torch.full_like(real, torch.nan))
    assert torch.isfinite(loss)


def test_without_noise_the_norm_is_taken_at_the_samples():
    real = torch.randn(6, 3, dtype=torch.float64)
    loss = Dragan(2.0, spread=0.0).penalty(bowl, real, real)
    assert loss.item() == pytest.approx(2.0 * (real.norm(dim=1) - 1).square().mean().item(), rel=1e-12)


def test_the_noise_is_uniform_up_to_half_a_standard_deviation_of_the_batch():
    real = 3 * torch.randn(2000, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(1)

    Dragan().terms(critic, real, real, {}, torch.Generator().manual_seed(1))
    noise = (seen[0] - real) / (0.5 * real.std(correction=0))
    assert 0 <= noise.min() < 0.01
    assert 0.99 < noise.max() <= 1
    # Mean and variance of U[0, 1] within four standard errors of 8000 draws; each value is drawn on its own.
    assert noise.mean().item() == pytest.approx(0.5, abs=4 * (1 / 12 / 8000) ** 0.5)
    assert noise.var().item() == pytest.approx(1 / 12, abs=0.004)
    assert noise.unique().numel() == noise.numel()


def test_a_single_value_has_no_spread_and_no_nan():
    real = torch.tensor([[2.0]])
    assert Dragan(1.0).penalty(bowl, real, real).item() == pytest.approx(1.0)

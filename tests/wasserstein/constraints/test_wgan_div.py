"""The Wasserstein divergence."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wganx.wasserstein import WganDiv


@pytest.mark.parametrize("shape", [(7,), (2, 50), (3, 8, 8), (4, 3, 5, 5)])
@pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 1.7])
@pytest.mark.parametrize("power", [1.5, 2.0, 6.0, 12.0])
def test_slope_a_costs_weight_times_a_to_the_power(shape, slope, power):
    """The power applies to the norm, not to its square."""
    real, fake = torch.randn(2, 4, *shape, dtype=torch.float64)
    loss = WganDiv(2.0, power=power).penalty(lambda x: slope * x.flatten(1)[:, 0], real, fake)
    assert loss.item() == pytest.approx(2.0 * slope**power, rel=1e-12)


def test_the_published_settings_are_the_defaults():
    assert (WganDiv().weight, WganDiv().power) == (2.0, 6.0)


def test_the_points_lie_between_real_and_fake():
    seen = []

    def critic(x):
        seen.append(x.detach())
        return x.sum(1)

    WganDiv().penalty(critic, torch.zeros(100, 2), torch.ones(100, 2))
    assert torch.equal(seen[0][:, 0], seen[0][:, 1])
    assert 0 <= seen[0].min() < 0.2
    assert 0.8 < seen[0].max() <= 1


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e2), st.floats(1.5, 12.0))
def test_the_correction_inverts_the_reading_at_the_best_slope(w1, weight, power):
    slope = (w1 / (weight * power)) ** (1 / (power - 1))
    constraint = WganDiv(weight, power=power)
    assert constraint.correct(slope * w1) == pytest.approx(w1, rel=1e-6)

    def gain(s):
        return s * w1 - weight * s**power

    # The slope is the best one indeed.
    assert gain(slope) >= max(gain(0.99 * slope), gain(1.01 * slope))


def test_gradient_ascent_settles_at_the_reading_that_the_correction_undoes():
    """The critic ``f(x) = ψx`` between two points at distance 3."""
    real, fake = torch.full((1, 1), 3.0, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    psi = torch.ones((), dtype=torch.float64, requires_grad=True)
    constraint = WganDiv()

    def critic(x):
        return psi * x.squeeze(1)

    for _ in range(300):
        loss = (critic(fake) - critic(real)).mean() + constraint.penalty(critic, real, fake)
        psi.data -= 0.02 * torch.autograd.grad(loss, psi)[0]
    raw = (critic(real) - critic(fake)).item()
    assert raw == pytest.approx(3 * (3 / 12) ** 0.2, rel=1e-6)
    assert constraint.correct(raw) == pytest.approx(3.0, rel=1e-6)


def test_a_reading_that_is_no_distance_is_not_corrected():
    assert WganDiv().correct(-0.5) == -0.5
    assert WganDiv().correct(0.0) == 0.0
    assert WganDiv(0.0).correct(2.0) == 2.0

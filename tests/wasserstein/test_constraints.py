"""The constraints against closed forms, at every sample rank."""

import math
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import wganx
from wganx.errors import PreflightError
from wganx.wasserstein import CONSTRAINTS, Constraint, gradient_norms, interpolate

SHAPES = {"points": (7,), "audio": (2, 50), "image": (3, 8, 8), "video": (4, 3, 5, 5)}


def samples(batch, shape, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(2, batch, *shape, generator=rng, dtype=torch.float64).unbind(0)


def linear_critic(shape, slope):
    """f(x) = slope * <w, x> with a unit vector w: its gradient has norm `slope` everywhere."""
    direction = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    direction /= direction.norm()
    return lambda x: slope * (x * direction).flatten(1).sum(1)


def smooth_critic(size):
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(size, 16), nn.Softplus(), nn.Linear(16, 1), nn.Flatten(0)).double()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("batch", [1, 4, 64])
class TestClosedForms:
    def test_a_unit_slope_costs_nothing(self, batch, shape):
        real, fake = samples(batch, shape)
        penalty = wganx.GradientPenalty(10.0).penalty(linear_critic(shape, 1.0), real, fake)
        assert penalty.shape == ()
        assert abs(penalty.item()) < 1e-24

    @pytest.mark.parametrize("slope", [0.0, 0.5, 2.0, 8.0])
    def test_slope_k_costs_weight_times_k_minus_one_squared(self, batch, shape, slope):
        real, fake = samples(batch, shape)
        penalty = wganx.GradientPenalty(3.0).penalty(linear_critic(shape, slope), real, fake)
        assert penalty.item() == pytest.approx(3.0 * (slope - 1) ** 2, rel=1e-12)

    @pytest.mark.parametrize("slope", [0.0, 0.5, 1.0, 2.0])
    def test_the_one_sided_penalty_forgives_small_slopes(self, batch, shape, slope):
        real, fake = samples(batch, shape)
        penalty = wganx.LipschitzPenalty(3.0).penalty(linear_critic(shape, slope), real, fake)
        assert penalty.item() == pytest.approx(3.0 * max(0.0, slope - 1) ** 2, rel=1e-12, abs=1e-24)


@pytest.mark.parametrize("shape", [(2, 6), (2, 3, 4), (2, 3, 2, 2)], ids=["3-D", "4-D", "5-D"])
@pytest.mark.parametrize("kind", [wganx.GradientPenalty, wganx.LipschitzPenalty])
def test_a_sample_of_any_rank_agrees_with_its_flattened_form(shape, kind):
    critic = smooth_critic(math.prod(shape))
    real, fake = samples(8, shape)

    def penalty(real, fake):
        rng = torch.Generator().manual_seed(5)
        return kind(10.0).terms(critic, real, fake, {}, rng).loss

    assert penalty(real, fake).item() == pytest.approx(penalty(real.flatten(1), fake.flatten(1)).item(), rel=1e-12)


@pytest.mark.parametrize("kind", [wganx.GradientPenalty, wganx.LipschitzPenalty])
def test_the_gradient_for_the_weights_agrees_with_finite_differences(kind):
    real, fake = samples(3, (2, 4))
    critic = smooth_critic(8)
    names, values = zip(*critic.named_parameters())

    def penalty(*weights):
        def scorer(x):
            return torch.func.functional_call(critic, dict(zip(names, weights)), (x,))

        return kind(0.7).terms(scorer, real * 9, fake, {}, torch.Generator().manual_seed(0)).loss

    # Scaled so that some norms exceed 1: the one-sided penalty must be differentiated where it acts.
    weights = tuple((4 * value.detach()).requires_grad_(True) for value in values)
    assert penalty(*weights).item() > 0
    assert torch.autograd.gradcheck(penalty, weights)


def test_the_gradient_is_finite_where_the_norm_is_zero():
    critic = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0))
    nn.init.zeros_(critic[2].weight)
    loss = wganx.GradientPenalty(10.0).penalty(critic, torch.randn(5, 3), torch.randn(5, 3))
    loss.backward()
    assert loss.item() == pytest.approx(10.0)
    assert all(torch.isfinite(parameter.grad).all() for parameter in critic.parameters() if parameter.grad is not None)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_one_interpolation_weight_a_sample(shape):
    real, fake = torch.zeros(64, *shape), torch.ones(64, *shape)
    points = interpolate(real, fake, torch.Generator().manual_seed(0)).flatten(1)
    assert torch.equal(points, points[:, :1].expand_as(points))
    assert points[:, 0].unique().numel() == 64
    assert 0 <= points.min() < 0.2
    assert 0.8 < points.max() <= 1


def test_interpolated_points_carry_no_graph():
    real, fake = torch.zeros(2, 3, requires_grad=True), torch.ones(2, 3, requires_grad=True)
    assert not interpolate(real, fake).requires_grad


def test_the_condition_of_a_row_is_held():
    real, fake = samples(6, (3,))
    label = torch.arange(6)
    seen = []

    def critic(x, label):
        seen.append(label)
        return x.sum(1) * (1 + label)

    norms = gradient_norms(critic, interpolate(real, fake), {"label": label})
    assert torch.equal(seen[0], label)
    assert torch.allclose(norms, math.sqrt(3) * (1 + label.double()))


def test_the_norm_is_taken_in_fp32_under_bf16():
    critic = nn.Sequential(nn.Linear(512, 1), nn.Flatten(0))
    with torch.autocast("cpu", torch.bfloat16):
        terms = wganx.GradientPenalty().terms(critic, torch.randn(4, 512), torch.randn(4, 512), {})
    assert terms.loss.dtype == terms.gradient_norm.dtype == torch.float32


def test_a_lazy_penalty_falls_due_in_every_kth_update_with_k_times_the_weight():
    lazy = wganx.GradientPenalty(every=3)
    assert [list(lazy.due(update)) for update in range(6)] == [[(3, lazy)], [], [], [(3, lazy)], [], []]
    assert [list(wganx.WeightClipping().due(update)) for update in range(2)] == [[], []]


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e3))
def test_the_correction_inverts_the_bias_of_the_penalty(w1, weight):
    raw = w1 + w1**2 / (2 * weight)
    for kind in (wganx.GradientPenalty, wganx.LipschitzPenalty):
        assert kind(weight).correct(raw) == pytest.approx(w1, rel=1e-6)


def test_a_reading_that_is_no_distance_is_not_corrected():
    assert wganx.GradientPenalty().correct(-0.5) == -0.5
    assert wganx.GradientPenalty(weight=0.0).correct(2.0) == 2.0
    assert wganx.WeightClipping().correct(2.0) is None


def test_clipping_bounds_every_weight():
    critic = nn.Linear(10, 10)
    nn.init.normal_(critic.weight)
    wganx.WeightClipping(limit=0.05).after_update(critic)
    assert critic.weight.abs().max().item() == pytest.approx(0.05)
    assert critic.bias.abs().max().item() <= 0.05 + 1e-9


def test_spectral_norm_divides_by_the_largest_singular_value_and_may_be_prepared_twice():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(20, 30), nn.LeakyReLU(0.2), nn.Linear(30, 1))
    constraint = wganx.SpectralNorm()
    constraint.prepare(critic)
    constraint.prepare(critic)
    for _ in range(50):
        critic(torch.zeros(1, 20))
    critic.eval()
    for layer in (critic[0], critic[2]):
        assert len(layer.parametrizations.weight) == 1
        assert torch.linalg.svdvals(layer.weight)[0].item() == pytest.approx(1.0, abs=1e-3)


def test_spectral_norm_refuses_a_critic_it_cannot_act_on():
    with pytest.raises(PreflightError, match="finds no linear, convolution or embedding layer in the critic"):
        wganx.SpectralNorm().prepare(nn.LayerNorm(3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: wganx.GradientPenalty(-1), "GradientPenalty: weight must be at least 0, got -1"),
        (lambda: wganx.GradientPenalty(every=0), "GradientPenalty: every must be at least 1, got 0"),
        (lambda: wganx.WeightClipping(0), "WeightClipping: limit must be more than 0, got 0"),
    ],
)
def test_settings_out_of_bounds_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_new_constraint_enters_by_being_defined():
    assert set(CONSTRAINTS) >= {"gradient-penalty", "lipschitz-penalty", "clip", "spectral-norm", "none"}

    @dataclass(frozen=True)
    class Fresh(Constraint):
        name = "fresh"

    try:
        assert CONSTRAINTS["fresh"] is Fresh
    finally:
        del CONSTRAINTS["fresh"]

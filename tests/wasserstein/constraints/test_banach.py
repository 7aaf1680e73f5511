"""The gradient penalty in the dual of a chosen norm."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from wganx.wasserstein import Banach, GradientPenalty

EXPONENTS = [1.0, 1.1, 1.5, 2.0, 3.0, 10.0, math.inf]
SHAPES = {"audio": (2, 9), "image": (3, 8, 7), "video": (4, 3, 5, 6)}


def draw(batch, *shape, seed=0):
    return torch.randn(batch, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear_critic(direction):
    return lambda x: (x * direction).flatten(1).sum(1)


@pytest.mark.parametrize("shape", [(7,), *SHAPES.values()])
def test_the_euclidean_norm_is_the_gradient_penalty(shape):
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0))
    real, fake = draw(6, *shape), draw(6, *shape, seed=1)
    ours, theirs = (
        kind.terms(critic.double(), real, fake, {}, torch.Generator().manual_seed(2))
        for kind in (Banach(7.0), GradientPenalty(7.0))
    )
    assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-12)
    assert ours.gradient_norm.item() == pytest.approx(theirs.gradient_norm.item(), rel=1e-12)


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("gamma", [0.25, 1.0, 8.0])
def test_k_times_gamma_costs_weight_times_gamma_times_k_minus_one_squared(exponent, gamma):
    constraint = Banach(3.0, exponent=exponent, gamma=gamma)
    direction = draw(1, 3, 4)
    direction = direction / constraint.dual_norms(direction) * gamma
    real, fake = draw(5, 3, 4, seed=1), draw(5, 3, 4, seed=2)
    for slope in (0.0, 0.5, 1.0, 2.0):
        loss = constraint.penalty(linear_critic(slope * direction), real, fake).item()
        assert loss == pytest.approx(3.0 * gamma * (slope - 1) ** 2, rel=1e-9, abs=1e-20)


@pytest.mark.parametrize(
    ("exponent", "norm", "dual"), [(1.0, 7.0, 4.0), (2.0, 5.0, 5.0), (math.inf, 4.0, 7.0), (4 / 3, None, None)]
)
def test_norms_and_dual_norms_of_three_and_four(exponent, norm, dual):
    if norm is None:
        norm, dual = (3**exponent + 4**exponent) ** (1 / exponent), (3**4 + 4**4) ** 0.25
    point = torch.tensor([[3.0, -4.0], [0.0, 0.0]], dtype=torch.float64)
    constraint = Banach(exponent=exponent)
    assert constraint.norms(point).tolist() == pytest.approx([norm, 0.0])
    assert constraint.dual_norms(point).tolist() == pytest.approx([dual, 0.0])


@given(st.sampled_from(EXPONENTS), st.floats(-2, 2), st.sampled_from(sorted(SHAPES)), st.integers(0, 1000))
def test_no_linear_function_gains_more_than_its_dual_norm_allows(exponent, smoothness, shape, seed):
    """The definition of a dual norm: ``<g, d> <= ‖g‖* ‖d‖``."""
    constraint = Banach(exponent=exponent, smoothness=smoothness)
    step, gradient = draw(1, *SHAPES[shape], seed=seed), draw(1, *SHAPES[shape], seed=seed + 2000)
    gained = (step * gradient).sum().item()
    assert abs(gained) <= (constraint.norms(step) * constraint.dual_norms(gradient)).item() * (1 + 1e-9)


@given(st.floats(1.05, 20.0), st.integers(0, 1000))
def test_some_linear_function_gains_all_that_its_dual_norm_allows(exponent, seed):
    """So the largest gap between two points is their distance, and the reading is W1 for it."""
    constraint = Banach(exponent=exponent)
    step = draw(1, 6, seed=seed)
    gradient = step.sign() * step.abs() ** (exponent - 1)
    gradient = gradient / constraint.dual_norms(gradient)
    assert (gradient * step).sum().item() == pytest.approx(constraint.norms(step).item(), rel=1e-9)


@given(st.floats(-2, 2), st.sampled_from(sorted(SHAPES)), st.integers(0, 1000))
def test_the_same_with_smoothness(smoothness, shape, seed):
    constraint = Banach(smoothness=smoothness)
    step = draw(1, *SHAPES[shape], seed=seed).requires_grad_(True)
    # The gradient of a Hilbert norm is the functional of norm 1 that attains it.
    (gradient,) = torch.autograd.grad(constraint.norms(step).sum(), step)
    assert constraint.dual_norms(gradient).item() == pytest.approx(1.0, rel=1e-9)
    assert (gradient * step).sum().item() == pytest.approx(constraint.norms(step).item(), rel=1e-9)


@pytest.mark.parametrize("smoothness", [-1.0, 1.0, 2.0])
@pytest.mark.parametrize(
    ("shape", "axes"), [((3, 8), (1,)), ((3, 8, 6), (1, 2)), ((4, 3, 8, 6), (0, 2, 3))], ids=["audio", "image", "video"]
)
def test_smoothness_weighs_frequencies_on_every_axis_but_the_channel(shape, axes, smoothness):
    constraint = Banach(smoothness=smoothness)
    flat = torch.ones(1, *shape, dtype=torch.float64)
    assert constraint.norms(flat).item() == pytest.approx(math.sqrt(flat.numel()))
    for axis in range(len(shape)):
        signs = torch.ones(shape[axis], dtype=torch.float64)
        signs[1::2] = -1  # the highest frequency of an axis of even length
        wave = flat * signs.view([-1 if other == axis else 1 for other in range(len(shape))])
        factor = 6 ** (smoothness / 2) if axis in axes else 1.0
        assert constraint.norms(wave).item() == pytest.approx(factor * math.sqrt(flat.numel()))
        assert constraint.dual_norms(wave).item() == pytest.approx(math.sqrt(flat.numel()) / factor)


def test_smoothness_does_not_agree_with_the_flattened_form():
    image = draw(2, 1, 4, 4)
    constraint = Banach(smoothness=1.0)
    assert not torch.allclose(constraint.norms(image), constraint.norms(image.flatten(2)))


def test_smoothness_needs_an_axis_behind_the_channel():
    with pytest.raises(
        ValueError,
        match=r"smoothness needs samples with an axis behind the channel, got shape \(7,\); set it to 0",
    ):
        Banach(smoothness=1.0).penalty(lambda x: x.sum(1), draw(3, 7), draw(3, 7))


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_small_gradients_keep_their_norm_in_fp32(exponent):
    gradient = torch.full((1, 4), 1e-12)
    q = math.inf if exponent == 1 else 1.0 if math.isinf(exponent) else exponent / (exponent - 1)
    expected = 1e-12 * 4 ** (0.0 if math.isinf(q) else 1 / q)
    assert Banach(exponent=exponent).dual_norms(gradient).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("exponent", EXPONENTS)
@pytest.mark.parametrize("smoothness", [0.0, -1.0])
def test_the_gradient_for_the_weights_is_right_for_every_norm(exponent, smoothness):
    constraint = Banach(0.7, exponent=exponent, smoothness=smoothness, gamma=0.5)
    real, fake = draw(2, 2, 2, 3), draw(2, 2, 2, 3, seed=1)
    weights = (0.3 * draw(2, 12, seed=2)).requires_grad_(True), draw(2, seed=3).requires_grad_(True)

    def penalty(inner, outer):
        rng = torch.Generator().manual_seed(0)
        return constraint.terms(lambda x: torch.tanh(x.flatten(1) @ inner.T) @ outer, real, fake, {}, rng).loss

    assert torch.autograd.gradcheck(penalty, weights)


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_the_gradient_is_finite_where_the_norm_is_zero(exponent):
    layer = nn.Linear(3, 1)
    nn.init.zeros_(layer.weight)
    Banach(exponent=exponent).penalty(lambda x: layer(x).squeeze(1), torch.randn(4, 3), torch.randn(4, 3)).backward()
    assert torch.isfinite(layer.weight.grad).all()


def test_the_heuristics_of_the_paper_for_weight_and_gamma():
    real = draw(50, 3, 8, 8)
    constraint = Banach.for_data(real, exponent=4.0, smoothness=0.5, every=2)
    assert (constraint.exponent, constraint.smoothness, constraint.every) == (4.0, 0.5, 2)
    assert constraint.weight == pytest.approx(constraint.norms(real).mean().item())
    assert constraint.gamma == pytest.approx(constraint.dual_norms(real).mean().item())
    euclidean = Banach.for_data(real)
    assert euclidean.weight == euclidean.gamma == pytest.approx(real.flatten(1).norm(dim=1).mean().item())


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e3), st.floats(1e-2, 1e2))
def test_the_correction_removes_gamma_and_the_bias_of_the_penalty(w1, weight, gamma):
    raw = gamma * (w1 + w1**2 / (2 * weight))
    assert Banach(weight, gamma=gamma).correct(raw) == pytest.approx(w1, rel=1e-6)


def test_gradient_ascent_settles_at_the_reading_that_the_correction_undoes():
    """Two points at L1 distance 3 (Euclidean √5): the critic is linear, so it holds the best function."""
    real, fake = torch.tensor([[2.0, -1.0]], dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)
    slope = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    # p = 1.2, where the norm is smooth.
    constraint = Banach(10.0, exponent=1.2, gamma=2.0)
    optimizer = torch.optim.Adam([slope], lr=0.1)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
        optimizer.zero_grad()
        loss = (fake @ slope - real @ slope).mean() + constraint.penalty(lambda x: x @ slope, real, fake)
        loss.backward()
        optimizer.step()
    distance = constraint.norms(real).item()
    raw = (real @ slope).item()
    assert raw == pytest.approx(2.0 * (distance + distance**2 / 20), rel=1e-3)
    assert constraint.correct(raw) == pytest.approx(distance, rel=1e-3)

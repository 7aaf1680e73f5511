"""Gradient normalisation: closed forms, its bounds, and the places where scores are taken."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import wganx
from wganx.wasserstein import CONSTRAINTS, Combined, GradientNormalization

SHAPES = {"points": (7,), "audio": (2, 9), "image": (3, 4, 4), "video": (2, 3, 3, 3)}


def critic_for(size, activation=nn.LeakyReLU):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(size, 16), activation(), nn.Linear(16, 1), nn.Flatten(0)
    ).double()  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("slope", [0.5, 3.0])
def test_a_linear_critic_in_closed_form(shape, slope):
    torch.manual_seed(0)
    direction = torch.randn(shape, dtype=torch.float64)
    direction /= direction.norm()
    x = torch.randn(5, *shape, dtype=torch.float64)

    def critic(x):
        return slope * (x * direction).flatten(1).sum(1)

    expected = critic(x) / (slope + critic(x).abs())
    torch.testing.assert_close(GradientNormalization().scores(critic, x, {}), expected)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), stretch=st.floats(1e-3, 1e3))
def test_scores_lie_within_one_and_a_piecewise_linear_critic_has_slopes_of_at_most_one(seed, stretch):
    critic = critic_for(5)
    torch.manual_seed(seed)
    for parameter in critic.parameters():
        nn.init.normal_(parameter, std=stretch)
    x = (torch.randn(32, 5, dtype=torch.float64) * stretch).requires_grad_(True)
    scores = GradientNormalization().scores(critic, x, {})
    assert scores.shape == (32,)
    assert scores.abs().max() < 1
    (gradient,) = torch.autograd.grad(scores.sum(), x)
    assert gradient.norm(dim=1).max() <= 1 + 1e-9


def test_the_gradient_for_weights_and_samples_agrees_with_finite_differences():
    critic = critic_for(3, nn.Softplus)
    names, values = zip(*critic.named_parameters())

    def scores(x, *weights):
        def scorer(points):
            return torch.func.functional_call(critic, dict(zip(names, weights)), (points,))

        return GradientNormalization().scores(scorer, x, {})

    x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    weights = tuple(value.detach().requires_grad_(True) for value in values)
    assert torch.autograd.gradcheck(scores, (x, *weights))


def test_it_reaches_the_generator_through_a_frozen_critic():
    critic, generator = critic_for(3), nn.Linear(2, 3).double()
    critic.requires_grad_(False)
    fake = generator(torch.randn(4, 2, dtype=torch.float64))
    scores = GradientNormalization().scores(critic, fake, {})
    scores.sum().backward()
    assert generator.weight.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in critic.parameters())


def test_without_gradients_the_scores_are_the_same_and_carry_no_graph():
    critic, x = critic_for(3), torch.randn(4, 3, dtype=torch.float64)
    with_graph = GradientNormalization().scores(critic, x, {})
    assert with_graph.requires_grad
    with torch.no_grad():
        without = GradientNormalization().scores(critic, x, {})
    assert not without.requires_grad
    assert not x.requires_grad
    assert torch.equal(with_graph, without)


def test_the_condition_of_a_row_is_held():
    label, x = torch.tensor([1.0, 2.0, 3.0]), torch.ones(3, 1)
    scores = GradientNormalization().scores(lambda x, label: label * x.sum(1) + 1, x, {"label": label})
    torch.testing.assert_close(scores, (label + 1) / (label + label + 1))


def test_a_flat_critic_scores_zero():
    critic = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))
    nn.init.zeros_(critic[0].weight)
    nn.init.zeros_(critic[0].bias)
    scores = GradientNormalization().scores(critic, torch.randn(4, 3), {})
    scores.sum().backward()
    assert not scores.any()
    assert all(torch.isfinite(parameter.grad).all() for parameter in critic.parameters())


def test_a_training_under_it_moves_the_generator_and_reads_no_w1():
    torch.manual_seed(0)
    generator = nn.Linear(2, 2)
    critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Flatten(0))
    trainer = wganx.Trainer(
        generator, critic, noise=(2,), constraint=GradientNormalization(), critic_steps=2, device="cpu",
        optimizer=wganx.Optimizer(lr=1e-2), ema=0.0,
    )  # fmt: skip
    goal = torch.tensor([3.0, 0.0])
    far = (trainer.sample(500).mean(0) - goal).norm()
    result = trainer.fit(list(goal + 0.1 * torch.randn(10, 32, 2)), steps=60)
    assert (trainer.sample(500).mean(0) - goal).norm() < far - 0.3
    assert "score_gap" in result.history[-1]
    assert "w1_raw" not in result.history[-1]


def test_it_stands_alone():
    assert CONSTRAINTS["gradient-normalization"] is GradientNormalization
    assert not GradientNormalization().reads_w1
    with pytest.raises(ValueError, match="changes the critic's scores and stands alone"):
        Combined(GradientNormalization(), wganx.GradientPenalty())

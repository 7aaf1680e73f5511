"""The Lipschitz estimate against critics whose constant is known."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import wganx
from wganx.nn import GroupSort, LipschitzMLP
from wganx.wasserstein import LipschitzEstimate, lipschitz_estimate

SHAPES = {"points": (3,), "audio": (2, 5), "image": (3, 4, 4), "video": (2, 3, 2, 2)}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("with_y", [False, True])
def test_a_linear_critic_is_known_exactly(shape, with_y):
    torch.manual_seed(0)
    linear = nn.Linear(torch.Size(shape).numel(), 1).double()
    x, y = torch.randn(20, *shape, dtype=torch.float64), torch.randn(30, *shape, dtype=torch.float64)
    direction = linear.weight.detach().reshape(shape)
    x[1] = x[0] + 2 * direction  # one pair along the steepest way
    estimate = lipschitz_estimate(nn.Sequential(nn.Flatten(), linear, nn.Flatten(0)), x, y if with_y else None)
    slope = linear.weight.norm().item()
    assert estimate.gradients == pytest.approx(slope, rel=1e-12)
    assert estimate.pairs == pytest.approx(slope, rel=1e-12)
    assert estimate.layers == pytest.approx(slope, rel=1e-12)
    assert float(estimate) == estimate.value


def test_points_between_the_samples_are_looked_at():
    # Flat at both samples, steep in the middle.
    x, y = torch.full((1000, 1), -3.0), torch.full((1000, 1), 3.0)
    estimate = lipschitz_estimate(lambda x: torch.sigmoid(20 * x).sum(1), x, y)
    assert estimate.gradients == pytest.approx(5.0, rel=0.02)
    assert estimate.pairs == pytest.approx(1 / 6, rel=1e-5)
    assert estimate.value == estimate.gradients
    assert estimate.layers is None


def chain(kind):
    if kind == "linear":
        return nn.Sequential(nn.Linear(48, 16), nn.LeakyReLU(0.2), nn.Linear(16, 8), GroupSort(), nn.Linear(8, 1))
    return nn.Sequential(
        nn.Unflatten(1, (3, 4, 4)), nn.Conv2d(3, 8, 3, padding=1, stride=1), nn.ReLU(),
        nn.Sequential(nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=2), nn.ELU(1.5)),
        nn.Conv2d(8, 4, 2, dilation=1), nn.Tanh(), nn.Flatten(), nn.Linear(4, 1),
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**16), kind=st.sampled_from(["linear", "convolution"]), stretch=st.floats(0.05, 5))
def test_the_layers_bound_whatever_is_seen(seed, kind, stretch):
    torch.manual_seed(seed)
    critic = nn.Sequential(chain(kind), nn.Flatten(0)).double()
    for parameter in critic.parameters():
        nn.init.normal_(parameter, std=stretch)
    estimate = lipschitz_estimate(critic, torch.randn(16, 48, dtype=torch.float64), seed=seed)
    assert 0 < estimate.value <= estimate.layers * (1 + 1e-9)
    assert estimate.pairs <= estimate.layers * (1 + 1e-9)


def test_a_critic_that_is_lipschitz_by_construction():
    torch.manual_seed(0)
    estimate = lipschitz_estimate(LipschitzMLP(64, width=16), torch.randn(50, 64))
    assert estimate.gradients == pytest.approx(1.0, abs=1e-5)
    assert estimate.pairs <= 1 + 1e-5
    assert estimate.layers == pytest.approx(1.0, abs=1e-5)


def test_a_clipped_critic_is_far_from_a_constant_of_one():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1), nn.Flatten(0))
    wganx.WeightClipping(0.01).after_update(critic)
    estimate = lipschitz_estimate(critic, torch.randn(200, 2))
    # No layer with entries of at most c lengthens more than c times the root of its size.
    assert estimate.value <= estimate.layers <= 0.01**3 * (2 * 64 * 64 * 64 * 64) ** 0.5 * (1 + 1e-6)
    assert estimate.value < 0.01


class Residual(nn.Sequential):
    def forward(self, x):
        return x + super().forward(x)


@pytest.mark.parametrize(
    "layer",
    [
        nn.LayerNorm(4),
        nn.GELU(),
        nn.Bilinear(2, 2, 1),
        Residual(nn.Linear(4, 4)),
        nn.Conv1d(4, 4, 3, padding=1, padding_mode="circular"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_unknown_layers_leave_the_upper_bound_open(layer):
    class Stand(nn.Module):
        def forward(self, x):
            return x.sum(1)

    assert lipschitz_estimate(Stand(), torch.randn(5, 4)).layers is None
    from wganx.wasserstein.lipschitz import _operator_norm

    assert _operator_norm(nn.Sequential(nn.Linear(4, 4), layer)) is None


def test_steep_activations_count():
    critic = nn.Sequential(nn.LeakyReLU(3.0), nn.ELU(2.0), nn.Linear(1, 1, bias=False), nn.Flatten(0))
    nn.init.ones_(critic[2].weight)
    assert lipschitz_estimate(critic, torch.tensor([[-1.0], [1.0]])).layers == pytest.approx(6.0)


def test_pairs_share_the_condition_of_their_row():
    x, y = torch.randn(2, 6, 2, dtype=torch.float64).unbind(0)
    condition = {"offset": 1e6 * torch.arange(6, dtype=torch.float64)}

    def critic(x, offset):
        return x[:, 0] + offset

    for other in (None, y):
        estimate = lipschitz_estimate(critic, x, other, condition=condition)
        assert estimate.gradients == pytest.approx(1.0)
        assert estimate.pairs <= 1 + 1e-6


def test_coinciding_points_are_no_pair():
    x = torch.ones(4, 2)
    assert lipschitz_estimate(lambda x: x.sum(1), x).pairs == 0.0
    x[0] += 1e-7
    x[3] += 1.0
    assert lipschitz_estimate(lambda x: x.sum(1) + 100, x).pairs <= 2**0.5 * (1 + 1e-4)


def test_the_critic_is_left_as_it_was():
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1), nn.Flatten(0))
    wganx.SpectralNorm().prepare(critic)
    critic[1].eval()
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    x = torch.randn(8, 3)
    first, second = (lipschitz_estimate(critic, x) for _ in range(2))
    assert first == second
    assert first.layers is not None
    assert [part.training for part in (critic, critic[0], critic[1])] == [True, True, False]
    assert all(torch.equal(before[name], value) for name, value in critic.state_dict().items())
    assert all(parameter.grad is None for parameter in critic.parameters())


def test_the_seed_decides_and_the_global_stream_is_untouched():
    critic = LipschitzMLP(2, width=4)
    x = torch.randn(50, 2)
    state = torch.get_rng_state()
    assert lipschitz_estimate(critic, x, seed=3) == lipschitz_estimate(critic, x, seed=3)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": torch.zeros(3, 2), "y": torch.zeros(3, 4)}, r"samples of different shapes, \(2,\) and \(4,\)"),
        ({"x": torch.zeros(1, 2)}, "a slope needs at least two samples"),
        ({"x": torch.zeros(0, 2), "y": torch.zeros(5, 2)}, "a slope needs at least two samples"),
        ({"x": torch.zeros(3, 2), "condition": {"label": torch.zeros(2)}}, "label has 2 rows for 3 samples; give one"),
        (
            {"x": torch.zeros(3, 2), "y": torch.zeros(4, 2), "condition": {"label": torch.zeros(3)}},
            "y has 4 rows for 3 samples",
        ),
    ],
)
def test_samples_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        lipschitz_estimate(lambda x, **_: x.sum(1), **arguments)


def test_an_estimate_is_the_larger_of_its_lower_bounds():
    assert float(LipschitzEstimate(gradients=1.5, pairs=2.0, layers=None)) == 2.0
    assert LipschitzEstimate(gradients=2.5, pairs=2.0, layers=3.0).value == 2.5

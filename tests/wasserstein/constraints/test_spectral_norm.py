"""Spectral normalisation: sigma after warm-up, what it means for a convolution, and where it falls short."""

import pytest
import torch
from torch import nn

import wganx
from wganx.wasserstein import lipschitz_estimate


def warmed_up(critic, x, passes=100):
    torch.manual_seed(0)
    wganx.SpectralNorm().prepare(critic)
    with torch.no_grad():
        for _ in range(passes):
            critic(x)
    return critic.eval()


@pytest.mark.parametrize(
    ("layer", "x"),
    [
        (nn.Linear(20, 30), torch.zeros(1, 20)),
        (nn.Conv1d(3, 6, 5), torch.zeros(1, 3, 9)),
        (nn.Conv2d(3, 6, 3), torch.zeros(1, 3, 5, 5)),
        (nn.Conv3d(2, 4, 3), torch.zeros(1, 2, 4, 4, 4)),
        (nn.Embedding(12, 5), torch.zeros(1, dtype=torch.int64)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_reshaped_weight_has_a_largest_singular_value_of_one(layer, x):
    critic = warmed_up(nn.Sequential(layer), x)
    assert torch.linalg.svdvals(critic[0].weight.flatten(1))[0].item() == pytest.approx(1.0, abs=1e-3)


def test_the_operator_of_a_convolution_may_lengthen_more_than_its_reshaped_kernel():
    convolution = nn.Conv1d(1, 1, 3, bias=False)
    nn.init.ones_(convolution.weight)
    critic = warmed_up(nn.Sequential(convolution), torch.zeros(1, 1, 5))
    signal = torch.ones(1, 1, 500)
    assert (critic(signal).norm() / signal.norm()).item() == pytest.approx(3**0.5, rel=1e-2)


def test_relu_loses_the_gradient_that_a_sort_keeps():
    x = torch.randn(64, 16, generator=torch.Generator().manual_seed(0))

    def steepness(constraint):
        torch.manual_seed(1)
        critic = nn.Sequential(
            nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0)
        )
        constraint.prepare(critic)
        with torch.no_grad():
            for _ in range(100):
                critic(x)
        return lipschitz_estimate(critic, x).value

    assert steepness(wganx.SpectralNorm()) < 0.5
    assert steepness(wganx.wasserstein.Orthogonal()) == pytest.approx(1.0, abs=1e-3)


def test_weights_move_to_a_fresh_critic_that_was_prepared():
    x = torch.randn(4, 3)
    first, second = nn.Sequential(nn.Linear(3, 4)), nn.Sequential(nn.Linear(3, 4))
    for critic in (first, second):
        wganx.SpectralNorm().prepare(critic)
    second.load_state_dict(first.state_dict())
    assert torch.equal(first.eval()(x), second.eval()(x))

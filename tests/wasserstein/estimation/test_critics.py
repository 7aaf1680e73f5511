"""The critics of the estimates: slopes that no weights can break, and a start that no empty axis can spoil."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.wasserstein import gradient_norms
from wganx.wasserstein.estimation.critics import FIFTHS, OrthonormalCritic, Radius, curved_perceptron, perceptron


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def critic(dim: int, seed: int = 0) -> OrthonormalCritic:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return OrthonormalCritic(dim, 16, 3)


def departure(weight: torch.Tensor) -> float:
    """How far a matrix is from having orthonormal rows, or columns if it is tall."""
    wide = weight.mT if weight.shape[0] > weight.shape[1] else weight
    return float((wide @ wide.mT - torch.eye(len(wide))).abs().max())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(-4, 4), st.floats(0, 30))
def test_the_learnt_distance_lengthens_nothing(seed, angle, spread):
    radius = Radius(5)
    with torch.no_grad():
        radius.turn.fill_(angle)
        radius.centre.copy_(normal(5, seed=seed))
        radius.stretch.copy_(spread * normal(5, seed=seed + 1))
    a, b = normal(64, 5, seed=seed + 2), 3 * normal(64, 5, seed=seed + 3)
    moved = (radius(a) - radius(b)).norm(dim=1)
    assert (moved <= (a - b).norm(dim=1) * (1 + 1e-5)).all()


def test_the_learnt_distance_can_be_all_there_is():
    radius = Radius(3)
    with torch.no_grad():
        radius.turn.fill_(torch.pi / 2 / FIFTHS)
    x = normal(10, 3)
    assert torch.allclose(radius(x)[:, 3], x.norm(dim=1), atol=1e-3)
    assert radius(x)[:, :3].abs().max() < 1e-6


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100))
def test_a_sealed_critic_is_1_lipschitz_whatever_was_learnt(seed, size):
    made = critic(4, seed)
    with torch.no_grad():
        for layer in made.linears:
            layer.weight.copy_(size * normal(*layer.weight.shape, seed=seed))
    a, b = normal(200, 4, seed=seed + 1), normal(200, 4, seed=seed + 2)
    assert made.seal(a) <= 1 + 1e-5
    assert ((made(a) - made(b)).abs() <= (a - b).norm(dim=1) * (1 + 1e-4)).all()


@pytest.mark.parametrize("dim", [2, 16, 40])
def test_updates_stay_on_the_orthonormal_matrices(dim):
    made = critic(dim)
    optimizer = torch.optim.Adam(made.parameters(), lr=5e-3)
    x, y = normal(64, dim), 2 * normal(64, dim, seed=1)
    for _ in range(20):
        optimizer.zero_grad()
        (made(y).mean() - made(x).mean()).backward()
        made.project_gradients()
        optimizer.step()
        made.retract()
    assert max(departure(layer.weight.detach()) for layer in made.linears) < 1e-4
    assert gradient_norms(made, x, {}).max().item() <= 1 + 1e-4


def test_projected_gradients_are_tangent():
    made = critic(6)
    (made(normal(32, 6)) * normal(32, seed=1)).sum().backward()
    made.project_gradients()
    for layer in made.linears:
        weight, gradient = layer.weight.detach(), layer.weight.grad
        if weight.shape[0] > weight.shape[1]:
            weight, gradient = weight.mT, gradient.mT
        symmetric = gradient @ weight.mT + weight @ gradient.mT
        assert symmetric.abs().max().item() < 1e-4 * (1 + gradient.abs().max().item())


def test_sealing_hardly_changes_what_was_kept_orthonormal():
    made, x = critic(5), normal(50, 5)
    before = made(x).detach()
    made.seal(x)
    assert torch.allclose(made(x), before, atol=1e-4)


@pytest.mark.parametrize("empty", [0, 500])
def test_the_first_layer_starts_at_unit_size(empty):
    examples = torch.cat([normal(200, 3), torch.zeros(200, empty)], 1)
    made = perceptron(examples, 32, 2)
    size = (examples @ made[0].weight.T).square().mean().sqrt().item()
    assert size == pytest.approx(1, rel=1e-4)
    assert made(examples).shape == (200,)


def test_the_curved_perceptron_begins_with_a_learnt_distance():
    examples = normal(50, 4)
    made = curved_perceptron(examples, 32, 3)
    assert isinstance(made[0], Radius)
    assert made[0](examples).shape == (50, 5)
    assert not made[1][0].weight[:, -1].any()
    assert made(examples).shape == (50,)

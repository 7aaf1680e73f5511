"""Orthonormal layers: singular values, the norm of the convolution operator, and a critic of slope 1."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrize

from wganx.nn import BjorckOrthogonal, LipschitzMLP, orthonormalise

SHAPES = [(64, 64), (64, 2), (2, 64), (1, 64), (32, 48), (128, 64), (1, 1)]


def away_from_orthonormal(matrix: Tensor) -> float:
    matrix = matrix.flatten(1).double()
    gram = matrix @ matrix.mT if len(matrix) <= matrix.shape[1] else matrix.mT @ matrix
    return torch.linalg.matrix_norm(gram - torch.eye(len(gram), dtype=torch.float64), 2).item()


def operator_matrix(layer: nn.Module, shape: tuple[int, ...]) -> Tensor:
    """The linear map of a layer without bias, one column an input element, in float64."""
    size = torch.Size(shape).numel()
    weight = layer.weight
    assert isinstance(weight, Tensor)
    basis = torch.eye(size, dtype=weight.dtype).reshape(size, *shape)
    with torch.no_grad():
        return (layer(basis) - layer(torch.zeros_like(basis))).flatten(1).mT.double()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("start", ["usual", "random", "tiny", "huge"])
def test_rows_or_columns_become_orthonormal(shape: tuple[int, int], start: str) -> None:
    for seed in range(5):
        torch.manual_seed(seed)
        layer = nn.Linear(shape[1], shape[0])
        if start != "usual":
            nn.init.normal_(layer.weight, std={"random": 1.0, "tiny": 1e-8, "huge": 1e6}[start])
        assert away_from_orthonormal(BjorckOrthogonal()(layer.weight)) < 1e-4


@settings(deadline=None)
@given(seed=st.integers(0, 2**16), rows=st.integers(1, 9), columns=st.integers(1, 9), iterations=st.integers(1, 20))
def test_no_singular_value_exceeds_one_after_any_number_of_steps(
    seed: int, rows: int, columns: int, iterations: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=rng) * 10 ** torch.randn(rows, 1, generator=rng)
    assert torch.linalg.svdvals(BjorckOrthogonal(iterations)(weight).double()).max() <= 1 + 1e-6


def test_it_is_the_nearest_orthonormal_matrix() -> None:
    weight = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    left, _, right = torch.linalg.svd(weight, full_matrices=False)
    torch.testing.assert_close(BjorckOrthogonal(25)(weight), left @ right)


def test_an_orthonormal_matrix_and_a_zero_one_stay() -> None:
    weight = nn.init.orthogonal_(torch.empty(6, 6, dtype=torch.float64))
    torch.testing.assert_close(BjorckOrthogonal()(weight), weight)
    assert not BjorckOrthogonal()(torch.zeros(3, 4)).any()


@pytest.mark.parametrize("shape", [(3, 4), (4, 2), (1, 5), (4, 1, 3)], ids=str)
@pytest.mark.parametrize("iterations", [2, 15])
def test_the_derivative_agrees_with_finite_differences(shape: tuple[int, ...], iterations: int) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    groups = 2 if len(shape) == 3 else 1
    assert torch.autograd.gradcheck(BjorckOrthogonal(iterations, groups=groups, divisor=1.5), weight)
    assert torch.autograd.gradgradcheck(BjorckOrthogonal(iterations, groups=groups), weight)


def test_autocast_does_not_reach_the_iteration() -> None:
    weight = torch.randn(32, 32, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", torch.bfloat16):
        orthonormal = BjorckOrthogonal()(weight)
    assert orthonormal.dtype == torch.float32
    assert away_from_orthonormal(orthonormal) < 1e-4


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.Conv1d(2, 3, 5, stride=2, padding=2), (2, 12)),
        (lambda: nn.Conv1d(2, 4, 3, stride=1, padding=0), (2, 9)),
        (lambda: nn.Conv1d(2, 3, 3, stride=2, dilation=2, padding=2), (2, 12)),
        (lambda: nn.Conv1d(2, 3, 4, stride=3, dilation=2, padding=3), (2, 13)),
        (lambda: nn.Conv2d(1, 4, 3, stride=1, padding=1), (1, 7, 7)),
        (lambda: nn.Conv2d(2, 5, 4, stride=2, padding=1), (2, 8, 8)),
        (lambda: nn.Conv2d(3, 12, 2, stride=2), (3, 6, 6)),
        (lambda: nn.Conv2d(4, 6, (3, 5), stride=(1, 2), padding=(1, 2), groups=2), (4, 6, 6)),
        (lambda: nn.Conv2d(3, 2, 2, stride=3), (3, 7, 7)),
        (lambda: nn.Conv3d(1, 2, 3, stride=2, padding=1), (1, 5, 5, 5)),
    ],
)
@pytest.mark.parametrize("start", ["usual", "all alike"])
def test_a_convolution_is_certified_as_an_operator(layer, shape, start) -> None:  # type: ignore[no-untyped-def]
    torch.manual_seed(0)
    convolution = layer()
    if start == "all alike":  # the worst case: every patch of a constant picture answers alike
        nn.init.ones_(convolution.weight)
    norm = torch.linalg.matrix_norm(operator_matrix(orthonormalise(convolution), shape), 2).item()
    assert 0.3 < norm <= 1 + 1e-6


def test_the_bound_of_a_convolution_is_reached() -> None:
    # A constant kernel on a long constant signal: away from the ends the bound is an equality.
    convolution = nn.Conv1d(1, 1, 3, bias=False)
    nn.init.ones_(convolution.weight)
    norm = torch.linalg.matrix_norm(operator_matrix(orthonormalise(convolution), (1, 200)), 2).item()
    assert norm == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Embedding(3, 4), "only linear and convolution layers can be orthonormal, got Embedding"),
        (nn.ConvTranspose2d(1, 2, 3), "got ConvTranspose2d"),
        (nn.Conv2d(1, 2, 3, padding_mode="circular"), "padding_mode='circular'; use padding_mode='zeros'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers_without_a_bound_are_refused(layer: nn.Module, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        orthonormalise(layer)


def test_a_layer_is_orthonormalised_once() -> None:
    layer = orthonormalise(orthonormalise(nn.Linear(3, 4)))
    assert [name for name, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert "iterations=15, groups=1, divisor=1" in repr(layer)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    dim=st.integers(1, 6),
    width=st.sampled_from([2, 4, 12]),
    depth=st.integers(1, 3),
    stretch=st.floats(0.1, 30),
)
def test_no_slope_exceeds_one_whatever_the_weights(seed: int, dim: int, width: int, depth: int, stretch: float) -> None:
    torch.manual_seed(seed)
    critic = LipschitzMLP(dim, width, depth).double()
    for parameter in critic.parameters():
        nn.init.normal_(parameter, std=stretch)
    a, b = torch.randn(2, 64, dim, dtype=torch.float64) * stretch
    with torch.no_grad():
        assert ((critic(a) - critic(b)).abs() / (a - b).norm(dim=1)).max() <= 1 + 1e-5


@pytest.mark.parametrize("shape", [(64,), (80,), (3, 5, 5)], ids=str)
def test_the_slope_is_one_almost_everywhere_from_as_many_numbers_as_units(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    critic = LipschitzMLP(torch.Size(shape).numel(), width=64)
    x = torch.randn(200, *shape, requires_grad=True)
    scores = critic(x)
    assert scores.shape == (200,)
    (gradient,) = torch.autograd.grad(scores.sum(), x)
    torch.testing.assert_close(gradient.flatten(1).norm(dim=1), torch.ones(200), atol=1e-3, rtol=0)


def test_fewer_numbers_learn_a_slope_of_one() -> None:
    torch.manual_seed(0)
    critic = LipschitzMLP(2, width=8, depth=2)
    optimizer = torch.optim.Adam(critic.parameters(), 2e-2, betas=(0.5, 0.99))
    shift = torch.tensor([2.0, 0.0])
    for _ in range(100):
        x = torch.randn(128, 2)
        scores = critic(torch.cat((x, x + shift)))
        optimizer.zero_grad()
        torch.autograd.backward(scores[:128].mean() - scores[128:].mean())
        optimizer.step()
    x = torch.randn(2000, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(critic(x).sum(), x)
    norms = gradient.norm(dim=1)
    assert norms.max() <= 1 + 1e-5
    assert norms.median() > 0.999
    reading = (critic(x + shift).mean() - critic(x).mean()).item()
    assert reading == pytest.approx(2.0, rel=0.01)
    assert reading <= 2.0 + 1e-5


def test_weights_move_to_another_critic() -> None:
    torch.manual_seed(0)
    first, second, x = LipschitzMLP(3, 8, 2), LipschitzMLP(3, 8, 2), torch.randn(5, 3)
    assert not torch.allclose(first(x), second(x))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x), second(x))


def test_cached_weights_are_taken_once_and_give_the_same_gradients() -> None:
    torch.manual_seed(0)
    critic, x = LipschitzMLP(3, 8, 2), torch.randn(4, 5, 3)
    (critic(x[0]).mean() - critic(x[1]).mean()).backward()
    plain = [parameter.grad.clone() for parameter in critic.parameters() if parameter.grad is not None]
    critic.zero_grad()
    with parametrize.cached():
        (critic(x[0]).mean() - critic(x[1]).mean()).backward()
    cached = [parameter.grad for parameter in critic.parameters() if parameter.grad is not None]
    torch.testing.assert_close(cached, plain)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LipschitzMLP(0), "dim, width and depth must be at least 1, got 0, 64 and 3"),
        (lambda: LipschitzMLP(2, depth=0), "got 2, 64 and 0"),
        (lambda: LipschitzMLP(2, width=9), "width must be a multiple of group=2, got 9"),
    ],
)
def test_sizes_that_cannot_be_are_refused(make, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        make()

"""Directions of the noise against closed forms."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wganx.errors import DataError
from wganx.evaluation.directions import direction_to, leading_directions, log_odds, placed

SEEDS = st.integers(0, 2**16)


def normal(*sizes: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def none_of(rows: int) -> torch.Tensor:
    return torch.empty(rows, 0, dtype=torch.float64)


def test_the_leading_directions_of_a_diagonal_layer_are_its_axes_the_longest_first() -> None:
    found = leading_directions(torch.diag(torch.tensor([1.0, -3.0, 2.0])), 2)
    torch.testing.assert_close(found, torch.eye(3, dtype=torch.float64)[[1, 2]])


@given(seed=SEEDS, size=st.integers(2, 6), width=st.integers(1, 8))
def test_they_are_the_eigenvectors_of_the_layer_s_own_square(seed: int, size: int, width: int) -> None:
    responses = normal(size, width, seed=seed)
    found = leading_directions(responses, 3)
    torch.testing.assert_close(found @ found.T, torch.eye(len(found), dtype=torch.float64), atol=1e-9, rtol=0)
    stretched = (found @ responses).norm(dim=1)
    values = torch.linalg.eigvalsh(responses @ responses.T).flip(0)[: len(found)].clamp(min=0).sqrt()
    torch.testing.assert_close(stretched, values, atol=1e-6, rtol=1e-6)
    assert (found.gather(1, found.abs().argmax(1, keepdim=True)) > 0).all()


@given(seed=SEEDS, size=st.integers(2, 6))
def test_linear_log_odds_lead_along_their_own_gradient(seed: int, size: int) -> None:
    noise, gradient = normal(200, size, seed=seed), normal(size, seed=seed + 1)
    gradient = gradient / gradient.norm()
    found = direction_to(noise, 0.3 * noise @ gradient + 0.5, none_of(200))
    torch.testing.assert_close(found, gradient, atol=1e-6, rtol=0)


def test_of_what_is_rare_the_odds_still_lead_somewhere() -> None:
    noise, gradient = normal(5000, 5), torch.tensor([0.0, 1.0, 0.0, 0.0, 0.0], dtype=torch.float64)
    found = direction_to(noise, 0.5 * noise @ gradient - 20, none_of(5000))
    torch.testing.assert_close(found, gradient, atol=0.05, rtol=0)


def test_whatever_their_shape_the_direction_is_that_of_the_mean_gradient() -> None:
    noise, gradient = normal(20_000, 5), torch.tensor([0.6, 0.0, -0.8, 0.0, 0.0], dtype=torch.float64)
    found = direction_to(noise, 2 * torch.tanh(3 * noise @ gradient), none_of(20_000))
    torch.testing.assert_close(found, gradient, atol=0.02, rtol=0)


@given(seed=SEEDS)
def test_what_raises_the_others_is_taken_out(seed: int) -> None:
    noise = normal(300, 6, seed=seed)
    gradients = 0.2 * normal(6, 3, seed=seed + 1)
    gradients[:, 1:] = 0.2 * torch.linalg.qr(gradients[:, 1:]).Q
    found = direction_to(noise, noise @ gradients[:, 0], noise @ gradients[:, [1, 2, 1]])
    basis = torch.linalg.qr(gradients[:, 1:]).Q
    rest = gradients[:, 0] - basis @ (basis.T @ gradients[:, 0])
    odds = noise @ gradients
    clipped = odds.abs().max() > 3  # then the fit is no longer exact
    assert clipped or torch.allclose(found, rest / rest.norm(), atol=1e-5)
    assert clipped or (found @ gradients[:, 1:]).abs().max() < 1e-6
    assert found @ gradients[:, 0] > 0


def test_what_does_not_depend_on_the_noise_has_no_direction() -> None:
    noise = normal(100, 4)
    for wanted, others in (
        (torch.ones(100, dtype=torch.float64), none_of(100)),
        (0.1 * noise[:, 0], 0.2 * noise[:, [0, 1]]),
    ):
        with pytest.raises(DataError, match="changes with nothing of the noise that does not change the other labels"):
            direction_to(noise, wanted, others)


@given(seed=SEEDS, at=st.floats(-3, 3))
def test_a_place_along_a_direction_leaves_all_else(seed: int, at: float) -> None:
    noise, direction = normal(7, 4, seed=seed), normal(4, seed=seed + 1)
    direction = direction / direction.norm()
    moved = placed(noise, direction, at)
    torch.testing.assert_close(moved @ direction, torch.full((7,), at, dtype=torch.float64))
    change = moved - noise
    torch.testing.assert_close(change - (change @ direction)[:, None] * direction, torch.zeros_like(noise))


def test_log_odds_are_those_of_the_softmax() -> None:
    logits = 3 * normal(9, 4)
    share = logits.softmax(1)[:, 2]
    torch.testing.assert_close(log_odds(logits, 2), (share / (1 - share)).log())

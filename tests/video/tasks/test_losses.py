"""Losses whose weight means the same for clips of every size; closed forms of each."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from wganx_video.configs.tasks import LossesConfig
from wganx_video.tasks.losses import absolute, distance, gradient_difference, temporal_difference, weighted_losses

SHAPES = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


def pair(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    fake, real = (torch.rand(*shape, generator=rng, dtype=torch.float32) for _ in range(2))
    return fake.requires_grad_(), real


def slopes(loss: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Lengths of the gradient of each sample's own loss: the mean is over the samples."""
    (gradient,) = torch.autograd.grad(loss, fake)
    return gradient.flatten(1).norm(dim=1) * len(fake)


@pytest.mark.parametrize("loss", [distance, absolute])
@given(shape=SHAPES)
@settings(max_examples=20, deadline=None)
def test_the_gradient_of_a_sample_has_length_one_at_every_size(loss, shape):
    fake, real = pair(*shape)
    torch.testing.assert_close(slopes(loss(fake, real), fake), torch.ones(shape[0]), atol=1e-4, rtol=0)


def test_the_usual_means_have_gradients_that_shrink_with_the_clip():
    """Which is why they are not used: one weight would mean another thing for each size."""
    lengths = []
    for side in (8, 32):
        fake, real = pair(2, 3, 1, side, side)
        lengths.append(float(slopes(F.l1_loss(fake, real), fake).mean()))
    assert lengths[0] == pytest.approx(4 * lengths[1], rel=1e-3)


@given(shape=SHAPES)
@settings(max_examples=20, deadline=None)
def test_gradients_of_differences_are_bounded_at_every_size(shape):
    fake, real = pair(*shape)
    assert slopes(gradient_difference(fake, real), fake).max() <= 2 + 1e-4
    if shape[1] > 1:
        assert slopes(temporal_difference(fake, real), fake).max() <= 2 * math.sqrt(2) + 1e-4


@pytest.mark.parametrize("loss", [distance, absolute, gradient_difference, temporal_difference])
def test_the_truth_costs_nothing_and_gives_no_nan(loss):
    _, real = pair(2, 3, 1, 6, 6)
    fake = real.clone().requires_grad_()
    found = loss(fake, real)
    found.backward()
    assert found == 0
    assert torch.equal(fake.grad, torch.zeros_like(real))


def test_closed_forms():
    real = torch.zeros(2, 2, 1, 4, 4)
    ones = torch.ones_like(real)
    assert distance(ones, real) == pytest.approx(math.sqrt(32))
    assert absolute(ones, real) == pytest.approx(math.sqrt(32))
    assert gradient_difference(ones, real) == 0  # a constant has no edges
    assert temporal_difference(ones, real) == 0  # nor does it move
    ramp = torch.arange(4.0).expand(2, 2, 1, 4, 4)
    assert gradient_difference(ramp, real) == pytest.approx(math.sqrt(24) / 2)  # along the width alone
    assert gradient_difference(ramp, -ramp) == 0  # edges the other way round are edges
    flicker = torch.stack([torch.zeros(2, 1, 4, 4), torch.ones(2, 1, 4, 4)], 1)
    assert temporal_difference(flicker, real) == pytest.approx(4)


def test_frames_of_one_pixel_have_no_edges():
    fake, real = pair(2, 2, 1, 1, 1)
    loss = gradient_difference(fake, real)
    assert loss == 0
    assert loss.requires_grad


def test_of_sparse_frames_the_mean_difference_pulls_to_black_and_the_distance_does_not():
    """A bright spot at one of ten places, none of them likely: the median is black everywhere, the mean is not."""
    real = torch.eye(10).view(10, 1, 1, 1, 10)
    level = torch.tensor(0.05, requires_grad=True)  # the same everywhere, half way to the mean
    for loss, up in ((absolute, False), (distance, True)):
        (slope,) = torch.autograd.grad(loss(level.expand_as(real), real), level)
        assert bool(slope < 0) == up


def test_weights_multiply_and_zero_leaves_out():
    fake, real = pair(2, 3, 1, 8, 8)
    config = LossesConfig(fidelity=3.0, absolute=0.0, gradient_difference=0.5, temporal_difference=2.0)
    longer = (torch.cat([real[:, :1], fake], 1), torch.cat([real[:, :1], real], 1))
    found = weighted_losses(config, fake, real, in_time=longer)
    assert set(found) == {"fidelity", "gradient_difference", "temporal_difference"}
    torch.testing.assert_close(found["fidelity"], 3 * distance(fake, real))
    torch.testing.assert_close(found["temporal_difference"], 2 * temporal_difference(*longer))


def test_half_precision_is_summed_in_single():
    fake, real = pair(1, 4, 3, 64, 64)
    exact, rounded = distance(fake, real), distance(fake.bfloat16(), real)
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-2)

"""Gromov-Wasserstein: isometric sets, two points, bounds, POT's own case."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.wasserstein import gromov_wasserstein


def cloud(seed, n=20, d=2):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6))
def test_isometric_sets_are_0_apart(seed):
    """Turned, mirrored, shifted, reordered, and lying in a space of more dimensions."""
    x = cloud(seed, 15)
    turn = torch.linalg.qr(cloud(seed + 1, 4, 4))[0][:2]
    order = torch.randperm(15, generator=torch.Generator().manual_seed(seed))
    found = gromov_wasserstein(x, (x @ turn + 7)[order])
    assert found.value < 1e-9
    assert torch.equal(found.plan.argmax(0), order)
    assert (found.n, found.dims) == ((15, 15), (2, 4))


def test_two_points_each_by_hand():
    """Distances 3 and 5 between the two: off by 2 for half of all pairs."""
    found = gromov_wasserstein([[0.0], [3.0]], [[0.0, 0.0], [3.0, 4.0]])
    assert found.value == pytest.approx(2 / math.sqrt(2), abs=1e-12)
    assert found.lower == pytest.approx(found.value)
    assert gromov_wasserstein([[0.0]], [[1.0], [3.0]]).value == pytest.approx(math.sqrt(2))  # to a point: E d²


def test_a_scaled_copy():
    x = cloud(0, 12)
    within = torch.cdist(x, x)
    found = gromov_wasserstein(x, 3 * x)
    assert found.lower == pytest.approx(2 * float(within.square().mean()) ** 0.5, rel=1e-9)
    assert found.value == pytest.approx(found.lower, rel=1e-9)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6))
def test_the_bounds_hold_and_it_is_a_root_of_pots_loss(seed):
    x, y = cloud(seed, 8), cloud(seed + 1, 6, 3)
    a = torch.rand(8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.1
    a, b = a / a.sum(), torch.full((6,), 1 / 6, dtype=torch.float64)
    found = gromov_wasserstein(x, y, weights=(a, b))
    assert 0 <= found.lower <= found.value
    assert torch.allclose(found.plan.sum(1), a, atol=1e-9)
    off = (torch.cdist(x, x)[:, None, :, None] - torch.cdist(y, y)[None, :, None, :]).square()
    loss = torch.einsum("ijkl,ij,kl->", off, found.plan, found.plan)
    assert found.value**2 == pytest.approx(float(loss), rel=1e-6)


def test_pots_own_case():
    """A set and itself in reverse order: the plan is the reverse identity; squared distances scaled to at most 1."""
    ot = pytest.importorskip("ot")
    x = ot.datasets.make_2D_samples_gauss(20, np.zeros(2), np.eye(2), random_state=1)
    squared = ot.dist(x, x)
    squared /= squared.max()
    found = gromov_wasserstein(squared, squared[::-1, ::-1].copy(), metric="precomputed")
    assert torch.allclose(found.plan, torch.eye(20).flip(0).double() / 20, atol=1e-12)
    assert found.value < 1e-9


def test_never_worse_than_pot_from_the_independent_coupling():
    ot = pytest.importorskip("ot")
    x, y = cloud(3, 25), cloud(4, 18)
    loss = ot.gromov.gromov_wasserstein2(torch.cdist(x, x).numpy(), torch.cdist(y, y).numpy())
    assert gromov_wasserstein(x, y).value <= float(loss) ** 0.5 + 1e-9


def test_distances_of_integers_and_of_graphs():
    """Steps along a path of four, whose plan POT gives as all zeros for integers."""
    steps = torch.tensor([[abs(i - j) for j in range(4)] for i in range(4)])
    weights = ([0.5, 0.1, 0.2, 0.2], [0.1, 0.3, 0.4, 0.2])
    found = gromov_wasserstein(steps, steps, weights=weights, metric="precomputed")
    assert float(found.plan.sum()) == pytest.approx(1)
    assert found.lower <= found.value


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: gromov_wasserstein(x, x, metric="cos"), "unknown metric 'cos'"),
        (lambda x: gromov_wasserstein(x, x, metric="precomputed"), r"a symmetric matrix \(n, n\) of at least 0"),
        (lambda x: gromov_wasserstein(-x @ x.T, x @ x.T, metric="precomputed"), "of at least 0"),
        (lambda x: gromov_wasserstein(x.requires_grad_(), x), "gromov_wasserstein has no gradient"),
        (lambda x: gromov_wasserstein(torch.zeros(20_000, 1), x), "within 20000 samples take 3.0 GiB"),
    ],
)
def test_what_cannot_be_done_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(cloud(0))

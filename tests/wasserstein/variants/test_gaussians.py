"""W2 between Gaussians against its closed forms, POT, samples and finite differences."""

import math

import pytest
import torch

from wganx.wasserstein import Gaussian, exact_wp, gaussian_w2

ZERO = torch.zeros(2, dtype=torch.float64)


def matrix(seed, d=3):
    drawn = torch.randn(d, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn @ drawn.T + 0.1 * torch.eye(d, dtype=torch.float64)


def test_on_the_line_it_is_the_distance_of_mean_and_deviation():
    assert gaussian_w2((0.0, 1.0), (3.0, 4.0)).value == pytest.approx(math.sqrt(9 + 1), abs=1e-12)
    assert gaussian_w2((0.0, 0.0), (3.0, 16.0)).value == 5  # a point
    assert gaussian_w2(Gaussian(1.0, 4.0), Gaussian(1.0, 4.0)).value == 0


def test_commuting_covariances():
    turn = torch.linalg.qr(matrix(0))[0]
    p, q = torch.tensor([1.0, 4.0, 9.0]).double(), torch.tensor([4.0, 4.0, 0.25]).double()
    found = gaussian_w2((torch.ones(3), turn * p @ turn.T), (torch.zeros(3), turn * q @ turn.T)).value
    assert found == pytest.approx(math.sqrt(3 + 1 + 0 + 2.5**2), abs=1e-12)


def test_any_covariances_by_their_trace_formula():
    s, t = matrix(1), matrix(2)
    values, vectors = torch.linalg.eigh(s)
    root = vectors * values.sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ t @ root).sqrt().sum()
    found = gaussian_w2((torch.zeros(3), s), (torch.zeros(3), t))
    assert found.value**2 == pytest.approx(float(s.trace() + t.trace() - 2 * cross), rel=1e-12)
    assert (found.error, found.method) == (None, "closed form")


def test_pots_own_cases():
    ot = pytest.importorskip("ot")
    assert gaussian_w2((0.0, 1.0), (10.0, 1.0)).value == pytest.approx(10)
    s, t = matrix(3), matrix(4)
    mean = torch.arange(3.0).double()
    squared_root = ot.gaussian.bures_wasserstein_distance(mean.numpy(), 0 * mean.numpy(), s.numpy(), t.numpy())
    assert gaussian_w2((mean, s), (0 * mean, t)).value == pytest.approx(float(squared_root), rel=1e-9)


def test_singular_covariances_are_exact():
    """Lines at an angle of 45 degrees; a plane; and what POT's square roots make NaN or 1e-8 of."""
    line, slope = torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.ones(2, 2) / 2
    assert gaussian_w2((ZERO, line), (ZERO, slope)).value ** 2 == pytest.approx(2 - math.sqrt(2), abs=1e-14)
    assert gaussian_w2((ZERO, slope), (ZERO, slope)).value == 0
    flat = torch.randn(6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    flat = flat @ flat.T
    assert gaussian_w2((torch.zeros(6), flat), (torch.zeros(6), flat)).value < 1e-14
    assert gaussian_w2((torch.zeros(6), flat), (torch.zeros(6), 4 * flat)).value == pytest.approx(
        math.sqrt(float(flat.trace())), rel=1e-12
    )


@pytest.mark.parametrize("scale", [1e-150, 1e-8, 1e120])
def test_it_scales_with_the_space(scale):
    s, t, mean = matrix(5), matrix(6), torch.ones(3, dtype=torch.float64)
    small = gaussian_w2((mean * scale, s * scale * scale), (0 * mean, t * scale * scale)).value
    assert small == pytest.approx(scale * gaussian_w2((mean, s), (0 * mean, t)).value, rel=1e-12)


def test_samples_come_near_it():
    p, q = Gaussian([0.0, 0.0], torch.eye(2)), Gaussian([2.0, 0.0], [[2.0, 0.5], [0.5, 1.0]])
    assert exact_wp(p.sample(600, 1), q.sample(600, 2)).value == pytest.approx(gaussian_w2(p, q).value, rel=0.05)


def test_gradients_agree_with_finite_differences():
    def distance(mean, a, b):
        small = 0.1 * torch.eye(3, dtype=torch.float64)
        return gaussian_w2((mean, a @ a.T + small), (torch.zeros(3).double(), b @ b.T + small)).tensor

    mean = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64, requires_grad=True)
    a, b = (matrix(seed).requires_grad_() for seed in (7, 8))
    assert torch.autograd.gradcheck(distance, (mean, a, b))
    ball = torch.eye(3, dtype=torch.float64, requires_grad=True)  # equal eigenvalues, of which eigh has no gradient
    assert torch.autograd.gradcheck(distance, (mean, ball, b))


def test_the_gradient_between_equal_gaussians_is_0_and_that_of_a_mean_needs_no_rank():
    mean = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    gaussian_w2((mean, torch.ones(2, 2)), (ZERO, torch.ones(2, 2))).backward()
    assert mean.grad.tolist() == [0, 0]
    gaussian_w2((mean, torch.ones(2, 2)), (torch.tensor([3.0, 4.0]), torch.ones(2, 2))).backward()
    assert mean.grad.tolist() == pytest.approx([-0.6, -0.8])
    flat = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
    with pytest.raises(ValueError, match="no gradient in a covariance that is singular: add a little to its diagonal"):
        gaussian_w2((ZERO, flat), (ZERO, torch.eye(2))).backward()
    found = gaussian_w2((mean, torch.eye(2)), (ZERO + 1, torch.eye(2))).tensor
    with pytest.raises(ValueError, match="gaussian_w2 has a first derivative only: leave out create_graph=True"):
        torch.autograd.grad(found, mean, create_graph=True)


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ((0.0, 1.0), ([0.0, 0.0], torch.eye(2)), "the Gaussians have 1 and 2 dimensions"),
        ((0.0, 1.0), 3.0, r"two pairs \(mean, covariance\); got a float"),
        (([0.0, 0.0], 1.0), (0.0, 1.0), r"a mean of 2 values needs a covariance of shape \(2, 2\)"),
        ((0.0, -1.0), (0.0, 1.0), "a covariance has no eigenvalue below 0"),
        (([0.0, 0.0], [[1.0, 0.5], [0.0, 1.0]]), (0.0, 1.0), "a covariance must be symmetric"),
        ((math.nan, 1.0), (0.0, 1.0), "mean and covariance must be finite"),
    ],
)
def test_what_is_no_gaussian_is_refused(p, q, message):
    with pytest.raises(ValueError, match=message):
        gaussian_w2(p, q)

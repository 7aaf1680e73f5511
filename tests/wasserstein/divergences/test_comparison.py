"""W1 beside the others: the table of the parallel lines, on which the case for W1 rests."""

import math

import pytest
import torch

from wganx.wasserstein.divergences import Gaussian, Histogram, compare


def lines(theta, k=20):
    """Even mass on {0} x [0, 1] and on {theta} x [0, 1], in k bins each, on the union of both supports."""
    heights = (torch.arange(k) + 0.5) / k
    left, right = (torch.stack([torch.full((k,), place), heights], dim=1) for place in (0.0, theta))
    points = torch.cat([left, right])
    even, nothing = torch.full((k,), 1 / k), torch.zeros(k)
    return Histogram(torch.cat([even, nothing]), points), Histogram(torch.cat([nothing, even]), points)


@pytest.mark.parametrize("theta", [-2.0, 1.0, 0.5, 1e-3])
def test_parallel_lines(theta):
    row = compare(*lines(theta))
    assert row["w1"].value == pytest.approx(abs(theta), rel=1e-6)
    assert row["js"].value == pytest.approx(math.log(2), rel=1e-12)
    assert row["kl"].value == math.inf
    assert [row["tv"].value, row["hellinger"].value] == pytest.approx([1, 1], rel=1e-12)


def test_only_the_ones_that_know_near_from_far_shrink_with_the_gap():
    far, near = compare(*lines(1.0)), compare(*lines(0.01))
    assert near["w1"].value < 0.02 * far["w1"].value
    assert near["energy"].value < 0.1 * far["energy"].value
    assert near["mmd"].value < 0.1 * far["mmd"].value


def test_the_same_line_twice():
    p, _ = lines(0.0)
    assert all(entry.value == pytest.approx(0, abs=1e-9) for entry in compare(p, p).values())


def test_gaussians():
    shifted = compare(Gaussian([0.0, 0.0], torch.eye(2)), Gaussian([3.0, 4.0], torch.eye(2)))
    assert shifted["w1"].value == 5
    assert shifted["kl"].value == pytest.approx(12.5)
    assert compare(Gaussian(0.0, 1.0), Gaussian(1.0, 4.0))["w1"].value == pytest.approx(1.1666, abs=5e-5)
    unknown = compare(Gaussian([0.0, 0.0], torch.eye(2)), Gaussian([0.0, 0.0], 2 * torch.eye(2)))["w1"]
    assert math.isnan(unknown.value)
    assert "has no closed form; compare Gaussian.sample(n)" in unknown.method


def test_samples():
    p, q = Gaussian([0.0], [1.0]), Gaussian([1.0], [1.0])
    row = compare(p.sample(300, 1), q.sample(300, 2))
    assert list(row) == ["w1", "kl", "js", "tv", "hellinger", "mmd", "energy"]
    assert row["w1"].value == pytest.approx(1, abs=0.3)
    repeated = compare(torch.zeros(20, 1), torch.ones(20, 1))
    assert math.isnan(repeated["kl"].value)
    assert "was not drawn from a density" in repeated["kl"].method
    assert repeated["w1"].value == 1


def test_sides_of_different_kinds_are_refused():
    with pytest.raises(ValueError, match="cannot compare a Tensor with a Gaussian"):
        compare(torch.zeros(9, 1), Gaussian(0.0, 1.0))

"""Means of distributions: mid-points, Gaussians that stay Gaussians, POT's own cases."""

import math

import pytest
import torch

from wganx.errors import WganxError
from wganx.wasserstein import Histogram, exact_wp, histogram_barycentre, wasserstein_barycentre


def cloud(seed, n=20, d=2):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bell(mean, deviation, bins=41):
    x = torch.arange(bins, dtype=torch.float64)
    density = torch.exp(-((x - mean) ** 2) / (2 * deviation**2))
    return Histogram(density / density.sum())


def moments(histogram):
    x = histogram.points[:, 0]
    mean = float(histogram.probabilities @ x)
    return mean, math.sqrt(float(histogram.probabilities @ (x - mean) ** 2))


def test_between_two_points_it_is_the_mid_point():
    """The case of POT's own test, from where it begins there and from everywhere else."""
    found = wasserstein_barycentre([[[-1.0]], [[1.0]]])
    assert found.points.tolist() == [[0.0]]
    assert found.spread == 1
    assert wasserstein_barycentre([[[-1.0]], [[1.0]]], shares=[0.25, 0.75]).points.tolist() == [[0.5]]


def test_between_two_sets_of_one_size_it_is_half_way_along_the_optimal_matching():
    x, y = cloud(0), cloud(1) + 3
    found = wasserstein_barycentre([x, y])
    apart = exact_wp(x, y).value
    assert found.spread == pytest.approx(apart / 2, rel=1e-9)
    assert exact_wp(found.points, x).value == pytest.approx(apart / 2, rel=1e-9)


def test_shifted_copies_have_their_shape_in_the_middle():
    x = cloud(0, 30)
    shifts = torch.tensor([[0.0, 0.0], [6.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    found = wasserstein_barycentre([x + shift for shift in shifts])
    assert exact_wp(found.points, x + shifts.mean(0)).value < 1e-9


def test_sizes_and_weights():
    x, y = cloud(0, 12), cloud(1, 7)
    found = wasserstein_barycentre([x, y], size=5, weights=[torch.full((12,), 1 / 12), torch.full((7,), 1 / 7)], seed=3)
    assert found.points.shape == (5, 2)
    again = wasserstein_barycentre([x, y], size=5, weights=[torch.full((12,), 1 / 12), torch.full((7,), 1 / 7)], seed=3)
    assert torch.equal(found.points, again.points)
    assert wasserstein_barycentre([x, y]).points.shape == (12, 2)
    heavy = [torch.tensor([1.0, *[0.0] * 11]), torch.tensor([1.0, *[0.0] * 6])]
    assert torch.allclose(wasserstein_barycentre([x, y], size=1, weights=heavy).points, (x[:1] + y[:1]) / 2)
    huge = wasserstein_barycentre([x * 1e200, y[:5] * 1e200], size=5)
    assert bool(huge.points.isfinite().all())


def test_of_histograms_it_is_the_bin_in_the_middle():
    """The case of POT's own test of `lp.barycenter`."""
    found = histogram_barycentre([Histogram([1.0, 0.0, 0.0]), Histogram([0.0, 0.0, 1.0])])
    assert found.probabilities.tolist() == pytest.approx([0, 1, 0], abs=1e-9)
    found = histogram_barycentre([Histogram([1.0, 0.0, 0.0]), Histogram([0.0, 0.0, 1.0])], shares=[1.0, 0.0])
    assert found.probabilities.tolist() == pytest.approx([1, 0, 0], abs=1e-9)


@pytest.mark.parametrize("epsilon", [None, 1.0])
def test_of_two_gaussians_it_is_the_gaussian_between_them(epsilon):
    """Means and deviations are averaged; the temperature adds half of itself to the variance."""
    found = histogram_barycentre([bell(12, 2), bell(26, 4)], epsilon=epsilon)
    mean, deviation = moments(found)
    assert mean == pytest.approx(19, abs=0.3)  # two bins are as good as one where the mid-point falls between them
    assert deviation == pytest.approx(math.sqrt(9 + (epsilon or 0) / 2), abs=0.2)
    assert int(found.probabilities.argmax()) in (18, 19, 20)


def test_pots_own_case_of_the_entropic_barycentre():
    """Two bells with unequal shares: it sums to 1 and is where it should be, which POT's default method is not."""
    ot = pytest.importorskip("ot")
    p, q = bell(10, 3), bell(25, 2)
    found = histogram_barycentre([p, q], shares=[0.3, 0.7], epsilon=5.0)
    assert float(found.probabilities.sum()) == pytest.approx(1)
    assert moments(found) == pytest.approx((0.3 * 10 + 0.7 * 25, math.sqrt((0.3 * 3 + 0.7 * 2) ** 2 + 5 / 2)), abs=0.01)
    costs, columns = ot.dist(p.points.numpy(), p.points.numpy()), torch.stack([p.probabilities, q.probabilities], 1)
    even = ot.bregman.barycenter(columns.numpy(), costs, 5.0, stopThr=1e-9)
    assert torch.allclose(histogram_barycentre([p, q], epsilon=5.0).probabilities, torch.from_numpy(even), atol=1e-4)
    default = torch.from_numpy(ot.bregman.barycenter(columns.numpy(), costs, 5.0, weights=[0.3, 0.7], stopThr=1e-9))
    assert abs(float(default @ p.points[:, 0]) - 20.5) > 0.5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: wasserstein_barycentre([cloud(0)]), "at least two sets, got 1"),
        (lambda: wasserstein_barycentre([cloud(0), cloud(1, d=3)]), "samples differ in size"),
        (lambda: wasserstein_barycentre([cloud(0), cloud(1)], size=0), "size must be at least 1, got 0"),
        (lambda: wasserstein_barycentre([cloud(0), cloud(1)], shares=[0.5]), "2 distributions need as many shares"),
        (lambda: wasserstein_barycentre([cloud(0), cloud(1)], shares=[0.5, 0.6]), "of sum 1; got"),
        (lambda: wasserstein_barycentre([cloud(0), cloud(1)], weights=[[1.0]]), "2 sets need as many weights, got 1"),
        (
            lambda: wasserstein_barycentre([cloud(0).requires_grad_(), cloud(1)]),
            "wasserstein_barycentre has no gradient",
        ),
        (lambda: wasserstein_barycentre([torch.zeros(20_000, 1)] * 2), "needs a cost matrix of 3.0 GiB"),
        (lambda: histogram_barycentre([bell(1, 1)]), "at least two histograms, got 1"),
        (lambda: histogram_barycentre([bell(1, 1), bell(1, 1, 9)]), "the histograms have different bins"),
        (lambda: histogram_barycentre([bell(1, 1)] * 2, epsilon=0.0), "epsilon must be more than 0"),
        (lambda: histogram_barycentre([bell(1, 1, 400)] * 2), "320000 unknowns, more than 200000: give epsilon="),
    ],
)
def test_what_cannot_be_done_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_temperature_too_low_for_its_iterations_fails(monkeypatch):
    ot = pytest.importorskip("ot")
    slow = ot.bregman.barycenter
    monkeypatch.setattr(ot.bregman, "barycenter", lambda *a, **o: slow(*a, **{**o, "numItermax": 2}))
    with pytest.raises(WganxError, match=r"the barycentre at epsilon=0.01 did not converge: .*; raise it"):
        histogram_barycentre([bell(12, 2), bell(26, 4)], epsilon=0.01)

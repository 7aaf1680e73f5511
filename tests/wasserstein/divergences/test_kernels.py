"""MMD and energy distance: by hand, in closed form, as statistics of samples, and in blocks."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import energy_distance as scipy_energy
from scipy.stats import wasserstein_distance

from wganx.wasserstein.divergences import Gaussian, Histogram, energy_distance, median_distance, mmd


def cloud(seed, n=40, d=3):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_points_by_hand():
    p, q = Histogram([1.0], [0.0]), Histogram([1.0], [3.0])
    assert energy_distance(p, q).value == 6
    assert mmd(p, q, bandwidth=2.0).value == pytest.approx(2 - 2 * math.exp(-9 / 8), abs=1e-15)
    x, y = torch.zeros(2, 1), torch.full((2, 1), 3.0)
    assert energy_distance(x, y).value == 6
    assert mmd(x, y, bandwidth=2.0).value == pytest.approx(2 - 2 * math.exp(-9 / 8), abs=1e-15)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_on_the_line_the_energy_distance_is_the_square_of_scipys(seed):
    x, y = cloud(seed, 20, 1), cloud(seed + 1, 30, 1) + 1
    found = energy_distance(x, y, unbiased=False).value
    assert found == pytest.approx(scipy_energy(x[:, 0].numpy(), y[:, 0].numpy()) ** 2, rel=1e-6)
    assert found <= 2 * wasserstein_distance(x[:, 0].numpy(), y[:, 0].numpy()) + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["energy", "mmd"]))
def test_their_roots_are_metrics(seed, which):
    def root(a, b):
        found = energy_distance(a, b, unbiased=False) if which == "energy" else mmd(a, b, bandwidth=1.0, unbiased=False)
        return math.sqrt(max(found.value, 0))

    x, y, z = cloud(seed, 10), cloud(seed + 1, 12) * 2, cloud(seed + 2, 14) + 1
    assert root(x, x) == pytest.approx(0, abs=1e-7)
    assert root(x, y) > 1e-3
    assert root(x, y) == pytest.approx(root(y, x), rel=1e-9)
    assert root(x, z) <= root(x, y) + root(y, z) + 1e-9


def test_with_equal_weights_a_histogram_is_its_points():
    x, y = cloud(0, 7), cloud(1, 9)
    p, q = Histogram(torch.full((7,), 1 / 7), x), Histogram(torch.full((9,), 1 / 9), y)
    assert energy_distance(p, q).value == pytest.approx(energy_distance(x, y, unbiased=False).value, abs=1e-7)
    assert mmd(p, q, bandwidth=1.5).value == pytest.approx(mmd(x, y, bandwidth=1.5, unbiased=False).value, abs=1e-7)


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_blocks_change_nothing(batch):
    x, y = cloud(0, 30), cloud(1, 20)
    for measure in (energy_distance, mmd):
        assert measure(x, y, batch=batch).value == pytest.approx(measure(x, y).value, abs=1e-8)


def test_the_u_statistics_are_unbiased_and_the_others_too_large():
    p, q = Gaussian([0.0, 0.0], torch.eye(2)), Gaussian([1.0, 0.0], 2 * torch.eye(2))
    for measure, options in ((energy_distance, {}), (mmd, {"bandwidth": 1.0})):
        truth = measure(p, q, **options)
        pairs = [(p.sample(8, 2 * seed), q.sample(8, 2 * seed + 1)) for seed in range(1, 400)]
        fair = torch.tensor([measure(x, y, **options).value for x, y in pairs])
        error = float(fair.std()) / math.sqrt(len(fair)) + (truth.error or 0)
        assert abs(float(fair.mean()) - truth.value) < 3 * error
        assert float(fair.min()) < 0
        plug_in = torch.tensor([measure(x, y, unbiased=False, **options).value for x, y in pairs])
        assert float(plug_in.mean()) > truth.value + 3 * error


def on_a_grid(p, q, kernel):
    x = torch.linspace(-20, 20, 1601, dtype=torch.float64)
    difference = (p.log_density(x[:, None]).exp() - q.log_density(x[:, None]).exp()) * (x[1] - x[0])
    return float(difference @ kernel((x[:, None] - x).abs()) @ difference)


@pytest.mark.parametrize(("mean", "variance"), [(1.0, 4.0), (0.0, 0.25), (3.0, 1.0)])
def test_gaussians_on_the_line_agree_with_integration(mean, variance):
    p, q = Gaussian(0.0, 1.0), Gaussian(mean, variance)
    assert energy_distance(p, q).value == pytest.approx(on_a_grid(p, q, lambda r: -r), abs=1e-4)
    assert mmd(p, q, bandwidth=0.7).value == pytest.approx(
        on_a_grid(p, q, lambda r: torch.exp(-(r**2) / (2 * 0.7**2))), abs=1e-9
    )
    assert energy_distance(p, p).value == mmd(p, p).value == 0


def test_gaussians_of_more_dimensions_agree_with_their_line():
    """Apart on one axis only, and narrow on the other."""
    flat = torch.diag(torch.tensor([1.0, 1e-12], dtype=torch.float64))
    drawn = energy_distance(Gaussian([0.0, 0.0], flat), Gaussian([1.0, 0.0], 4 * flat))
    known = energy_distance(Gaussian(0.0, 1.0), Gaussian(1.0, 4.0)).value
    assert drawn.value == pytest.approx(known, abs=4 * drawn.error)
    assert drawn.error < 0.01
    assert known == pytest.approx(on_a_grid(Gaussian(0.0, 1.0), Gaussian(1.0, 4.0), lambda r: -r), abs=1e-4)


def test_samples_come_near_their_gaussians():
    p, q = Gaussian([0.0, 0.0], torch.eye(2)), Gaussian([1.0, 0.0], [[1.5, 0.3], [0.3, 0.8]])
    x, y = p.sample(3000, 1), q.sample(3000, 2)
    assert mmd(x, y, bandwidth=1.0).value == pytest.approx(mmd(p, q, bandwidth=1.0).value, rel=0.06)
    assert energy_distance(x, y).value == pytest.approx(energy_distance(p, q).value, rel=0.06)


def test_the_default_bandwidths():
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[10.0]])
    assert median_distance(x, y) == 9  # of 1, 10 and 9
    assert mmd(x, y, unbiased=False).method == "V-statistic, bandwidth 9"
    # The root mean square of X - X' for half the mass at 0 and half at 4: sqrt(16 / 2).
    assert mmd(Histogram([1.0], [0.0]), Histogram([1.0], [4.0])).method == "exact sum, bandwidth 2.828"
    assert mmd(Gaussian(0.0, 1.0), Gaussian(0.0, 3.0)).method == "closed form, bandwidth 2"
    many = cloud(0, 5000, 1)
    assert median_distance(many, many) == pytest.approx(math.sqrt(2) * 0.6745, rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mmd(cloud(0), cloud(1), bandwidth=0.0), "bandwidth must be above 0, got 0.0"),
        (lambda: mmd(torch.zeros(9, 1), torch.zeros(9, 1)), "leaves no bandwidth to choose; give bandwidth="),
        (lambda: mmd(Histogram([1.0]), Histogram([1.0])), "leaves no bandwidth to choose"),
        (lambda: mmd(cloud(0, 1), cloud(1)), "at least 2 samples are needed on both sides, got 1 and 40"),
        (lambda: energy_distance(cloud(0, 1), cloud(1)), "at least 2 samples are needed on both sides"),
        (lambda: energy_distance(cloud(0), cloud(1, d=2)), "samples differ in size: 3 and 2 values each"),
        (lambda: energy_distance(Histogram([1.0]), cloud(0)), "cannot compare a Histogram with a Tensor"),
        (lambda: mmd(cloud(0), Gaussian(0.0, 1.0)), "cannot compare a Tensor with a Gaussian"),
        (lambda: energy_distance(Gaussian(0.0, 1.0), Gaussian([0.0, 0.0], torch.eye(2))), "1 and 2 dimensions"),
        (lambda: median_distance(cloud(0, 1), torch.zeros(0, 3)), "at least 1 samples are needed on both sides"),
    ],
)
def test_what_cannot_be_compared_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()

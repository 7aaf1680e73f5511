"""Exact W1 against closed forms and the axioms of a metric."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from wganx import exact_w1


def cloud(seed, n=40, shape=(3,)):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_two_points():
    found = exact_w1(torch.tensor([[0.0, 0.0]]), torch.tensor([[3.0, 4.0]]))
    assert found.value == float(found) == 5.0
    assert (found.n, found.dim) == ((1, 1), 2)
    assert found.seconds >= 0


def test_in_one_dimension_it_is_the_sorted_matching():
    x, y = cloud(0, shape=()), cloud(1, n=25, shape=())
    assert exact_w1(x, y).value == pytest.approx(wasserstein_distance(x.numpy(), y.numpy()), abs=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(-5, 5), st.floats(0.1, 10))
def test_a_shift_costs_its_length_and_scaling_scales(seed, shift, scale):
    x = cloud(seed, n=15)
    move = torch.tensor([shift, 0.0, 0.0], dtype=torch.float64)
    assert exact_w1(x, x + move).value == pytest.approx(abs(shift), abs=1e-9)
    y = cloud(seed + 1, n=12)
    assert exact_w1(scale * x, scale * y).value == pytest.approx(scale * exact_w1(x, y).value, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_the_axioms_of_a_metric(seed):
    x, y, z = cloud(seed, 10), cloud(seed + 1, 14), cloud(seed + 2, 12)
    assert exact_w1(x, x).value == pytest.approx(0.0, abs=1e-12)
    assert exact_w1(x, y).value == pytest.approx(exact_w1(y, x).value, rel=1e-12)
    assert exact_w1(x, z).value <= exact_w1(x, y).value + exact_w1(y, z).value + 1e-12


def test_samples_of_any_rank_are_flattened():
    x, y = cloud(0, shape=(2, 3, 4)), cloud(1, shape=(2, 3, 4))
    assert exact_w1(x, y).value == exact_w1(x.flatten(1), y.flatten(1)).value


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(0, 2), torch.zeros(3, 2), "W1 needs samples on both sides, got 0 and 3"),
        (torch.zeros(2, 2), torch.zeros(3, 4), "samples differ in size: 2 and 4 values each"),
    ],
)
def test_what_cannot_be_compared_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        exact_w1(x, y)

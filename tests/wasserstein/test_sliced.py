"""Sliced distances against closed forms and exact transport."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.wasserstein import (
    exact_w1,
    exact_wp,
    max_sliced_w1,
    max_sliced_w2,
    sliced_w1,
    sliced_w2,
    sliced_wp,
)

seeds = st.integers(0, 10**6)
ALL = [sliced_w1, sliced_w2, max_sliced_w1, max_sliced_w2]


def cloud(seed, n=40, shape=(3,), dtype=torch.float64):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def mean_projection(dim):
    """``E |θ_1|`` of a uniform direction: ``Γ(d/2) / (√π Γ((d+1)/2))``."""
    return math.exp(math.lgamma(dim / 2) - math.lgamma((dim + 1) / 2)) / math.sqrt(math.pi)


@pytest.mark.parametrize("dim", [1, 2, 3, 16, 128])
def test_a_shift_has_a_closed_form(dim):
    x = cloud(0, 10, (dim,))
    move = torch.zeros(dim, dtype=torch.float64)
    move[0] = 2.0
    w1, w2 = (sliced(x, x + move, projections=4000) for sliced in (sliced_w1, sliced_w2))
    assert abs(w1.value - 2 * mean_projection(dim)) <= 4 * w1.error + 1e-12
    assert abs(w2.value - 2 / math.sqrt(dim)) <= 4 * w2.error + 1e-12
    assert (w1.error > 0) == (dim > 1)


def test_the_error_is_the_spread_over_seeds():
    x, y = cloud(0), cloud(1) + 1
    for sliced in (sliced_w1, sliced_w2):
        found = [sliced(x, y, projections=50, seed=seed) for seed in range(200)]
        spread = torch.tensor([one.value for one in found]).std().item()
        stated = sum(one.error for one in found) / len(found)
        assert stated == pytest.approx(spread, rel=0.2)  # the spread of 200 values is known to 5 %


def test_on_the_line_every_direction_reads_the_exact_distance():
    x, y = cloud(0, 30, ()), cloud(1, 21, ())
    for sliced, p in ((sliced_w1, 1), (max_sliced_w1, 1), (sliced_w2, 2), (max_sliced_w2, 2)):
        assert sliced(x, y).value == pytest.approx(exact_wp(x, y, p).value, rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 20), st.integers(1, 20))
def test_bounds_of_the_exact_distances(seed, n, m):
    """Every projection is 1-Lipschitz: SWp <= max-SWp and max-SWp <= Wp; W2 grows upon W1."""
    x, y = cloud(seed, n), cloud(seed + 1, m)
    for (sliced, largest), p in (((sliced_w1, max_sliced_w1), 1.0), ((sliced_w2, max_sliced_w2), 2.0)):
        exact = exact_wp(x, y, p).value
        assert 0 < sliced(x, y, projections=20).value <= exact * (1 + 1e-9)
        assert 0 < largest(x, y, steps=20).value <= exact * (1 + 1e-9)
    assert sliced_w1(x, y, projections=20).value <= sliced_w2(x, y, projections=20).value * (1 + 1e-12)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_the_axioms_of_a_metric_hold_for_any_set_of_directions(seed):
    x, y, z = cloud(seed, 10), cloud(seed + 1, 14), cloud(seed + 2, 12)
    for sliced in (sliced_w1, sliced_w2):

        def distance(one, two):
            return sliced(one, two, projections=10, seed=seed).value  # noqa: B023

        assert distance(x, x.flip(0)) == pytest.approx(0.0, abs=1e-12)
        assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-12)
        assert distance(x, z) <= distance(x, y) + distance(y, z) + 1e-12
        assert distance(-3 * x + 1, -3 * y + 1) == pytest.approx(3 * distance(x, y), rel=1e-9)


@pytest.mark.parametrize("sliced", ALL)
def test_weights_count_like_repeated_samples(sliced):
    x, y = cloud(0, 3), cloud(1, 5)
    weights = (torch.tensor([0.5, 0.25, 0.25]), torch.full((5,), 0.2))
    assert sliced(x, y, weights=weights).value == pytest.approx(sliced(x[[0, 0, 1, 2]], y).value, rel=1e-6)
    equal = (torch.full((3,), 1 / 3), torch.full((5,), 0.2))
    assert sliced(x, y, weights=equal).value == pytest.approx(sliced(x, y).value, rel=1e-6)


def test_batches_of_directions_change_nothing_and_the_seed_decides():
    x, y = cloud(0), cloud(1, 33)
    assert sliced_w1(x, y, batch=7).value == pytest.approx(sliced_w1(x, y, batch=1000).value, rel=1e-12)
    assert sliced_w1(x, y, seed=1).value == sliced_w1(x, y, seed=1).value != sliced_w1(x, y, seed=2).value


@pytest.mark.parametrize("sliced", ALL)
def test_samples_of_any_rank_and_dtype(sliced):
    x, y = cloud(0, shape=(2, 3)), cloud(1, shape=(2, 3)) + 1
    exact = sliced(x, y)
    assert exact.dim == 6
    assert exact.value == sliced(x.flatten(1), y.flatten(1)).value
    assert sliced(x.float(), y.float()).value == pytest.approx(exact.value, rel=1e-4)
    assert sliced((20 * x).to(torch.int16), (20 * y).to(torch.int16)).value == pytest.approx(20 * exact.value, rel=0.1)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4, 7, 60, 400])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_power_is_the_mean_of_the_lines(p, dtype):
    x, y = cloud(0, dtype=dtype), cloud(1, 33, dtype=dtype) + 1
    directions = cloud(2, 8)
    lines = [exact_wp(x.double() @ d / d.norm(), y.double() @ d / d.norm(), p).value for d in directions]
    longest = max(lines)
    known = longest * (sum((line / longest) ** p for line in lines) / 8) ** (1 / p)
    found = sliced_wp(1e6 * x, 1e6 * y, p, directions=directions)
    assert found.value == pytest.approx(1e6 * known, rel=1e-4 if dtype == torch.float32 else 1e-9)
    assert found.error is None
    assert sliced_wp(x, y, p).error > 0


def test_the_powers_1_and_2_have_names_and_the_mean_grows_with_the_power():
    x, y = cloud(0), cloud(1, 33)
    assert sliced_wp(x, y, 1).value == sliced_w1(x, y).value
    assert sliced_wp(x, y).value == sliced_w2(x, y).value
    assert sliced_wp(x, y).error == sliced_w2(x, y).error
    values = [sliced_wp(x, y, p).value for p in (1, 1.5, 2, 4, 4.1, 8, 50)]
    assert values == sorted(values)


def test_the_error_of_a_high_power_is_the_spread_over_seeds():
    x, y = cloud(0, 20), cloud(1, 20) + 1
    found = [sliced_wp(x, y, 6, projections=50, seed=seed) for seed in range(200)]
    spread = torch.tensor([one.value for one in found]).std().item()
    assert sum(one.error for one in found) / len(found) == pytest.approx(spread, rel=0.2)


class TestMaxSliced:
    @pytest.mark.parametrize("largest", [max_sliced_w1, max_sliced_w2])
    def test_a_shift_is_read_in_full_along_its_direction(self, largest):
        x, move = cloud(0, shape=(8,)), torch.arange(8.0, dtype=torch.float64)
        found = largest(x, x + move)
        assert found.value == pytest.approx(move.norm().item(), rel=1e-12)
        assert abs(found.direction @ move / move.norm()).item() == pytest.approx(1.0)
        assert found.error is None

    @pytest.mark.parametrize(("largest", "p"), [(max_sliced_w1, 1.0), (max_sliced_w2, 2.0)])
    @pytest.mark.parametrize("seed", range(3))
    def test_the_ascent_finds_the_direction_that_means_do_not_show(self, largest, p, seed):
        x, y = cloud(0, 500, (16,)), cloud(1, 500, (16,))
        y[:, 3] *= 3
        found = largest(x - x.mean(0), y - y.mean(0), seed=seed)
        assert abs(found.direction[3]) > 0.98
        assert found.value >= exact_wp((x - x.mean(0))[:, 3], (y - y.mean(0))[:, 3], p).value

    def test_no_direction_among_many_is_better(self):
        x, y = cloud(0, 60, (2,)), cloud(1, 50, (2,)) * torch.tensor([1.0, 2.0])
        angles = torch.linspace(0, math.pi, 400, dtype=torch.float64)
        every = [exact_w1(x @ d, y @ d).value for d in torch.stack([angles.cos(), angles.sin()], dim=1)]
        assert max_sliced_w1(x, y).value >= max(every) * (1 - 1e-4)

    def test_equal_samples(self):
        x = cloud(0)
        assert max_sliced_w2(x, x).value == 0.0


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda x: sliced_w1(x, x, projections=1), "projections must be at least 2, got 1"),
        (lambda x: sliced_w2(x, x, batch=0), "batch must be at least 1, got 0"),
        (lambda x: max_sliced_w1(x, x, steps=0), "steps must be at least 1, got 0"),
        (lambda x: max_sliced_w2(x, x, starts=0), "starts must be at least 1, got 0"),
        (lambda x: sliced_wp(x, x, 0.5), "p must be finite and at least 1, got 0.5"),
        (lambda x: sliced_w1(x, x, directions=x[:, :2]), r"directions are rows of 3 numbers, .*; got \(40, 2\)"),
        (lambda x: sliced_w1(x, x, directions=0 * x), "directions must be finite, and none of length 0"),
        (lambda x: sliced_w1(x, x, directions=x * math.nan), "directions must be finite, and none of length 0"),
        (lambda x: sliced_w1(x, x * math.nan), "the second samples hold NaN or infinity in 120 of 120 values"),
        (lambda x: max_sliced_w1(x, x[:, :2]), "samples differ in size: 3 and 2 values each"),
        (lambda x: sliced_w1(x, x, weights=(torch.ones(40), torch.ones(40))), "weights must sum to 1, got 40"),
    ],
)
def test_what_cannot_be_compared_is_refused(compute, message):
    with pytest.raises(ValueError, match=message):
        compute(cloud(0))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("sliced", ALL)
def test_the_device_changes_nothing(sliced):
    x, y = cloud(0), cloud(1, 33)
    assert sliced(x.cuda(), y.cuda()).value == pytest.approx(sliced(x, y).value, rel=1e-6)

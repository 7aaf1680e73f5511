"""What every distance does with its samples: no digit is lost, none is made up, and their scale is the answer's."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from wganx.wasserstein import (
    Gaussian,
    Histogram,
    bracket_w1,
    c_transform,
    compare,
    dual_certificate,
    energy_distance,
    estimate_w1,
    exact_w1,
    exact_wp,
    hellinger,
    js_divergence,
    kantorovich_rubinstein,
    kl_divergence,
    lipschitz_estimate,
    max_sliced_w1,
    max_sliced_w2,
    mmd,
    optimal_transport,
    sinkhorn_divergence,
    sliced_w1,
    sliced_w2,
    sliced_wp,
    total_variation,
)
from wganx.wasserstein.divergences import median_distance
from wganx.wasserstein.samples import as_points, as_tensor, scaled

LENGTHS = {
    "exact_w1": exact_w1,
    "exact_wp": exact_wp,
    "exact_wp of 7": lambda x, y: exact_wp(x, y, 7),
    "optimal_transport": optimal_transport,
    "optimal_transport of 3": lambda x, y: optimal_transport(x, y, p=3),
    "kantorovich_rubinstein": kantorovich_rubinstein,
    "sliced_w1": partial(sliced_w1, projections=16),
    "sliced_w2": partial(sliced_w2, projections=16),
    "sliced_wp of 7": partial(sliced_wp, p=7, projections=16),
    "max_sliced_w1": partial(max_sliced_w1, steps=3),
    "max_sliced_w2": partial(max_sliced_w2, steps=3),
    "sinkhorn": sinkhorn_divergence,
    "energy": energy_distance,
    "energy, V": partial(energy_distance, unbiased=False),
    "median distance": median_distance,
}
"""Distances in units of the samples."""

NUMBERS = {
    "mmd": mmd,
    "kl": kl_divergence,
    "js": js_divergence,
    "tv": total_variation,
    "hellinger": hellinger,
}
"""Divergences that do not know a unit."""

ALL = {**LENGTHS, **NUMBERS}


def cloud(seed, n=30, d=2, dtype=torch.float64):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=12, deadline=None)
@given(st.integers(0, 1000), st.floats(-12, 12), st.sampled_from([1, 2]))
def test_scaling_the_samples_scales_every_distance(name, seed, exponent, d):
    x, y, scale = cloud(seed, 30, d), cloud(seed + 1, 25, d) + 0.5, 10.0**exponent
    own, found = float(ALL[name](x, y)), float(ALL[name](scale * x, scale * y))
    assert found == pytest.approx(own * (scale if name in LENGTHS else 1), rel=1e-6, abs=1e-9 * min(scale, 1))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_powers_of_two_change_no_bit_and_nothing_overflows(name, dtype):
    x, y = cloud(0, dtype=dtype), cloud(1, 25, dtype=dtype) + 0.5
    own = float(ALL[name](x, y))
    high = 2.0 ** (100 if dtype == torch.float32 else 300)
    for scale in (1 / high, 2.0**-20, 2.0**30, high):
        found = float(ALL[name](scale * x, scale * y))
        assert found == pytest.approx(own * (scale if name in LENGTHS else 1), rel=1e-12)


@pytest.mark.parametrize("sliced", [sliced_w1, sliced_w2, max_sliced_w1, max_sliced_w2])
def test_float32_samples_of_1e30_have_a_sliced_distance(sliced):
    x, y = cloud(0, dtype=torch.float32), cloud(1, dtype=torch.float32)
    found = sliced(1e30 * x, 1e30 * y).value
    assert isinstance(found, float)
    assert found / 1e30 == pytest.approx(sliced(x, y).value, rel=1e-5)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scaling_the_samples_scales_what_a_critic_reads(scale):
    x, y = cloud(0, 300), cloud(1, 300) + 1
    own, found = (estimate_w1(s * x, s * y, steps=10, device="cpu") for s in (1.0, scale))
    assert found.value == pytest.approx(scale * own.value, rel=1e-2)


@pytest.mark.parametrize("name", LENGTHS)
def test_integers_beyond_2_to_the_24_are_not_rounded(name):
    small = torch.tensor([[1], [2], [4], [9]])
    known = float(ALL[name](small.double(), small.double() + 30))
    for offset, dtype in ((1_700_000_000, torch.int32), (2**50, torch.int64), (3_000_000_000, torch.uint32)):
        x, y = (small + offset).to(dtype), (small + offset + 30).to(dtype)
        assert float(ALL[name](x, y)) == pytest.approx(known, rel=1e-9), dtype
        assert float(ALL[name](x.numpy(), y.tolist())) == pytest.approx(known, rel=1e-9), dtype


def test_the_distance_of_timestamps_thirty_seconds_apart():
    stamps = torch.tensor([1, 2, 3]) + 1_700_000_000
    assert sliced_w1(stamps, stamps + 30).value == pytest.approx(30, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16])
def test_what_float32_holds_stays_float32(dtype):
    x, _ = as_points(torch.arange(100).to(dtype), torch.arange(90).to(dtype))
    assert x.dtype == torch.float32
    assert x.flatten().tolist() == [*range(100)]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_integers_beyond_2_to_the_53_are_refused(name, dtype):
    x = np.arange(30, dtype=dtype)[:, None] + dtype(2**60)
    with pytest.raises(ValueError, match=r"integers beyond 2\^53, which floating-point numbers would round; subtract"):
        ALL[name](x, x)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", ["tensor", "array", "list"])
def test_complex_samples_are_refused_and_not_cut_in_half(name, kind):
    x = torch.complex(cloud(0), cloud(1))
    x = {"tensor": x, "array": x.numpy(), "list": x.tolist()}[kind]
    for pair in ((x, cloud(0)), (cloud(0), x)):
        with pytest.raises(ValueError, match="samples must be real numbers; stack real and imaginary part with torch"):
            ALL[name](*pair)


def test_complex_numbers_are_refused_wherever_numbers_go():
    x, y, half = cloud(0, 4), cloud(1, 4), torch.full((4,), 0.25 + 1j)
    for call in (
        lambda: exact_w1(x, y, weights=(half, half)),
        lambda: sinkhorn_divergence(x, y, weights=(half, half)),
        lambda: exact_w1(x, y, metric=lambda x, y: torch.cdist(x, y) + 1j),
        lambda: Histogram(half),
        lambda: Histogram([0.5, 0.5], [1j, 2j]),
        lambda: Gaussian([1j], [[1.0]]),
        lambda: Gaussian([0.0], [[1 + 1j]]),
        lambda: c_transform(half, torch.cdist(x, y)),
        lambda: dual_certificate((half, half.real, torch.cdist(x, y), half.real, half.real)),
        lambda: kantorovich_rubinstein(x, y)(torch.complex(x, y)),
        lambda: lipschitz_estimate(nn.Linear(2, 1), torch.complex(x, y)),
        lambda: estimate_w1(torch.complex(x, y), y),
        lambda: bracket_w1(x, torch.complex(x, y)),
        lambda: compare(torch.complex(x, y), y),
        lambda: median_distance(torch.complex(x, y), y),
    ):
        with pytest.raises(ValueError, match="must be real numbers"):
            call()


@pytest.mark.parametrize("name", ALL)
def test_arrays_and_lists_are_taken_like_tensors(name):
    x, y = cloud(0), cloud(1)
    known = float(ALL[name](x, y))
    for other in (x.numpy(), x.tolist(), [*x], [*x.numpy()], x.numpy().astype(">f8"), np.asfortranarray(x.numpy())):
        assert float(ALL[name](other, y.numpy())) == known
    assert float(ALL[name](x.numpy()[::-1], y)) == pytest.approx(known, rel=0.3)
    assert float(ALL[name](x[:, 0].tolist(), y[:, 0].numpy())) == float(ALL[name](x[:, 0], y[:, 0]))


def test_arrays_and_lists_go_wherever_samples_go():
    x, y = cloud(0, 40), cloud(1, 40) + 1
    weights = torch.linspace(1, 2, 40, dtype=torch.float64)
    weights /= weights.sum()
    for call in (
        lambda x, y, w: exact_w1(x, y, weights=(w, w)),
        lambda x, y, w: sliced_w1(x, y, weights=(w, w)),
        lambda x, y, w: kantorovich_rubinstein(x, y)(x)[0],
        lambda x, y, w: c_transform(w, torch.cdist(as_tensor(x), as_tensor(y)).numpy())[0],
        lambda x, y, w: dual_certificate((w, w, torch.cdist(as_tensor(x), as_tensor(y)), w, w)).primal,
        lambda x, y, w: Gaussian(as_tensor(x)[0].numpy(), [[1.0, 0.0], [0.0, 1.0]]).mean[0],
        lambda x, y, w: Histogram(w, x).points[0, 0],
        lambda x, y, w: compare(x, y)["w1"],
        lambda x, y, w: estimate_w1(x, y, steps=2, device="cpu"),
        lambda x, y, w: bracket_w1(x, y, steps=2, device="cpu"),
        lambda x, y, w: lipschitz_estimate(lambda points: points.sum(1), x, y).gradients,
    ):
        known = float(call(x, y, weights))
        assert float(call(x.numpy(), y.numpy(), weights.numpy())) == pytest.approx(known, rel=1e-6)
        assert float(call(x.tolist(), y.tolist(), weights.tolist())) == pytest.approx(known, rel=1e-6)


def test_a_critic_is_given_arrays_and_integers_in_its_own_type():
    critic = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    x = cloud(0) * 10
    known = float(critic[0].weight.detach().norm())
    for samples in (x.numpy(), x.tolist(), x.int(), x.float()):
        assert lipschitz_estimate(critic, samples).gradients == pytest.approx(known, rel=1e-5)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([[1.0], [1.0, 2.0]], "samples must be numbers in one array, all of one shape"),
        ([torch.zeros(2), torch.zeros(3)], "samples must be numbers in one array, all of one shape"),
        (["a", "b"], "samples must be numbers, got an array of <U1"),
        (np.array([None, 1.0]), "samples must be numbers, got an array of object"),
        (3.0, "samples need a first axis that counts them"),
        ([], "needed on both sides|needs samples on both sides"),
        ([math.nan] * 20, "hold NaN or infinity|not finite"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(samples, message):
    for distance in (exact_w1, sliced_w1, sinkhorn_divergence, energy_distance, js_divergence, estimate_w1):
        with pytest.raises(ValueError, match=message):
            distance(samples, samples)


def test_samples_far_from_the_origin_lose_no_more_than_their_own_digits():
    offset = torch.tensor([2.0**23, -(2.0**23)])  # float32 holds every integer there and no half
    x, y = (cloud(0, 50) * 10).round().float(), (cloud(1, 40) * 10).round().float()
    for name, distance in ALL.items():
        near, far = float(distance(x, y)), float(distance(x + offset, y + offset))
        assert far == pytest.approx(near, rel=1e-4), name


def test_a_few_far_samples_on_both_sides_leave_the_others_their_digits():
    x, y, far = cloud(0, 200), cloud(1, 200) + 0.1, torch.full((1, 2), 1e9, dtype=torch.float64)
    both = energy_distance(torch.cat([x, far]), torch.cat([y, far]), unbiased=False).value
    # All distances to the far sample cancel but for those of the means, along its direction.
    shift = float((y.mean(0) - x.mean(0)).sum()) / math.sqrt(2)
    known = (energy_distance(x, y, unbiased=False).value * 200**2) / 201**2
    assert both == pytest.approx(known, abs=abs(shift) * 1e-3 + 1e-4)
    near = mmd(x, y, bandwidth=1.0, unbiased=False).value * 200**2 / 201**2
    assert mmd(torch.cat([x, far]), torch.cat([y, far]), bandwidth=1.0, unbiased=False).value == pytest.approx(
        near, rel=1e-6
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_scaling_into_units_loses_nothing_that_counts(values):
    x = torch.tensor(values, dtype=torch.float64)[:, None]
    found, _, unit = scaled(x, x)
    assert float(found.abs().max()) <= 16
    assert math.frexp(unit)[0] == 0.5
    for own, value in zip((found * unit).flatten().tolist(), values):
        assert own == value or abs(own - value) < 1e-290 * max(map(abs, values))

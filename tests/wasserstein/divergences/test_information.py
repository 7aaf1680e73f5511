"""KL, Jensen-Shannon, total variation, Hellinger: by hand, in closed form, by inequalities, and from samples."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import MultivariateNormal
from torch.distributions import kl_divergence as torch_kl

from wganx.wasserstein.divergences import Gaussian, Histogram, hellinger, js_divergence, kl_divergence, total_variation

LOG2 = math.log(2)
SYMMETRIC = (js_divergence, total_variation, hellinger)
ALL = (kl_divergence, *SYMMETRIC)

weights = st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda given: sum(given) > 1e-3)


def histogram(given):
    return Histogram([weight / sum(given) for weight in given])


def gaussian(seed, d=2, device="cpu"):
    draws = torch.Generator().manual_seed(seed)
    root = torch.randn(d, d, generator=draws, dtype=torch.float64)
    mean = torch.randn(d, generator=draws, dtype=torch.float64)
    return Gaussian(mean.to(device), (root @ root.T + 0.3 * torch.eye(d)).to(device))


def test_two_coins_by_hand():
    p, q = Histogram([0.5, 0.5]), Histogram([0.9, 0.1])
    assert kl_divergence(p, q).value == pytest.approx(0.5 * math.log(0.5 / 0.9) + 0.5 * math.log(5), abs=1e-15)
    assert total_variation(p, q).value == pytest.approx(0.4, abs=1e-15)
    overlap = math.sqrt(0.45) + math.sqrt(0.05)
    assert hellinger(p, q).value == pytest.approx(math.sqrt(1 - overlap), abs=1e-15)
    halves = 0.5 * math.log(0.5 / 0.7) + 0.5 * math.log(0.5 / 0.3) + 0.9 * math.log(0.9 / 0.7) + 0.1 * math.log(1 / 3)
    assert js_divergence(p, q).value == pytest.approx(halves / 2, abs=1e-15)
    assert float(total_variation(p, q)) == total_variation(p, q).value
    assert all(measure(p, q).error is None and measure(p, q).method == "exact sum" for measure in ALL)


def test_mass_where_the_other_side_has_none():
    p, q = Histogram([0.5, 0.5, 0]), Histogram([1, 0, 0])
    assert kl_divergence(p, q).value == math.inf
    assert kl_divergence(q, p).value == pytest.approx(LOG2)
    apart = Histogram([1.0, 0]), Histogram([0, 1.0])
    assert [measure(*apart).value for measure in ALL] == [math.inf, pytest.approx(LOG2), 1, 1]


def test_the_smallest_probabilities_are_not_lost():
    p, q = Histogram([5e-324, 1.0]), Histogram([0.0, 1.0])
    assert js_divergence(p, q).value == pytest.approx(0, abs=1e-15)


@settings(max_examples=200, deadline=None)
@given(weights, weights)
def test_the_inequalities_between_them(first, second):
    p, q = histogram(first), histogram(second)
    kl, js, tv, h = (measure(p, q).value for measure in ALL)
    assert kl >= 0
    assert 0 <= js <= LOG2
    assert 0 <= tv <= 1
    assert tv <= math.sqrt(kl / 2) + 1e-9  # Pinsker
    assert h**2 <= tv + 1e-9
    assert tv <= h * math.sqrt(2 - h**2) + 1e-7
    assert js <= LOG2 * tv + 1e-9
    assert js >= h**2 * 0.5 - 1e-9
    for measure in SYMMETRIC:
        assert measure(p, q).value == pytest.approx(measure(q, p).value, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(weights, weights)
def test_zero_between_equals_and_only_there(first, second):
    p, q = histogram(first), histogram(second)
    assert all(measure(p, p).value == pytest.approx(0, abs=1e-12) for measure in ALL)
    if total_variation(p, q).value > 1e-3:
        assert all(measure(p, q).value > 1e-8 for measure in ALL)


@settings(max_examples=100, deadline=None)
@given(weights, weights, weights)
def test_metrics_keep_the_triangle_inequality(first, second, third):
    p, q, r = histogram(first), histogram(second), histogram(third)
    for metric in (lambda a, b: math.sqrt(js_divergence(a, b).value), total_variation, hellinger):
        assert float(metric(p, r)) <= float(metric(p, q)) + float(metric(q, r)) + 1e-7


@pytest.mark.parametrize("seed", range(5))
def test_kl_of_gaussians_is_what_torch_says(seed):
    p, q = gaussian(seed, d=3), gaussian(seed + 100, d=3)
    known = torch_kl(MultivariateNormal(p.mean, p.covariance), MultivariateNormal(q.mean, q.covariance))
    assert kl_divergence(p, q).value == pytest.approx(float(known), rel=1e-10)
    assert kl_divergence(p, p).value == pytest.approx(0, abs=1e-12)


def test_kl_of_gaussians_by_hand():
    # log(s2 / s1) + (s1^2 + m^2) / (2 s2^2) - 1/2
    found = kl_divergence(Gaussian(0.0, 1.0), Gaussian(1.0, 4.0))
    assert found.value == pytest.approx(LOG2 + 2 / 8 - 0.5, abs=1e-14)
    assert found.method == "closed form"


def on_a_grid(p, q, of):
    """``∫ of(p, q)`` on the line."""
    x = torch.linspace(-30, 30, 400_001, dtype=torch.float64)
    a, b = (side.log_density(x[:, None]).exp() for side in (p, q))
    return float(torch.trapezoid(of(a, b), x))


@pytest.mark.parametrize(("mean", "variance"), [(1.0, 4.0), (0.0, 0.25), (2.0, 1.0)])
def test_gaussians_on_the_line_agree_with_integration(mean, variance):
    p, q = Gaussian(0.0, 1.0), Gaussian(mean, variance)
    tv, js, h = total_variation(p, q), js_divergence(p, q), hellinger(p, q)
    assert h.value == pytest.approx(math.sqrt(1 - on_a_grid(p, q, lambda a, b: (a * b).sqrt())), abs=1e-9)
    known_tv = on_a_grid(p, q, lambda a, b: (a - b).abs() / 2)
    assert tv.value == pytest.approx(known_tv, abs=1e-8 if tv.error is None else 4 * tv.error)
    assert (tv.method == "closed form") == (variance == 1)

    def divergence(a, b):
        tiny = 1e-300
        return (a * (2 * (a + tiny) / (a + b + 2 * tiny)).log() + b * (2 * (b + tiny) / (a + b + 2 * tiny)).log()) / 2

    assert js.value == pytest.approx(on_a_grid(p, q, divergence), abs=4 * js.error)
    assert 0 < js.error < 0.002
    assert js == js_divergence(p, q)
    assert js != js_divergence(p, q, seed=5)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_gaussians_keep_the_inequalities_and_do_not_care_who_is_first(seed):
    p, q = gaussian(seed), gaussian(seed + 1)
    kl, h = kl_divergence(p, q).value, hellinger(p, q).value
    assert 0 <= h <= 1
    assert -2 * math.log(1 - h**2) <= kl + 1e-9
    assert hellinger(q, p).value == pytest.approx(h, abs=1e-9)


@pytest.mark.parametrize(
    ("measure", "slack"),
    [(kl_divergence, 0.05), (js_divergence, 0.02), (total_variation, 0.04), (hellinger, 0.03)],
)
def test_samples_come_near_their_gaussians(measure, slack):
    p, q = Gaussian([0.0, 0.0], torch.eye(2)), Gaussian([1.0, 0.0], [[1.5, 0.3], [0.3, 0.8]])
    truth = measure(p, q).value
    few, many = (abs(measure(p.sample(n, 1), q.sample(n, 2)).value - truth) for n in (100, 4000))
    assert many < slack
    assert many < few


@pytest.mark.parametrize("measure", [js_divergence, total_variation])
def test_the_classifier_stays_below_the_truth_on_average(measure):
    p, q = Gaussian([0.0], [1.0]), Gaussian([1.5], [1.0])
    seeds = range(10_000, 10_400, 2)
    found = torch.tensor([measure(p.sample(60, seed), q.sample(90, seed + 1), seed=seed).value for seed in seeds])
    assert float(found.mean()) < measure(p, q).value
    alike = torch.tensor([measure(p.sample(60, seed), p.sample(90, seed + 1), seed=seed).value for seed in seeds])
    assert float(alike.mean()) < 3 * float(alike.std()) / len(alike) ** 0.5


def coins(chance, seed, n=1000):
    return (torch.rand(n, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) < chance).double()


@pytest.mark.parametrize("move", [0.0, 0.1, 1.7e9])
def test_samples_that_repeat_are_counted_by_whole_ties(move):
    p, q = Histogram([0.7, 0.3]), Histogram([0.3, 0.7])
    for seed in range(5):
        x, y = coins(0.3, seed) + move, coins(0.7, seed + 100) + move
        js, tv = js_divergence(x, y, seed=seed), total_variation(x, y, seed=seed)
        assert js.value == pytest.approx(js_divergence(p, q).value, abs=4 * js.error)
        assert tv.value == pytest.approx(total_variation(p, q).value, abs=4 * tv.error)
        # Which row comes first is no news.
        order = x[:, 0].argsort()
        again = js_divergence(x[order], y[y[:, 0].argsort(descending=True)], seed=seed)
        assert again.value == pytest.approx(js.value, abs=4 * js.error)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3), st.integers(4, 200))
def test_js_of_samples_leaves_its_range_by_no_more_than_its_error(seed, values, d, n):
    draws = torch.Generator().manual_seed(seed)
    x, y = (torch.randint(values, (n, d), generator=draws).double() * 0.3 for _ in range(2))
    for left, right in ((x, y), (x, x), (x, y + 50)):
        found = js_divergence(left, right)
        assert -found.error <= found.value <= LOG2 + found.error


def test_samples_far_apart_are_told_apart():
    x, y = Gaussian([0.0], [1.0]).sample(400, 1), Gaussian([50.0], [1.0]).sample(400, 2)
    assert total_variation(x, y).value == 1
    assert LOG2 - 0.05 < js_divergence(x, y).value < LOG2
    assert hellinger(x, y).value > 0.95
    assert kl_divergence(x, y).value > 3


def test_samples_of_any_rank_and_precision():
    x, y = (Gaussian([0.0] * 4, torch.eye(4)).sample(50, seed) for seed in (1, 2))
    for measure in ALL:
        folded = measure(x.reshape(50, 2, 2).float(), y.reshape(50, 2, 2).float()).value
        assert folded == pytest.approx(measure(x, y).value, rel=1e-4, abs=1e-6)


def test_what_has_no_density_is_refused_where_one_is_needed():
    x, y = torch.zeros(20, 1), torch.ones(20, 1)
    for measure in (kl_divergence, hellinger):
        with pytest.raises(ValueError, match=r"occurs 5 times or more, so it was not drawn from a density; use js_"):
            measure(x, y)
    assert total_variation(x, y).value == 1


@pytest.mark.parametrize("measure", ALL)
@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        (Histogram([1.0]), Gaussian(0.0, 1.0), "cannot compare a Histogram with a Gaussian: give two histograms"),
        (torch.zeros(9, 1), Gaussian(0.0, 1.0), r"cannot compare a Tensor with a Gaussian.*Gaussian\.sample\(n\)"),
        (Histogram([1.0]), Histogram([0.5, 0.5]), r"different bins \(1 and 2, or at other points\); put both on the"),
        (Histogram([1.0]), Histogram([1.0], torch.tensor([[7.0]])), "different bins"),
        (Gaussian(0.0, 1.0), Gaussian([0.0, 0.0], torch.eye(2)), "the Gaussians have 1 and 2 dimensions"),
        (torch.zeros(3, 1), torch.zeros(9, 1), r"at least \d samples are needed on both sides, got 3 and 9"),
        (torch.zeros(9, 1), torch.zeros(9, 2), "samples differ in size: 1 and 2 values each"),
        (torch.full((9, 1), math.nan), torch.zeros(9, 1), "samples hold values that are not finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(measure, p, q, message):
    with pytest.raises(ValueError, match=message):
        measure(p, q)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Histogram([0.5, 0.6]), r"not negative and sum to 1, got shape \(2,\) of sum 1.1; divide counts"),
        (lambda: Histogram([1.5, -0.5]), "not negative and sum to 1"),
        (lambda: Histogram([math.nan, 1.0]), "not negative and sum to 1"),
        (lambda: Histogram([]), "not negative and sum to 1"),
        (lambda: Histogram([0.5, 0.5], [1.0]), "a histogram of 2 bins needs as many finite points, got 1"),
        (lambda: Histogram([0.5, 0.5], [1.0, math.inf]), "needs as many finite points"),
        (lambda: Gaussian([0.0, 0.0], 1.0), r"a mean of 2 values needs a covariance of shape \(2, 2\), got \(\)"),
        (lambda: Gaussian(0.0, -1.0), "symmetric and positive definite, or the Gaussian has no density"),
        (lambda: Gaussian([0.0, 0.0], [[1.0, 0.5], [0.1, 1.0]]), "symmetric and positive definite"),
        (lambda: Gaussian(0.0, math.nan), "symmetric and positive definite"),
        (lambda: Gaussian([0.0, 0.0], [[1e-12, 5e-13], [1e-13, 1e-12]]), "symmetric and positive definite"),
    ],
)
def test_what_is_no_distribution_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()

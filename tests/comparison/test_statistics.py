"""The statistics of a few seeds against computations that share no code with them."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from wganx.comparison.statistics import (
    bootstrap_interval,
    chance_to_beat,
    correlation,
    difference,
    median_of_all,
    sign_flip_p,
    summarise,
    t_interval,
    welch_interval,
    wilson_interval,
)

VALUES = [12.1, 13.4, 11.8, 12.9, 14.2, 12.2, 13.0, 11.5, 12.6, 13.9, 12.3, 13.1]
OTHERS = [13.0, 13.9, 12.6, 13.1, 15.1, 12.9, 13.2, 12.4, 13.8, 14.0, 13.3, 13.9]


@pytest.mark.parametrize("n", range(3, 13))
def test_the_t_interval_is_that_of_scipy(n):
    own = VALUES[:n]
    wanted = stats.ttest_1samp(own, 0.0).confidence_interval(0.95)
    assert t_interval(own) == pytest.approx((wanted.low, wanted.high))


def test_below_three_there_is_no_interval_and_from_ten_a_bootstrap_beside_it():
    assert summarise([]).mean is None
    assert summarise([1.0]) == (type(summarise([])))(1, 1.0, None, None, None)
    assert summarise([1.0, 2.0]).t is None
    assert summarise([1.0, 2.0]).sd == pytest.approx(math.sqrt(0.5))
    assert summarise(VALUES[:3]).t is not None
    assert summarise(VALUES[:9]).bootstrap is None
    assert summarise(VALUES[:10]).bootstrap is not None
    assert bootstrap_interval([1.0] * 12) is None


def test_the_bootstrap_is_bca_and_always_the_same():
    """Efron's formula, written out: bias from the share below the mean, acceleration from the jackknife."""
    own = np.array([*VALUES, 19.0, 25.0])  # skewed, so that BCa is far from the plain percentiles
    draws = np.random.default_rng(5).choice(own, (200_000, len(own))).mean(axis=1)
    bias = stats.norm.ppf((draws < own.mean()).mean())
    without = np.array([np.delete(own, i).mean() for i in range(len(own))])
    away = without.mean() - without
    acceleration = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    ends = [
        np.quantile(draws, stats.norm.cdf(bias + (bias + z) / (1 - acceleration * (bias + z))))
        for z in stats.norm.ppf([0.025, 0.975])
    ]
    found = bootstrap_interval(own.tolist())
    assert found == pytest.approx(ends, rel=0.01)
    assert found[1] > np.quantile(draws, 0.975) + 0.05
    assert bootstrap_interval(own.tolist()) == found


@pytest.mark.parametrize(("count", "of"), [(0, 3), (1, 3), (3, 3), (0, 10), (2, 10), (7, 21)])
def test_the_wilson_interval_is_that_of_scipy(count, of):
    wanted = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert wilson_interval(count, of) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_no_failure_of_few_leaves_a_large_rate():
    assert wilson_interval(0, 3) == (0.0, pytest.approx(0.56, abs=0.005))
    assert wilson_interval(0, 10) == (0.0, pytest.approx(0.28, abs=0.005))
    assert wilson_interval(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_welch_and_pairs_are_those_of_scipy(n):
    a, b = VALUES[:n], OTHERS[: n - 1 if n > 3 else n]
    wanted = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    assert welch_interval(a, b) == pytest.approx((wanted.low, wanted.high))
    found = difference(dict(enumerate(VALUES[:n])), dict(enumerate(OTHERS[:n])))
    paired = stats.ttest_rel(VALUES[:n], OTHERS[:n]).confidence_interval(0.95)
    assert found.paired == pytest.approx((paired.low, paired.high))
    assert found.correlation == pytest.approx(stats.pearsonr(VALUES[:n], OTHERS[:n]).statistic)
    assert found.mean == pytest.approx(found.paired_mean)


def test_only_seeds_that_both_have_are_pairs():
    found = difference({0: 1.0, 1: 2.0, 2: 4.0, 7: 100.0}, {0: 0.5, 1: 1.0, 2: 2.0, 3: 3.0})
    assert found.pairs == 3
    assert found.paired_mean == pytest.approx((0.5 + 1 + 2) / 3)
    assert found.mean == pytest.approx(107 / 4 - 6.5 / 4)
    nothing = difference({}, {0: 1.0})
    assert (nothing.mean, nothing.paired_mean, nothing.paired, nothing.unpaired, nothing.pairs) == (None,) * 4 + (0,)


def test_values_that_never_vary_give_no_correlation_and_no_interval_by_welch():
    assert correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]) is None
    assert correlation([1.0, 2.0], [1.0, 2.0]) is None
    assert welch_interval([1.0] * 3, [2.0] * 3) is None
    assert welch_interval([1.0] * 3, [2.0, 3.0, 4.0]) is not None
    assert welch_interval([1.0, 2.0], [2.0, 3.0, 4.0]) is None


def by_all_flips(differences):
    """The two-sided exact p: twice the smaller tail over every choice of signs."""
    seen = np.mean(differences)
    means = [
        np.mean([s * d for s, d in zip(signs, differences)]) for signs in product((1, -1), repeat=len(differences))
    ]
    tails = [np.mean([m >= seen - 1e-12 for m in means]), np.mean([m <= seen + 1e-12 for m in means])]
    return min(1.0, 2 * min(tails))


@pytest.mark.parametrize("n", [6, 7, 8, 10])
def test_the_sign_flip_test_is_exact(n):
    apart = np.random.default_rng(n).normal(0.5, 1, n).tolist()
    assert sign_flip_p(apart) == pytest.approx(by_all_flips(apart))


def test_the_least_p_of_six_pairs_and_none_below():
    assert sign_flip_p([1.0, 2, 3, 4, 5, 6]) == pytest.approx(2 / 2**6)
    assert sign_flip_p([1.0, 2, 3, 4, 5]) is None
    assert 0 < sign_flip_p([0.1 + i for i in range(20)]) < 0.001  # drawn flips, not all of a million


def test_the_chance_to_beat_is_the_rank_statistic():
    found = chance_to_beat(VALUES, OTHERS, "lower")
    u = stats.mannwhitneyu(OTHERS, VALUES).statistic
    assert found.probability == pytest.approx(u / (len(VALUES) * len(OTHERS)))
    assert found.pairs == 144
    other_way = chance_to_beat(VALUES, OTHERS, "higher")
    assert found.wins + found.ties + other_way.wins == 144


def test_a_run_that_failed_loses_to_any_that_did_not():
    found = chance_to_beat([1.0, 2.0], [3.0], "lower", failed_a=1, failed_b=1)
    assert (found.wins, found.ties, found.pairs) == (4, 1, 6)
    assert found.probability == 0.75
    assert chance_to_beat([], [], "higher", failed_a=3, failed_b=3).probability == 0.5
    assert chance_to_beat([5.0], [], "higher", failed_b=3).wins == 3


def test_the_median_counts_failures_as_worst():
    assert median_of_all([1.0, 2.0], 1, "lower") == 2.0
    assert median_of_all([1.0, 2.0], 1, "higher") == 1.0
    assert median_of_all([1.0], 2, "lower") == math.inf
    assert median_of_all([1.0], 2, "higher") == -math.inf
    assert median_of_all([1.0, 3.0], 0, "lower") == 2.0
    assert median_of_all([1.0], 1, "lower") == math.inf
    assert math.isnan(median_of_all([], 0, "lower"))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9), st.integers(0, 4))
def test_failures_only_ever_worsen_the_median(values, failed):
    assert median_of_all(values, failed, "lower") >= median_of_all(values, 0, "lower")
    assert median_of_all(values, failed, "higher") <= median_of_all(values, 0, "higher")

"""What a handful of seeds allows to be said: intervals, differences and shares, as pure functions.

Simulated for 95 %: the percentile bootstrap of a mean covers 76 % at 3 seeds and 90 % at 10, the t interval 95 % at
each. So from 3 seeds on there is a t interval, from 10 a BCa bootstrap beside it, and below 3 none. A run that failed
has no value: it counts apart, with a Wilson interval, and as the worst of all where ranks alone are asked for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

CONFIDENCE = 0.95
FEWEST_FOR_T, FEWEST_FOR_BOOTSTRAP, FEWEST_FOR_SIGN_FLIP = 3, 10, 6
_RESAMPLES = 9_999

Better = Literal["lower", "higher"]
Ends = tuple[float, float]


@dataclass(frozen=True)
class Summary:
    """The finished runs of one variant in one number.

    Attributes:
        mean: of the finished runs; None where there is none.
        sd: their standard deviation with n - 1; None below 2.
        t: ends of the 95 % t interval of the mean; None below 3.
        bootstrap: ends of the 95 % BCa interval; None below 10, and where all values are alike.
    """

    n: int
    mean: float | None
    sd: float | None
    t: Ends | None
    bootstrap: Ends | None


@dataclass(frozen=True)
class Difference:
    """Variant minus baseline, in the units of the metric.

    Attributes:
        mean: of the finished runs of one less that of the other; None where either has none.
        unpaired: ends of Welch's 95 % interval; None where either has fewer than 3 runs, or neither varies.
        pairs: seeds at which both finished.
        paired_mean: of the differences at these seeds; None without any.
        paired: ends of their 95 % t interval; None below 3 pairs.
        correlation: of both over the pairs: near 0, pairing buys nothing. None below 3 pairs or where one never varies.
        p: of the exact two-sided sign-flip test; None below 6 pairs.
    """

    mean: float | None
    unpaired: Ends | None
    pairs: int
    paired_mean: float | None
    paired: Ends | None
    correlation: float | None
    p: float | None


@dataclass(frozen=True)
class Chance:
    """How often a run of one variant beats a run of another: in `wins` of `pairs`, and `ties` in neither way."""

    wins: int
    ties: int
    pairs: int

    @property
    def probability(self) -> float:
        """A tie counts half."""
        return (self.wins + self.ties / 2) / self.pairs


def summarise(values: Sequence[float]) -> Summary:
    """Mean, spread and interval of finite values, each where there are enough for it."""
    n = len(values)
    if not n:
        return Summary(0, None, None, None, None)
    sd = float(np.std(values, ddof=1)) if n > 1 else None
    return Summary(n, float(np.mean(values)), sd, t_interval(values), bootstrap_interval(values))


def t_interval(values: Sequence[float]) -> Ends | None:
    """Ends of the 95 % Student interval of the mean, ``mean ± t s / √n``; None below 3 values."""
    from scipy.stats import t

    n = len(values)
    if n < FEWEST_FOR_T:
        return None
    mean = float(np.mean(values))
    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * float(np.std(values, ddof=1)) / math.sqrt(n)
    return mean - half, mean + half


def bootstrap_interval(values: Sequence[float]) -> Ends | None:
    """Ends of the 95 % BCa bootstrap interval of the mean (Efron, 1987), always with the same resamples.

    None below 10 values, and where all are alike.
    """
    from scipy.stats import bootstrap

    if len(values) < FEWEST_FOR_BOOTSTRAP or min(values) == max(values):
        return None
    found = bootstrap(
        (np.asarray(values, dtype=np.float64),), np.mean, confidence_level=CONFIDENCE, n_resamples=_RESAMPLES,
        method="BCa", rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def wilson_interval(count: int, of: int) -> Ends:
    """Ends of the 95 % Wilson score interval of a share; ``(0, 1)`` of none: 0 failures of 3 leave up to 0.56."""
    from scipy.stats import norm

    if not of:
        return 0.0, 1.0
    z, share = float(norm.ppf((1 + CONFIDENCE) / 2)), count / of
    middle = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    # At 0 and at all of them an end is exact, and rounding must not move it.
    return (0.0 if count == 0 else middle - half), (1.0 if count == of else middle + half)


def median_of_all(values: Sequence[float], failed: int, better: Better) -> float:
    """The median of all runs, those that failed counted as worse than any: infinite where it falls among them.

    ``nan`` without any run.
    """
    worst = math.inf if better == "lower" else -math.inf
    every = sorted([*values, *[worst] * failed])
    if not every:
        return math.nan
    low, high = every[(len(every) - 1) // 2], every[len(every) // 2]
    return low if low == high else (low + high) / 2


def difference(variant: Mapping[int, float], baseline: Mapping[int, float]) -> Difference:
    """What lies between two variants; each gives the values of its finished runs by seed."""
    a, b = list(variant.values()), list(baseline.values())
    seeds = [seed for seed in variant if seed in baseline]
    apart = [variant[seed] - baseline[seed] for seed in seeds]
    return Difference(
        mean=float(np.mean(a) - np.mean(b)) if a and b else None,
        unpaired=welch_interval(a, b),
        pairs=len(seeds),
        paired_mean=float(np.mean(apart)) if apart else None,
        paired=t_interval(apart),
        correlation=correlation([variant[seed] for seed in seeds], [baseline[seed] for seed in seeds]),
        p=sign_flip_p(apart),
    )


def welch_interval(a: Sequence[float], b: Sequence[float]) -> Ends | None:
    """Ends of Welch's 95 % interval of ``mean(a) - mean(b)``; None where either has fewer than 3, or neither varies."""
    from scipy.stats import t

    if min(len(a), len(b)) < FEWEST_FOR_T:
        return None
    own = [float(np.var(values, ddof=1)) / len(values) for values in (a, b)]
    if not sum(own):
        return None
    freedom = sum(own) ** 2 / sum(part**2 / (len(values) - 1) for part, values in zip(own, (a, b)))
    middle = float(np.mean(a) - np.mean(b))
    half = float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * math.sqrt(sum(own))
    return middle - half, middle + half


def correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    """Pearson's, of values that belong together; None below 3 pairs or where one side never varies."""
    if len(a) < 3 or min(a) == max(a) or min(b) == max(b):
        return None
    return float(np.corrcoef(a, b)[0, 1])


def sign_flip_p(differences: Sequence[float]) -> float | None:
    """The two-sided p of the sign-flip test of paired differences; None below 6 pairs.

    Exact up to 13 pairs, by 9,999 drawn flips beyond. The least it can be is ``2 / 2^n``: 0.25 at 3 pairs, 0.031 at 6,
    so that with fewer than 6 it could never fall below 0.05.
    """
    from scipy.stats import permutation_test

    if len(differences) < FEWEST_FOR_SIGN_FLIP:
        return None
    found = permutation_test(
        (np.asarray(differences, dtype=np.float64),), np.mean, permutation_type="samples", vectorized=True,
        n_resamples=_RESAMPLES, alternative="two-sided", rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(found.pvalue)


def chance_to_beat(
    a: Sequence[float], b: Sequence[float], better: Better, *, failed_a: int = 0, failed_b: int = 0
) -> Chance:
    """In how many pairs of a run of `a` and one of `b` the first is better; one that failed loses to any that did not.

    Two that failed are a tie. The share is the probability of improvement of Agarwal et al., 2021.
    """
    sign, worst = (1, math.inf) if better == "lower" else (-1, math.inf)
    ours = [*(sign * value for value in a), *[worst] * failed_a]
    theirs = [*(sign * value for value in b), *[worst] * failed_b]
    wins = sum(one < other for one in ours for other in theirs)
    ties = sum(one == other for one in ours for other in theirs)
    return Chance(wins, ties, len(ours) * len(theirs))

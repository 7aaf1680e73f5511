"""Distances between sets: intervals that cover, floors from blocks that do not meet, and a plausible order."""

import math
import time
from functools import partial

import pytest
import torch

from wganx.errors import DataError, UsageError
from wganx.evaluation import SampleSet, distance, measure_distances
from wganx.evaluation.distance import METHODS, interval, plan
from wganx.evaluation.samples import random_rows


def sample_set(name, rows):
    return SampleSet(name, len(rows), lambda count, seed: rows[random_rows(len(rows), count, seed)])


def normal(seed, n, d=1, shift=0.0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift


def test_the_t_interval_by_hand():
    found = interval([1.0, 2.0, 3.0])
    half = 4.302653 / math.sqrt(3)  # t of 2 degrees of freedom, s = 1
    assert found.mean == 2
    assert (found.low, found.high) == pytest.approx((2 - half, 2 + half), abs=1e-6)


def test_the_intervals_cover_the_expected_distance_of_n_draws():
    """Of 200 analyses of new data, 95 % hold E W1(P_n, Q_n) in their interval, within 3 binomial standard errors."""
    n, repeats, trials = 12, 5, 200
    draws = torch.Generator().manual_seed(7)
    x = torch.randn(40_000, n, generator=draws, dtype=torch.float64).sort(dim=1).values
    y = torch.randn(40_000, n, generator=draws, dtype=torch.float64).sort(dim=1).values
    within = float((x - y).abs().mean())  # on the line the optimal plan matches sorted rows
    between = float((x - (2 * y + 0.5)).abs().mean())
    covered = {"between": 0, "floor_a": 0, "floor_b": 0, "excess": 0}
    truth = {"between": between, "floor_a": within, "floor_b": 2 * within, "excess": between - 1.5 * within}
    for trial in range(trials):
        a = sample_set("a", normal(3 * trial + 1000, 2 * repeats * n))
        b = sample_set("b", 2 * normal(3 * trial + 1001, 2 * repeats * n) + 0.5)
        row = measure_distances(a, b, methods=["exact-w1"], n=n, repeats=repeats, seed=trial).rows[0]
        for part, value in truth.items():
            found = getattr(row, part)
            covered[part] += found.low <= value <= found.high
    allowed = 3 * math.sqrt(trials * 0.95 * 0.05)
    for part, count in covered.items():
        assert abs(count - 0.95 * trials) <= allowed, (part, count)


def test_halves_are_nearer_than_a_blurred_copy_and_that_is_nearer_than_another_set():
    base = normal(0, 1600, d=6)
    blurred = base[800:] + 0.8 * normal(1, 800, d=6)
    other = normal(2, 800, d=6, shift=2.0)
    first = sample_set("first", base[:800])
    found = {
        name: measure_distances(first, sample_set(name, rows), methods=[*METHODS][:7], n=40, repeats=4)
        for name, rows in {"half": base[800:], "blurred": blurred, "other": other}.items()
    }
    for half, near, far in zip(*(report.rows for report in found.values())):
        assert half.between.low < half.floor_a.high, half.method
        assert half.between.high > half.floor_a.low, half.method
        assert half.between.mean < near.between.mean < far.between.mean, half.method
        assert far.between.low > far.floor_a.high, half.method
        assert half.excess.low < 0 < half.excess.high, half.method
        assert half.excess.mean < near.excess.mean < far.excess.low, half.method
        assert 0.7 < half.ratio < 1.4 < far.ratio, half.method


@pytest.mark.slow
def test_the_critics_read_it_too(monkeypatch):
    """With a fraction of their steps, which leaves the readings in order."""
    for name in ("estimate_w1", "bracket_w1"):
        monkeypatch.setattr(distance, name, partial(getattr(distance, name), steps=60, device="cpu"))
    a, b = sample_set("a", normal(0, 400, d=2)), sample_set("b", normal(1, 400, d=2, shift=3.0))
    report = measure_distances(a, b, methods=["orthogonal", "bracket"], repeats=2)
    found = {row.method: row for row in report.rows}
    assert list(found) == ["orthogonal", "bracket lower", "bracket point", "bracket upper"]
    for row in report.rows:
        assert row.between.mean > 2 * abs(row.floor_a.mean)
    # Blocks of 200 samples: the readings below and above meet where the best critic is a plane, up to their noise.
    assert found["bracket lower"].between.mean < 1.05 * found["bracket upper"].between.mean
    assert found["bracket upper"].between.mean == pytest.approx(3 * math.sqrt(2), rel=0.1)


def test_the_blocks_do_not_meet():
    seen = []
    rows_a, rows_b = torch.arange(80.0)[:, None], torch.arange(100.0, 190.0)[:, None]

    def watching(x, y, seed, scale):
        seen.append((x, y))
        return {"seen": float((x.mean() - y.mean()).abs())}

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METHODS, "seen", watching)
        report = measure_distances(sample_set("a", rows_a), sample_set("b", rows_b), methods=["seen"], repeats=5)
    assert (report.n, report.repeats) == (8, 5)
    between, floor_a, floor_b = seen[:5], seen[5:10], seen[10:]
    assert torch.cat([x for x, _ in between] + [y for _, y in floor_a]).unique().numel() == 80
    assert torch.cat([y for _, y in between] + [y for _, y in floor_b]).unique().numel() == 80
    for pair in (*floor_a, *floor_b):
        assert torch.cat(pair).unique().numel() == 16


def test_a_long_method_says_how_long_before_it_starts(monkeypatch):
    a, b = sample_set("a", normal(0, 1000)), sample_set("b", normal(1, 1000))
    said, seen = [], []

    def slow(x, y, seed, scale):
        time.sleep(1e-6 * len(x) ** 2)
        seen.append(len(said))
        return {"slow": 1.0}

    monkeypatch.setitem(METHODS, "slow", slow)
    monkeypatch.setitem(distance.GROWTH, "slow", 2.0)
    measure_distances(a, b, methods=["slow"], n=200, repeats=2, tell=said.append)
    assert said == []  # small blocks are measured sooner than foretold
    monkeypatch.setattr(distance, "PROBE", 40)
    monkeypatch.setattr(distance, "LONG", 0.05)
    seen.clear()
    measure_distances(a, b, methods=["slow"], n=200, repeats=2, tell=said.append)
    assert said == ["slow: about 0 seconds for 6 distances of 200 rows; a smaller --n or --repeats takes less"]
    assert seen == [0, 0, *[1] * 6]


def test_what_is_left_is_said_while_it_is_measured(monkeypatch):
    a, b, said = sample_set("a", normal(0, 100)), sample_set("b", normal(1, 100)), []
    clock = iter(range(0, 100_000, 100))
    monkeypatch.setattr(distance.time, "perf_counter", lambda: float(next(clock)))
    monkeypatch.setitem(METHODS, "some", lambda x, y, seed, scale: {"some": 1.0})
    measure_distances(a, b, methods=["some"], n=10, repeats=2, watch=said.append)
    assert said[0] == "some: A and B, 1 of 2"
    assert said[1].startswith("some: A and B, 2 of 2; about ")
    assert said[1].endswith(" minutes left")


def test_the_seed_decides_and_is_reported():
    a, b = sample_set("a", normal(0, 100, d=2)), sample_set("b", normal(1, 100, d=2))
    first, again, other = (measure_distances(a, b, methods=["sliced-w1"], seed=seed) for seed in (0, 0, 1))
    assert first.rows[0].between == again.rows[0].between != other.rows[0].between
    data = other.to_json()
    assert (data["seed"], data["n"], data["repeats"], data["shape"], data["dim"]) == (1, 12, 4, (2,), 2)
    assert data["versions"]["torch"] == torch.__version__.split("+")[0] or data["versions"]["torch"]
    assert "between 12 draws of A and of B, which in 2 dimensions lies above" in other.sentence()


@pytest.mark.parametrize(
    ("sizes", "n", "repeats", "planned"),
    [
        ((60_000, 60_000), None, None, (500, 10)),
        ((4_000, 60_000), None, None, (200, 10)),
        ((500, 500), None, None, (50, 5)),
        ((100, 500), None, None, (12, 4)),
        ((500, 500), 100, None, (100, 2)),
        ((500, 500), None, 2, (125, 2)),
        ((500, 500), 25, 10, (25, 10)),
        ((None, 500), None, None, (50, 5)),
        ((None, None), None, None, (500, 10)),
        ((None, None), 2000, 20, (2000, 20)),
    ],
)
def test_blocks_are_planned_to_fit(sizes, n, repeats, planned):
    assert plan(dict(zip("ab", sizes)), n, repeats) == planned


@pytest.mark.parametrize(
    ("size", "n", "repeats", "message"),
    [
        (15, None, None, "b has 15 rows, and an interval with its floor needs 16: 8 disjoint blocks of 2; give more"),
        (100, 40, None, "b has 100 rows, and an interval with its floor needs 160: 4 disjoint blocks of 40"),
        (100, 20, 10, r"needs 400: 20 disjoint blocks of 20; give more samples, or a smaller --n or --repeats"),
        (100, None, 80, "needs 320: 160 disjoint blocks of 2"),
    ],
)
def test_too_few_rows_are_refused(size, n, repeats, message):
    with pytest.raises(DataError, match=message):
        plan({"a": 1000, "b": size}, n, repeats)


def test_other_refusals():
    a, b = sample_set("a", normal(0, 100, d=2)), sample_set("b", normal(1, 100, d=3))
    with pytest.raises(
        DataError, match=r"samples differ in shape: \(2,\) in a and \(3,\) in b; bring both to one shape"
    ):
        measure_distances(a, b)
    with pytest.raises(UsageError, match=r"no method named 'exact-w2'; offered: exact-w1, .*; did you mean 'exact-w1'"):
        measure_distances(a, b, methods=["exact-w2"])
    with pytest.raises(UsageError, match="A and B are both a; the floor columns of any comparison already say"):
        measure_distances(a, a)
    still = torch.zeros(100, 2)
    with pytest.raises(DataError, match="mmd: bandwidth must be above 0"):
        measure_distances(sample_set("a", still), sample_set("b", still), methods=["mmd"])


def test_without_a_floor_there_is_no_ratio():
    a, b = sample_set("a", torch.zeros(100, 2)), sample_set("b", torch.ones(100, 2))
    row = measure_distances(a, b, methods=["exact-w1"]).rows[0]
    assert row.between.mean == pytest.approx(math.sqrt(2))
    assert row.between.low == row.between.high
    assert row.ratio is None

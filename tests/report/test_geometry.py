"""From readings to paths."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from wganx.records.thinning import Curve
from wganx.report.geometry import DEPTH, band, dots, keep, nice_marks, path, running_mean, smoothing_window

readings = arrays(
    np.float64,
    st.integers(1, 400),
    elements=st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))),
)


@given(readings, st.integers(3, 90))
def test_decimation_keeps_every_extreme_every_end_and_its_limit(values: NDArray[np.float64], most: int) -> None:
    kept = keep(values, most)
    assert len(kept) <= max(most, 5)
    assert np.all(np.diff(kept) > 0)
    assert (kept[0], kept[-1]) == (0, len(values) - 1)
    finite = values[np.isfinite(values)]
    if len(finite):
        assert np.nanmin(values[kept]) == finite.min()
        assert np.nanmax(values[kept]) == finite.max()
    assert np.isnan(values[kept]).any() == np.isnan(values).any()


def test_decimation_keeps_a_lone_spike_among_a_million() -> None:
    values = np.zeros(1_000_000)
    values[777_777] = 5.0
    kept = keep(values, 2_000)
    assert 777_777 in kept
    assert len(kept) <= 2_000


def test_dots_and_bands_by_hand() -> None:
    steps = np.array([10, 20, 30], dtype=np.int64)
    values = np.array([1.0, np.nan, 0.0])
    assert dots(steps, values, 10, 0.0, 1.0) == f"M0 0l0 0M20 {DEPTH}l0 0"
    lower, upper = Curve(steps, values - 1), Curve(steps, values)
    assert band(lower, upper, 10, -1.0, 1.0) == f"M0 0L20 {round(DEPTH / 2)}L20 {DEPTH}L0 {round(DEPTH / 2)}Z"
    assert band(Curve(steps, values * np.nan), upper, 10, -1.0, 1.0) == ""


def test_a_path_by_hand() -> None:
    steps = np.array([10, 20, 30], dtype=np.int64)
    assert path(steps, np.array([0.0, 1.0, 0.5]), 10, 0.0, 1.0) == f"M0 {DEPTH}l10-{DEPTH} 10 {round(DEPTH / 2)}"


@given(readings, st.sampled_from([1, 3, 5, 11]))
def test_the_running_mean_stays_between_its_readings(values: NDArray[np.float64], window: int) -> None:
    mean = running_mean(values, min(window, len(values)))
    np.testing.assert_array_equal(np.isnan(mean), np.isnan(values))
    half = window // 2
    for index in np.flatnonzero(np.isfinite(values)):
        near = values[max(0, index - half) : index + half + 1]
        assert np.nanmin(near) - 1e-6 <= mean[index] <= np.nanmax(near) + 1e-6


def test_the_running_mean_by_hand_shrinks_at_the_ends() -> None:
    mean = running_mean(np.array([1.0, 2.0, 6.0, np.nan, 10.0]), 3)
    np.testing.assert_allclose(mean, [1.5, 3.0, 4.0, np.nan, 10.0])


@pytest.mark.parametrize(("count", "window"), [(1, 1), (39, 1), (40, 5), (400, 11), (2_000, 51), (10**6, 501)])
def test_few_readings_are_not_smoothed_and_windows_are_odd(count: int, window: int) -> None:
    assert smoothing_window(count) == window


@given(st.floats(-1e12, 1e12), st.floats(1e-6, 1e12), st.integers(2, 8))
def test_marks_enclose_the_range_evenly(low: float, width: float, about: int) -> None:
    high = low + max(width, abs(low) * 1e-6)
    marks = nice_marks(low, high, about)
    gap = marks[1] - marks[0]
    assert marks[0] <= low + 1e-6 * gap
    assert marks[-1] >= high - 1e-6 * gap
    assert 2 <= len(marks) <= about + 3
    np.testing.assert_allclose(np.diff(marks), gap, rtol=1e-6)

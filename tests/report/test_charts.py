from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from wganx.report.charts import (
    DEPTH,
    StepAxis,
    _apart,
    draw,
    figure,
    keep,
    nice_marks,
    path,
    running_mean,
    smoothing_window,
    step_axis,
)
from wganx.report.reading import Curve

readings = arrays(
    np.float64,
    st.integers(1, 400),
    elements=st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))),
)


def curve(values: list[float] | NDArray[np.float64], start: int = 0, every: int = 1) -> Curve:
    array = np.asarray(values, dtype=np.float64)
    return Curve(start + every * np.arange(len(array), dtype=np.int64), array)


def read_back(text: str, first: int, low: float, high: float) -> list[list[tuple[int, float]]]:
    """The strokes of a path as (step, value) points: what the page's script does."""
    strokes = []
    for piece in text.split("M")[1:]:
        numbers = [int(found) for found in re.findall(r"-?\d+", piece)]
        points = [(numbers[0], numbers[1])]
        for right, down in zip(numbers[2::2], numbers[3::2]):
            points.append((points[-1][0] + right, points[-1][1] + down))
        strokes.append([(first + x, high - y / DEPTH * (high - low)) for x, y in points])
    return strokes


@given(readings, st.integers(3, 90))
def test_decimation_keeps_every_extreme_every_end_and_its_limit(values: NDArray[np.float64], most: int) -> None:
    kept = keep(values, most)
    assert len(kept) <= max(most, 3) + 2
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
    kept = keep(values)
    assert 777_777 in kept
    assert len(kept) <= 2_002


@given(readings.filter(lambda values: bool(np.isfinite(values).any())))
def test_a_path_is_the_data_to_a_65535th_of_the_axis(values: NDArray[np.float64]) -> None:
    shown = curve(values, start=50, every=10)
    chart = draw("loss", "", [("loss", shown)], step_axis([shown]))
    strokes = read_back(chart.lines[0].raw, 50, chart.low, chart.high)
    points = {point for stroke in strokes for point in stroke}
    finite = np.isfinite(values)
    assert sorted({step for step, _ in points}) == shown.steps[finite].tolist()
    tolerance = (chart.high - chart.low) / DEPTH
    for step, value in points:
        assert value == pytest.approx(values[(step - 50) // 10], abs=tolerance)


def test_nan_lifts_the_pen_and_is_marked_with_its_step() -> None:
    nan = float("nan")
    shown = curve([1.0, 2.0, nan, 4.0, nan, nan, 7.0, 8.0], every=5)
    chart = draw("loss", "", [("loss", shown)], step_axis([shown]))
    strokes = read_back(chart.lines[0].raw, 0, chart.low, chart.high)
    assert [[step for step, _ in stroke] for stroke in strokes] == [[0, 5], [15, 15], [30, 35]]
    assert chart.gaps == (10, 20, 25)
    assert "3 readings not finite" in chart.summary


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


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-12, 1e30])
def test_a_flat_line_still_has_an_axis_around_it(value: float) -> None:
    shown = curve([value, value])
    chart = draw("flat", "", [("flat", shown)], StepAxis(0, 1, ()))
    assert chart.low < value < chart.high


def test_the_target_is_on_the_axis_even_where_no_reading_is() -> None:
    shown = curve([3.0, 4.0])
    chart = draw("norm", "", [("norm", shown)], step_axis([shown]), target=1.0)
    assert chart.low <= 1.0
    assert chart.target is not None
    assert chart.target.place == pytest.approx(100 * (chart.high - 1) / (chart.high - chart.low), abs=1e-3)


def test_the_step_axis_spans_all_curves() -> None:
    axis = step_axis([curve([1, 2], start=50, every=50), curve([1, 2], start=10, every=190)])
    assert (axis.first, axis.span) == (10, 190)
    assert [(tick.label, tick.place) for tick in axis.ticks] == [
        ("50", 21.053), ("100", 47.368), ("150", 73.684), ("200", 100.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (20_000.0, "20,000"), (1.03412, "1.034"), (1e-4, "0.0001"), (1.234e-5, "1.234e-5"),
        (12_345.678, "12,346"), (3.2e12, "3.2e12"), (-0.5, "-0.5"),
        (float("nan"), "\N{EN DASH}"), (None, "\N{EN DASH}"),
    ],
)  # fmt: skip
def test_figures_read_as_people_read(value: float | None, text: str) -> None:
    assert figure(value) == text


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([10.0, 50.0, 90.0], [10.0, 50.0, 90.0]),
        ([50.0, 50.0, 50.0], [50.0, 60.0, 70.0]),
        ([99.0, 98.0, 100.0], [90.0, 80.0, 100.0]),
    ],
)
def test_names_at_the_ends_of_lines_do_not_overlap(places: list[float], moved: list[float]) -> None:
    assert _apart(places, 10.0) == moved

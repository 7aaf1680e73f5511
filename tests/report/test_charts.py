from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from wganx.records.thinning import Curve
from wganx.report.charts import Series, StepAxis, _apart, draw, step_axis
from wganx.report.geometry import DEPTH

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


@given(readings.filter(lambda values: bool(np.isfinite(values).any())))
def test_a_path_is_the_data_to_a_65535th_of_the_axis(values: NDArray[np.float64]) -> None:
    shown = curve(values, start=50, every=10)
    chart = draw("loss", "", [Series("loss", shown)], step_axis([shown]))
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
    chart = draw("loss", "", [Series("loss", shown)], step_axis([shown]))
    strokes = read_back(chart.lines[0].raw, 0, chart.low, chart.high)
    assert [[step for step, _ in stroke] for stroke in strokes] == [[0, 5], [15, 15], [30, 35]]
    assert chart.gaps == (10, 20, 25)
    assert "3 readings not finite" in chart.summary


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5, 1e-12, 1e30])
def test_a_flat_line_still_has_an_axis_around_it(value: float) -> None:
    shown = curve([value, value])
    chart = draw("flat", "", [Series("flat", shown)], StepAxis(0, 1, ()))
    assert chart.low < value < chart.high


def test_the_target_is_on_the_axis_even_where_no_reading_is() -> None:
    shown = curve([3.0, 4.0])
    chart = draw("norm", "", [Series("norm", shown)], step_axis([shown]), target=1.0)
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
    ("places", "moved"),
    [
        ([10.0, 50.0, 90.0], [10.0, 50.0, 90.0]),
        ([50.0, 50.0, 50.0], [50.0, 60.0, 70.0]),
        ([99.0, 98.0, 100.0], [90.0, 80.0, 100.0]),
    ],
)
def test_names_at_the_ends_of_lines_do_not_overlap(places: list[float], moved: list[float]) -> None:
    assert _apart(places, 10.0) == moved


def test_lines_of_a_group_share_an_ink_and_only_the_named_ones_are_read() -> None:
    seeds = [Series("clip 1", curve(np.arange(50.0)), 1, thin=True), Series("clip", curve(np.arange(50.0)), 1)]
    chart = draw("score", "", [*seeds, Series("other", curve(np.arange(50.0) / 2))], step_axis([seeds[0].curve]))
    assert [(line.ink, line.thin, bool(line.raw)) for line in chart.lines] == [
        ("ink-2", True, False), ("ink-2", False, True), ("ink-1", False, True),
    ]  # fmt: skip
    assert [line.name for line in chart.named] == ["clip", "other"]
    assert "clip 1" not in chart.summary
    assert chart.lines[0].smooth


def test_the_ends_of_an_interval_are_on_the_axis() -> None:
    shown = curve([3.0, 4.0])
    chart = draw("q", "", [Series("q", shown, band=(curve([1.0, 2.0]), curve([5.0, 9.0])))], step_axis([shown]))
    assert chart.low <= 1.0
    assert chart.high >= 9.0
    assert chart.lines[0].band.startswith("M0 ")
    assert chart.lines[0].dots.count("l0 0") == 2


def test_an_axis_of_seconds_counts_in_milliseconds() -> None:
    shown = curve([1.0, 2.0], start=0, every=12_500)
    axis = step_axis([shown], "seconds", 1_000)
    assert [(tick.label, tick.place) for tick in axis.ticks][:2] == [("0", 0.0), ("5", 40.0)]
    assert "from 1 at 0 seconds to 2 at 12.5 seconds" in draw("q", "", [Series("q", shown)], axis).summary

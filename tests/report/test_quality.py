from __future__ import annotations

import math

import pytest

from wganx.report.quality import draw_quality


def record(value: object, **more: object) -> dict[str, object]:
    return {"rows": [{"metric": "frechet", "value": "distance", "better": "lower", "generated": value, **more}]}


def test_a_metric_of_several_checkpoints_is_a_curve_with_its_interval_and_floor() -> None:
    quality = draw_quality([
        (100, record(20.0, interval=[18.0, 22.0], floor=1.0)), (300, record(10.0, interval=[9.0, 11.0], floor=1.25)),
    ])  # fmt: skip
    (chart,) = quality.charts
    assert (quality.count, quality.has_intervals, quality.has_floor, quality.left_out) == (2, True, True, 0)
    assert chart.title == "distance (frechet)"
    assert chart.about == "Lower is better."
    assert "from 20 at step 100 to 10 at step 300" in chart.summary
    assert chart.target is not None
    assert chart.target.label == "1.25"
    assert chart.lines[0].band
    assert quality.axis is not None
    assert (quality.axis.first, quality.axis.span) == (100, 200)


@pytest.mark.parametrize(
    "records", [[], [(100, record(1.0))], [(100, record(None)), (200, record("x"))], [(1, {}), (2, {"rows": 3})]]
)
def test_one_measurement_is_no_curve(records: list[tuple[int, dict[str, object]]]) -> None:
    assert draw_quality(records).charts == ()


def test_a_checkpoint_that_was_not_measured_is_passed_over() -> None:
    (chart,) = draw_quality([(1, record(1.0)), (2, record(math.nan)), (3, record(3.0, interval="x"))]).charts
    assert "from 1 at step 1 to 3 at step 3" in chart.summary
    assert not chart.lines[0].band

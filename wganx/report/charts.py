"""Charts of one quantity over the steps, ready for ``charts.html.jinja`` to draw as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wganx.records.thinning import Curve
from wganx.report.geometry import band, dots, keep, nice_marks, path, running_mean, smoothing_window
from wganx.report.wording import figure

MOST_POINTS = 2_000
"""Of a line in a wide chart; in the others, half of them."""
SMOOTH_POINTS = 600
MOST_DOTS = 40
INKS = 8
"""Looks of lines: each has a colour and a dash of its own in ``assets/charts.css``."""
MOST_GAPS = 100
LABEL, LABEL_WIDE = 11.0, 6.5  # height of a line's name, in percent of its chart's


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its label, and its place in percent from the left or from the top."""

    label: str
    place: float


@dataclass(frozen=True)
class Series:
    """A curve to be drawn, with at least one finite reading.

    Attributes:
        name: what it is called beside its chart's title.
        curve: the readings.
        ink: which of the `INKS` looks it has, counted from 0; those of one group share one.
        thin: one of several of its group: a thin line of its running mean, without a name of its own.
        band: ends of an interval around each reading, two curves at its steps.
    """

    name: str
    curve: Curve
    ink: int = 0
    thin: bool = False
    band: tuple[Curve, Curve] | None = None


@dataclass(frozen=True)
class Line:
    """One curve of a chart as paths: the readings, their running mean and dots (each may be empty), and the interval.

    `last` is the last reading in words, `label` the place of the name in percent from the top.
    """

    name: str
    raw: str
    smooth: str
    dots: str
    band: str
    last: str
    label: float
    ink: str
    thin: bool


@dataclass(frozen=True)
class Chart:
    """One quantity over the steps, ready to be drawn; `low` and `high` are the ends of its y axis."""

    title: str
    about: str
    summary: str
    lines: tuple[Line, ...]
    low: float
    high: float
    ticks: tuple[Tick, ...]
    window: int
    gaps: tuple[int, ...]
    target: Tick | None = None
    wide: bool = False

    @property
    def named(self) -> tuple[Line, ...]:
        """The lines that have a name, and values to be read."""
        return tuple(line for line in self.lines if not line.thin)


@dataclass(frozen=True)
class StepAxis:
    """The x axis that the charts of a group share; it counts in `scale` parts of its `unit`."""

    first: int
    span: int
    ticks: tuple[Tick, ...]
    unit: str = "step"
    scale: int = 1


def step_axis(curves: Sequence[Curve], unit: str = "step", scale: int = 1) -> StepAxis:
    """From the first step of any of `curves` to the last one; for seconds, let the curves count in milliseconds."""
    first = int(min(curve.steps[0] for curve in curves))
    span = max(1, int(max(curve.steps[-1] for curve in curves)) - first)
    low, high = first / scale, (first + span) / scale
    marks = [mark for mark in nice_marks(low, high, 5) if low <= mark <= high]
    return StepAxis(first, span, tuple(Tick(figure(m), _percent(m - low, high - low)) for m in marks), unit, scale)


def draw(
    title: str,
    about: str,
    series: Sequence[Series],
    axis: StepAxis,
    *,
    target: float | None = None,
    wide: bool = False,
) -> Chart:
    """A chart of `series`, with a dashed line at `target`; a `wide` one has a row and more detail to itself."""
    shown = [each.curve for each in series] + [end for each in series for end in each.band or ()]
    finite = np.concatenate([curve.finite for curve in shown])
    ends = [float(finite.min()), float(finite.max())] + ([] if target is None else [target])
    low, high = min(ends), max(ends)
    if not high - low > max(1e-9 * max(abs(low), abs(high)), 1e-30):
        margin = abs(high) / 2 or 1.0
        low, high = low - margin, high + margin
    marks = nice_marks(low, high, 4)
    low, high = marks[0], marks[-1]
    most = MOST_POINTS if wide else MOST_POINTS // 2
    lines = [_line(each, axis, low, high, most) for each in series]
    labels = _apart([line.label for line in lines if not line.thin], LABEL_WIDE if wide else LABEL)
    places = iter(labels)
    named = [each for each in series if not each.thin]
    gaps = sorted({int(step) for each in series for step in each.curve.steps[~np.isfinite(each.curve.values)]})
    return Chart(
        title=title,
        about=about,
        summary="; ".join(_in_words(each.name, each.curve, axis) for each in named),
        lines=tuple(line if line.thin else replace(line, label=next(places)) for line in lines),
        low=low,
        high=high,
        ticks=tuple(Tick(figure(mark), _percent(high - mark, high - low)) for mark in marks),
        window=max(smoothing_window(len(each.curve.values)) for each in series),
        gaps=tuple(gaps[:MOST_GAPS]),
        target=None if target is None else Tick(figure(target), _percent(high - target, high - low)),
        wide=wide,
    )


def _line(series: Series, axis: StepAxis, low: float, high: float, most: int) -> Line:
    curve = series.curve
    window = smoothing_window(len(curve.values))
    end = float(curve.finite[-1])

    def drawn(values: NDArray[np.float64], chosen: NDArray[np.intp]) -> str:
        return path(curve.steps[chosen], values[chosen], axis.first, low, high)

    mean, smooth = curve.values, ""
    if window > 1:
        mean = running_mean(curve.values, window)
        end = float(mean[np.isfinite(mean)][-1])
        smooth = drawn(mean, keep(mean, SMOOTH_POINTS))
    return Line(
        name=series.name,
        raw="" if series.thin and smooth else drawn(curve.values, keep(curve.values, most)),
        smooth=smooth,
        dots=dots(curve.steps, curve.values, axis.first, low, high) if len(curve.values) <= MOST_DOTS else "",
        band="" if series.band is None else band(*series.band, axis.first, low, high),
        last=figure(float(curve.values[-1])),
        label=_percent(high - end, high - low),
        ink=f"ink-{series.ink % INKS + 1}",
        thin=series.thin,
    )


def _apart(places: Sequence[float], least: float) -> list[float]:
    """The places (in percent) moved down as far as needed for names not to overlap, and up again from the foot."""
    moved = dict.fromkeys(range(len(places)), 0.0)
    order = sorted(moved, key=lambda line: places[line])
    above = -least
    for line in order:
        above = moved[line] = max(places[line], above + least)
    below = 100.0 + least
    for line in reversed(order):
        below = moved[line] = min(moved[line], below - least)
    return [moved[line] for line in range(len(places))]


def _in_words(name: str, curve: Curve, axis: StepAxis) -> str:
    """What a line shows, for those who do not see it."""
    finite = curve.finite

    def at(step: int) -> str:
        place = figure(step / axis.scale)
        return f"step {place}" if axis.unit == "step" else f"{place} {axis.unit}"

    first, last = curve.steps[np.isfinite(curve.values)][[0, -1]].tolist()
    words = (
        f"{name} from {figure(finite[0])} at {at(first)} to {figure(finite[-1])} at {at(last)}, "
        f"lowest {figure(finite.min())}, highest {figure(finite.max())}"
    )
    missing = curve.missing
    return words + (f", {missing} readings not finite" if missing else "")


def _percent(part: float, whole: float) -> float:
    return round(100.0 * part / whole, 3)

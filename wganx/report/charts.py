"""From curves to the geometry of inline SVG.

A line is drawn in a nested SVG whose x axis counts steps from the first one and whose y axis counts `DEPTH` units
from the top of the axis down. Its path is therefore the data itself, good to 1/65535 of the axis, and the page's
script reads values back from it instead of carrying them twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wganx.report.reading import Curve

DEPTH = 65_535
MOST_POINTS = 2_000
FEWEST_TO_SMOOTH = 40
WIDEST_WINDOW = 501
MOST_GAPS = 100
LABEL, LABEL_WIDE = 11.0, 6.5  # height of a line's name, in percent of its chart's


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: its label, and its place in percent from the left or from the top."""

    label: str
    place: float


@dataclass(frozen=True)
class Line:
    """One curve of a chart: the readings, their running mean (empty if too few), and how it ends.

    `ink` is the look of the line among those of its chart, `label` the place of its name in percent from the top.
    """

    name: str
    raw: str
    smooth: str
    last: str
    label: float
    ink: str = "main"


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


@dataclass(frozen=True)
class StepAxis:
    """The x axis that all charts of a page share."""

    first: int
    span: int
    ticks: tuple[Tick, ...]


def step_axis(curves: Sequence[Curve]) -> StepAxis:
    """From the first step of any of `curves` to the last one."""
    first = int(min(curve.steps[0] for curve in curves))
    span = max(1, int(max(curve.steps[-1] for curve in curves)) - first)
    marks = [mark for mark in nice_marks(first, first + span, 5) if first <= mark <= first + span]
    return StepAxis(first, span, tuple(Tick(figure(mark), _percent(mark - first, span)) for mark in marks))


def draw(
    title: str,
    about: str,
    curves: Sequence[tuple[str, Curve]],
    axis: StepAxis,
    *,
    target: float | None = None,
    wide: bool = False,
) -> Chart:
    """A chart of `curves`, each ``(name, curve)`` with at least one finite reading."""
    finite = np.concatenate([curve.finite for _, curve in curves])
    ends = [float(finite.min()), float(finite.max())] + ([] if target is None else [target])
    low, high = min(ends), max(ends)
    if not high - low > max(1e-9 * max(abs(low), abs(high)), 1e-30):
        margin = abs(high) / 2 or 1.0
        low, high = low - margin, high + margin
    marks = nice_marks(low, high, 4)
    low, high = marks[0], marks[-1]
    windows = [smoothing_window(len(curve.values)) for _, curve in curves]
    lines = [_line(name, curve, window, axis, low, high) for (name, curve), window in zip(curves, windows)]
    labels = _apart([line.label for line in lines], LABEL_WIDE if wide else LABEL)
    inks = [*("other", "third")[: len(lines) - 1], "main"]
    gaps = sorted({int(step) for _, curve in curves for step in curve.steps[~np.isfinite(curve.values)]})
    return Chart(
        title=title,
        about=about,
        summary="; ".join(_in_words(name, curve) for name, curve in curves),
        lines=tuple(replace(line, label=label, ink=ink) for line, label, ink in zip(lines, labels, inks)),
        low=low,
        high=high,
        ticks=tuple(Tick(figure(mark), _percent(high - mark, high - low)) for mark in marks),
        window=max(windows),
        gaps=tuple(gaps[:MOST_GAPS]),
        target=None if target is None else Tick(figure(target), _percent(high - target, high - low)),
        wide=wide,
    )


def keep(values: NDArray[np.float64], most: int = MOST_POINTS) -> NDArray[np.intp]:
    """Which of `values` (K,) to draw: all, or about `most` so that no extreme and no gap vanishes.

    The readings are parted into columns; of each column the lowest, the highest and the first non-finite reading
    stay, and the first and last of all.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    edges = np.linspace(0, count, max(1, most // 3) + 1).astype(np.intp)
    kept = {0, count - 1}
    for start, stop in pairwise(edges.tolist()):
        column = values[start:stop]
        finite = np.isfinite(column)
        if finite.any():
            kept.add(start + int(np.nanargmin(np.where(finite, column, np.nan))))
            kept.add(start + int(np.nanargmax(np.where(finite, column, np.nan))))
        if not finite.all():
            kept.add(start + int(np.argmin(finite)))
    return np.array(sorted(kept), dtype=np.intp)


def smoothing_window(count: int) -> int:
    """Readings a running mean spans: odd, a fortieth of them; 1 (none) when there are too few to need one."""
    return 1 if count < FEWEST_TO_SMOOTH else min(WIDEST_WINDOW, max(5, count // 40 | 1))


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Centred mean over the finite readings of `window`; NaN stays NaN, the window shrinks at both ends."""
    finite = np.isfinite(values)
    weights = np.ones(window)
    total = np.convolve(np.where(finite, values, 0.0), weights, mode="same")
    count = np.convolve(finite.astype(np.float64), weights, mode="same")
    return np.where(finite, total / np.maximum(count, 1.0), np.nan)


def path(steps: NDArray[np.int64], values: NDArray[np.float64], first: int, low: float, high: float) -> str:
    """SVG path of a curve, in steps from `first` and `DEPTH` units below `high`; NaN lifts the pen."""
    pieces: list[str] = []
    pen: tuple[int, int] | None = None
    drawn = True
    for step, value in zip(steps.tolist(), values.tolist()):
        if not math.isfinite(value):
            pen = None
            continue
        x, y = step - first, round((high - value) / (high - low) * DEPTH)
        if pen is None:
            pieces.append(f"{'' if drawn else 'l0 0'}M{x} {y}")
            drawn = False
        else:
            down = y - pen[1]
            pieces.append(f"{' ' if drawn else 'l'}{x - pen[0]}{'' if down < 0 else ' '}{down}")
            drawn = True
        pen = (x, y)
    return "".join(pieces) + ("" if drawn else "l0 0")


def nice_marks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose ``[low, high]``, some `about` + 1 of them."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, max(last, first + 1) + 1)]


def figure(value: float | None) -> str:
    """A number as people read it: four significant digits, thousands parted; a dash for none."""
    if value is None or not math.isfinite(value):
        return "\N{EN DASH}"
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    text = f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else text


def _line(name: str, curve: Curve, window: int, axis: StepAxis, low: float, high: float) -> Line:
    chosen = keep(curve.values)
    steps = curve.steps[chosen]
    smooth = ""
    end = float(curve.finite[-1])
    if window > 1:
        mean = running_mean(curve.values, window)
        end = float(mean[np.isfinite(mean)][-1])
        smooth = path(steps, mean[chosen], axis.first, low, high)
    raw = path(steps, curve.values[chosen], axis.first, low, high)
    return Line(name, raw, smooth, figure(float(curve.values[-1])), _percent(high - end, high - low))


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


def _in_words(name: str, curve: Curve) -> str:
    """What a line shows, for those who do not see it."""
    at = curve.steps[np.isfinite(curve.values)]
    finite = curve.finite
    words = (
        f"{name} from {figure(finite[0])} at step {int(at[0]):,} to {figure(finite[-1])} at step {int(at[-1]):,}, "
        f"lowest {figure(finite.min())}, highest {figure(finite.max())}"
    )
    missing = len(curve.values) - len(finite)
    return words + (f", {missing} readings not finite" if missing else "")


def _percent(part: float, whole: float) -> float:
    return round(100.0 * part / whole, 3)

"""From readings to the paths of inline SVG.

A line is drawn in an SVG of its own whose x axis counts steps from the first one and whose y axis counts `DEPTH`
units from the top of the axis down. Its path is therefore the data itself, good to 1/65535 of the axis, and the
page's script reads values back from it instead of carrying them twice.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from wganx.records.thinning import Curve

DEPTH = 65_535
FEWEST_TO_SMOOTH = 40
WIDEST_WINDOW = 501


def keep(values: NDArray[np.float64], most: int) -> NDArray[np.intp]:
    """Which of `values` (K,) to draw: all, or at most `most` so that no extreme and no gap vanishes.

    The readings are parted into columns; of each column the lowest, the highest and the first non-finite reading
    stay, and the first and last of all.
    """
    count = len(values)
    if count <= most:
        return np.arange(count)
    width = -(-count // max(1, (most - 2) // 3))
    columns = np.append(values, np.full(-count % width, np.inf)).reshape(-1, width)
    finite = np.isfinite(columns)
    starts = np.arange(len(columns)) * width
    lowest = starts + np.where(finite, columns, np.inf).argmin(axis=1)
    highest = starts + np.where(finite, columns, -np.inf).argmax(axis=1)
    gaps = (starts + finite.argmin(axis=1))[~finite.all(axis=1)]
    some = finite.any(axis=1)
    kept = np.concatenate([lowest[some], highest[some], gaps, [0, count - 1]])
    return np.unique(kept[kept < count])


def smoothing_window(count: int) -> int:
    """Readings a running mean spans: odd, a fortieth of them; 1 (none) when there are too few to need one."""
    return 1 if count < FEWEST_TO_SMOOTH else min(WIDEST_WINDOW, max(5, count // 40 | 1))


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Centred mean over the finite readings of an odd `window`; NaN stays NaN, the window shrinks at both ends."""
    finite = np.isfinite(values)
    middle = float(values[finite].mean()) if finite.any() else 0.0  # sums of what is near 0 lose no digits
    total = np.concatenate([[0.0], np.cumsum(np.where(finite, values - middle, 0.0))])
    count = np.concatenate([[0], np.cumsum(finite)])
    places = np.arange(len(values))
    start, stop = np.maximum(places - window // 2, 0), np.minimum(places + window // 2 + 1, len(values))
    mean = middle + (total[stop] - total[start]) / np.maximum(count[stop] - count[start], 1)
    return np.where(finite, mean, np.nan)


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


def dots(steps: NDArray[np.int64], values: NDArray[np.float64], first: int, low: float, high: float) -> str:
    """SVG path of a dot at every finite reading: lines of no length, which round ends make visible."""
    places = ((step, value) for step, value in zip(steps.tolist(), values.tolist()) if math.isfinite(value))
    return "".join(f"M{step - first} {round((high - value) / (high - low) * DEPTH)}l0 0" for step, value in places)


def band(lower: Curve, upper: Curve, first: int, low: float, high: float) -> str:
    """SVG path around all between two curves of the same steps; readings without both ends are passed over."""
    both = np.isfinite(lower.values) & np.isfinite(upper.values)
    steps, ends = lower.steps[both] - first, (upper.values[both], lower.values[both])
    depths = [np.round((high - values) / (high - low) * DEPTH).astype(int).tolist() for values in ends]
    there = [f"{x} {y}" for x, y in zip(steps.tolist(), depths[0])]
    back = [f"{x} {y}" for x, y in zip(steps.tolist(), depths[1])][::-1]
    return f"M{'L'.join([*there, *back])}Z" if there else ""


def nice_marks(low: float, high: float, about: int) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) that enclose ``[low, high]``, some `about` + 1 of them."""
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(index * step, digits) for index in range(first, max(last, first + 1) + 1)]

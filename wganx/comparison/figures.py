"""Numbers as text: with no more digits than their uncertainty leaves them."""

from __future__ import annotations

import math

from wganx.comparison.statistics import Ends


def figure(value: float | None, width: float | None = None) -> str:
    """A number to the second digit of `width`, the length of its interval's half; to four digits without one."""
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return "failed"
    if width is None or not width > 0 or not math.isfinite(width):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    decimals = 1 - math.floor(math.log10(width))
    if decimals > 12:
        return f"{value:,.4g}"
    rounded = round(value, decimals)
    return f"{rounded:,.{max(decimals, 0)}f}" if rounded else f"{0:.{max(decimals, 0)}f}"


def with_ends(value: float | None, ends: Ends | None) -> str:
    """``12.4 [10.1, 14.7]``; the number alone without an interval."""
    if value is None or ends is None:
        return figure(value)
    width = (ends[1] - ends[0]) / 2
    return f"{figure(value, width)} [{figure(ends[0], width)}, {figure(ends[1], width)}]"


def percent(share: float) -> str:
    """``56 %``"""
    return f"{100 * share:.0f} %"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them: ``41.2 ms``, ``5.3 s``, ``12 min``, ``1 h 12 min``."""
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

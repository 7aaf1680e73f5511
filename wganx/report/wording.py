"""Numbers, sizes and times as people read them."""

from __future__ import annotations

import math

DASH = "\N{EN DASH}"
"""Where there is nothing to say."""


def figure(value: float | None) -> str:
    """A number as people read it: four significant digits, thousands parted; a dash for none."""
    if value is None or not math.isfinite(value):
        return DASH
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    text = f"{value:,.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else text


def time_in_words(seconds: float) -> str:
    """A duration in its two largest units."""
    total = round(seconds)
    if total < 60:
        return f"{seconds:.3g} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600} h {total % 3600 // 60} min"


def size_in_words(size: int) -> str:
    """Bytes, in kB or MB where they are many."""
    if size < 1_000:
        return f"{size} bytes"
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"

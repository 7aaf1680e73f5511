"""Numbers, sizes and times as people read them, and what was asked of a generator."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from wganx.batch import SampleFormat
from wganx.plain import printable

if TYPE_CHECKING:
    from torch import Tensor

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


def asked(formats: Mapping[str, SampleFormat], context: Mapping[str, Tensor], row: int) -> str:
    """What a sample was asked to be, in words; nothing of what comes from data alone."""
    said = []
    for name, format in formats.items():
        value = context[name][row]
        if format.is_label:
            said.append(f"{name} {format.classes[int(value)]}")
        elif format.is_number:
            said.append(f"{name} {float(value):g}")
        elif format.is_text:
            said.append(f"“{format.said(value.tolist())}”")
    return ", ".join(map(printable, said))

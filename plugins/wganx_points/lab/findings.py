"""What a demonstration hands back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Finding:
    """One prediction of the theory, `expected` in words or as a formula, beside the number that was found."""

    what: str
    expected: str
    found: float
    holds: bool

    def to_json(self) -> dict[str, str | float | bool]:
        """For ``json.dumps``; JSON knows no infinity, so that becomes the text ``"inf"``."""
        found = self.found if math.isfinite(self.found) else str(self.found)
        return {"what": self.what, "expected": self.expected, "found": found, "holds": self.holds}


@dataclass(frozen=True)
class Shown:
    """A demonstration that has been run: the setting in a sentence, its findings, and how to draw them."""

    setting: str
    findings: Sequence[Finding]
    draw: Callable[[], Figure]

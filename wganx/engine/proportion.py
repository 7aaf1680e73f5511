"""Whether what a training reads is in proportion to its data, or beyond return."""

from __future__ import annotations

import math
from collections.abc import Mapping

BEYOND_RETURN = float(2**23)
"""Times the distance between real samples: single precision no longer resolves one real sample from the next there."""


def reading_of(scalars: Mapping[str, float]) -> float | None:
    """The gap of mean scores, under the name it was logged by."""
    return next((scalars[name] for name in ("w1_raw", "score_gap") if name in scalars), None)


def out_of_proportion(scalars: Mapping[str, float]) -> str | None:
    """What WX020 says of a reading of W1 and of the critic's slope."""
    reading, slope = reading_of(scalars) or 0.0, scalars["gradient_norm_interpolated"]
    diameter = scalars["vital/spread_real"]
    if not reading <= 50 * diameter:
        return f"the reading {reading:.3g} is more than 50 times the distance between real samples ({diameter:.3g})"
    # A quadratic penalty lets the slope grow to raw / corrected (see `GradientPenalty.correct`); that much is normal.
    allowed = 5 * max(1.0, reading / scalars["w1_corrected"]) if scalars.get("w1_corrected", 0.0) > 0 else 5.0
    if not slope <= allowed:
        return f"the critic's mean gradient norm is {slope:.3g} where it should be near 1"
    return None


def diverged(scalars: Mapping[str, float]) -> str | None:
    """What is so far out of proportion that no further step brings it back; None while nothing is.

    A reading of W1 is judged as the mean of its window and at this moment, so that one spike does not count. Scores of
    other objectives have no scale; there the samples are judged, as everywhere.
    """
    diameter = max(scalars["vital/spread_real"], 1e-6)
    far = BEYOND_RETURN * diameter

    def beyond(value: float) -> bool:
        return not (math.isfinite(value) and abs(value) <= far)

    if "w1_raw" in scalars and beyond(scalars["w1_raw"]) and beyond(scalars["vital/gap"]):
        return f"the reading {scalars['w1_raw']:.3g} is out of all proportion to the data, of diameter {diameter:.3g}"
    if beyond(scalars["vital/spread_fake"]):
        spread = scalars["vital/spread_fake"]
        return f"samples lie {spread:.3g} apart where real ones lie {diameter:.3g} apart"
    return None

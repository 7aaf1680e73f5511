"""A point between a reading that lies below W1 and one that lies above, and what both leave open."""

from __future__ import annotations

from dataclasses import dataclass

from wganx.wasserstein.estimation.candidates import Reading
from wganx.wasserstein.estimation.debiased import Upper

SIGMAS = 3.0
"""Standard errors in `Estimate.error`: an unbiased reading is off by more once in 370 times."""


@dataclass(frozen=True)
class Interval:
    """Where W1 is, as far as the samples tell: ``low <= value <= high``."""

    value: float
    low: float
    high: float

    @property
    def error(self) -> float:
        """How far the farther end is from the value."""
        return max(self.value - self.low, self.high - self.value)


def interval(network: Reading, certified: Reading, upper: Upper, farthest: float) -> Interval:
    """The network's reading where all three agree within its sampling error; else a place between the bounds.

    Below W1, but for sampling, are a certified reading, and a corrected one of a network that did not learn enough,
    unless it exceeds all that transport leaves open: then its penalty did not look where it is too steep. `farthest`
    is what another certified reading, too noisy to be chosen, does not exclude.
    """
    ceiling = max(upper.high, certified.value, farthest)
    trusted = network if network.value <= ceiling else Reading(ceiling, network.deviation)
    base = max((trusted, certified, Reading(0.0, trusted.deviation)), key=lambda reading: reading.value)
    sampling = SIGMAS * base.deviation
    value = base.value + 0.5 * max(0.0, upper.value - base.value - sampling)
    return Interval(value, max(0.0, base.value - sampling), max(upper.high, farthest, base.value + sampling))

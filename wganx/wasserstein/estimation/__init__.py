"""W1 of distributions from their samples: readings of critics, and the bracket they make with exact transport."""

from wganx.wasserstein.estimation.bracket import Bracket, bracket_w1
from wganx.wasserstein.estimation.estimate import estimate_w1
from wganx.wasserstein.estimation.reading import Estimate

__all__ = ["Bracket", "Estimate", "bracket_w1", "estimate_w1"]

"""W1 of distributions from their samples: readings of critics, and the bracket they make with exact transport."""

from wganx.wasserstein.estimation.bracket import Bracket, bracket_w1
from wganx.wasserstein.estimation.estimate import Estimate, estimate_w1

__all__ = ["Bracket", "Estimate", "bracket_w1", "estimate_w1"]

"""The mathematics on tensors: objectives, constraints, transport."""

from wganx.wasserstein.constraints import (
    CONSTRAINTS,
    Constraint,
    GradientPenalty,
    LipschitzPenalty,
    NoConstraint,
    PenaltyTerms,
    SpectralNorm,
    WeightClipping,
)
from wganx.wasserstein.objectives import (
    OBJECTIVES,
    Hinge,
    LeastSquares,
    NonSaturating,
    Objective,
    Wasserstein,
)
from wganx.wasserstein.transport import Distance, exact_w1

__all__ = [
    "CONSTRAINTS",
    "OBJECTIVES",
    "Constraint",
    "Distance",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "LipschitzPenalty",
    "NoConstraint",
    "NonSaturating",
    "Objective",
    "PenaltyTerms",
    "SpectralNorm",
    "Wasserstein",
    "WeightClipping",
    "exact_w1",
]

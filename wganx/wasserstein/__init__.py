"""The mathematics on tensors: objectives, constraints, transport."""

from wganx.wasserstein.constraints import (
    CONSTRAINTS,
    ByConstruction,
    Combined,
    Constraint,
    GradientPenalty,
    LipschitzPenalty,
    NoConstraint,
    Penalty,
    PenaltyTerms,
    SpectralNorm,
    WeightClipping,
)
from wganx.wasserstein.gradients import gradient_norms, input_gradients, interpolate
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
    "ByConstruction",
    "Combined",
    "Constraint",
    "Distance",
    "GradientPenalty",
    "Hinge",
    "LeastSquares",
    "LipschitzPenalty",
    "NoConstraint",
    "NonSaturating",
    "Objective",
    "Penalty",
    "PenaltyTerms",
    "SpectralNorm",
    "Wasserstein",
    "WeightClipping",
    "exact_w1",
    "gradient_norms",
    "input_gradients",
    "interpolate",
]

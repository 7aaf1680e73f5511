"""What keeps the critic Lipschitz: one family a file. A new constraint is one file, and one line here."""

from wganx.wasserstein.constraints.base import CONSTRAINTS, Constraint, Penalty, PenaltyTerms
from wganx.wasserstein.constraints.clipping import WeightClipping
from wganx.wasserstein.constraints.combined import Combined
from wganx.wasserstein.constraints.gradient_penalty import GradientPenalty, LipschitzPenalty
from wganx.wasserstein.constraints.none import ByConstruction, NoConstraint
from wganx.wasserstein.constraints.spectral_norm import SpectralNorm

__all__ = [
    "CONSTRAINTS",
    "ByConstruction",
    "Combined",
    "Constraint",
    "GradientPenalty",
    "LipschitzPenalty",
    "NoConstraint",
    "Penalty",
    "PenaltyTerms",
    "SpectralNorm",
    "WeightClipping",
]

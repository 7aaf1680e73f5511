"""What keeps the critic Lipschitz: one family a file. A new constraint is one file, and one line here."""

from wganx.wasserstein.constraints.banach import Banach
from wganx.wasserstein.constraints.base import CONSTRAINTS, Constraint, Penalty, PenaltyTerms
from wganx.wasserstein.constraints.by_construction import ByConstruction
from wganx.wasserstein.constraints.clipping import WeightClipping
from wganx.wasserstein.constraints.combined import Combined
from wganx.wasserstein.constraints.consistency import Consistency
from wganx.wasserstein.constraints.dragan import Dragan
from wganx.wasserstein.constraints.gradient_normalization import GradientNormalization
from wganx.wasserstein.constraints.gradient_penalty import GradientPenalty, LipschitzPenalty
from wganx.wasserstein.constraints.max_gradient_penalty import MaxGradientPenalty
from wganx.wasserstein.constraints.none import NoConstraint
from wganx.wasserstein.constraints.orthogonal import Orthogonal
from wganx.wasserstein.constraints.spectral_norm import SpectralNorm
from wganx.wasserstein.constraints.wgan_div import WganDiv
from wganx.wasserstein.constraints.zero_centred import R1, R1R2, R2

__all__ = [
    "CONSTRAINTS",
    "R1",
    "R1R2",
    "R2",
    "Banach",
    "ByConstruction",
    "Combined",
    "Consistency",
    "Constraint",
    "Dragan",
    "GradientNormalization",
    "GradientPenalty",
    "LipschitzPenalty",
    "MaxGradientPenalty",
    "NoConstraint",
    "Orthogonal",
    "Penalty",
    "PenaltyTerms",
    "SpectralNorm",
    "WeightClipping",
    "WganDiv",
]

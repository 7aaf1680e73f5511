"""Divergences to hold W1 against: of histograms, of Gaussians, and estimated from samples."""

from wganx.wasserstein.divergences.comparison import compare
from wganx.wasserstein.divergences.distributions import Distribution, Divergence, Gaussian, Histogram
from wganx.wasserstein.divergences.information import hellinger, js_divergence, kl_divergence, total_variation
from wganx.wasserstein.divergences.kernels import energy_distance, median_distance, mmd

__all__ = [
    "Distribution",
    "Divergence",
    "Gaussian",
    "Histogram",
    "compare",
    "energy_distance",
    "hellinger",
    "js_divergence",
    "kl_divergence",
    "median_distance",
    "mmd",
    "total_variation",
]

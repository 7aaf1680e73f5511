"""Transport on other terms: between Gaussians, of a part of the mass, between spaces; and means of distributions."""

from wganx.wasserstein.variants.barycentres import Barycentre, histogram_barycentre, wasserstein_barycentre
from wganx.wasserstein.variants.gaussians import gaussian_w2
from wganx.wasserstein.variants.gromov import GromovDistance, gromov_wasserstein
from wganx.wasserstein.variants.partial import PartialDistance, partial_transport
from wganx.wasserstein.variants.unbalanced import UnbalancedDistance, unbalanced_transport

__all__ = [
    "Barycentre",
    "GromovDistance",
    "PartialDistance",
    "UnbalancedDistance",
    "gaussian_w2",
    "gromov_wasserstein",
    "histogram_barycentre",
    "partial_transport",
    "unbalanced_transport",
    "wasserstein_barycentre",
]

"""The Sinkhorn divergence: entropic transport without its bias, on any device, in memory linear in the samples."""

from wganx.wasserstein.sinkhorn.divergence import SinkhornDistance, sinkhorn_divergence

__all__ = ["SinkhornDistance", "sinkhorn_divergence"]

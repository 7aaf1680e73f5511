"""Optimal transport between samples, solved exactly."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Distance:
    """A distance between two sets of samples, with what it was computed from; ``float(result)`` is `value`."""

    value: float
    n: tuple[int, int]
    dim: int
    seconds: float

    def __float__(self) -> float:
        return self.value


def exact_w1(x: Tensor, y: Tensor) -> Distance:
    """W1 between two sets of equally weighted samples, by the network simplex.

    ``W1 = min_π Σ_ij π_ij ‖x_i - y_j‖₂`` over couplings π of the two uniform distributions (POT's `emd2`). This is
    the distance of the samples, not of what they were drawn from: above a few dimensions it overestimates that by
    far, so compare it with the distance between two real sets of the same size.

    Args:
        x: samples ``(n, ...)``; axes after the first are flattened.
        y: samples ``(m, ...)`` of the same size.

    Raises:
        ValueError: a set is empty, or the samples differ in size.
    """
    import ot

    started = time.perf_counter()
    if len(x) == 0 or len(y) == 0:
        raise ValueError(f"W1 needs samples on both sides, got {len(x)} and {len(y)}")
    x, y = (samples.detach().double().cpu().reshape(len(samples), -1) for samples in (x, y))
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"samples differ in size: {x.shape[1]} and {y.shape[1]} values each")
    # The matrix-product route of cdist loses half the digits where two points nearly coincide.
    cost = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist").numpy()
    value = float(ot.emd2(ot.unif(len(x)), ot.unif(len(y)), cost, numItermax=10_000_000))
    return Distance(value, (len(x), len(y)), x.shape[1], time.perf_counter() - started)

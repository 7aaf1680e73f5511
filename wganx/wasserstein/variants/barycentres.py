"""Means of distributions: the one nearest to all of them in W2."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wganx.errors import WganxError
from wganx.wasserstein.divergences import Histogram
from wganx.wasserstein.ground_cost import COST_LIMIT, check_exponent, distances
from wganx.wasserstein.samples import (
    Samples,
    Weights,
    as_points,
    as_tensor,
    as_weights,
    refuse_gradient,
    uniform,
    unit_of,
)
from wganx.wasserstein.transport import exact_wp
from wganx.wasserstein.variants.partial import WITH_GRADIENT

ROUNDS = 100
"""Rounds of the free-support barycentre at most; a few tens are usual."""

STILL = 1e-14
"""The sum of squared moves, in the unit of the samples, at which its points stand still."""

VARIABLES = 200_000
"""Unknowns of the linear program for histograms that are taken on: seconds to a minute."""


@dataclass(frozen=True, eq=False)
class Barycentre:
    """What `wasserstein_barycentre` found.

    Attributes:
        points: ``(k, d)``, of equal weight; float64 on the CPU.
        spread: ``(Σ_i λ_i W2(points, set i)²)^½``: how far the sets lie from it.
    """

    points: Tensor
    spread: float


def wasserstein_barycentre(
    sets: Sequence[Samples],
    *,
    size: int | None = None,
    shares: Samples | None = None,
    weights: Sequence[Samples] | None = None,
    seed: int = 0,
) -> Barycentre:
    """A W2 barycentre of sets of samples: points X of equal weight with the least ``Σ_i λ_i W2(X, set i)²``.

    POT's `free_support_barycenter` (Cuturi and Doucet, "Fast computation of Wasserstein barycenters", 2014): each point
    goes to the mean of where optimal plans send it, until all stand still. A local minimum; for two sets of one size
    and equal weights, where it begins at one of them, the exact one: the mid-points of the optimal matching. Each round
    costs an `exact_wp` with every set. Its gradient is not offered.

    Args:
        sets: two or more, ``(n_i, ...)`` of one size of sample.
        size: points of the barycentre; as many as the largest set has if None.
        shares: λ, one a set, non-negative and summing to 1; equal ones if None.
        weights: of the samples, one tensor ``(n_i,)`` a set, each summing to 1; equal ones if None.
        seed: of the points it begins with, samples of the set with the largest share, where `size` is not theirs or
            they have weights.

    Raises:
        ValueError: fewer than two sets, sets or settings that do not fit, something requires a gradient, or a cost
            matrix exceeds `COST_LIMIT`.
        WganxError: as in `exact_wp`.
    """
    import ot

    if len(sets) < 2:
        raise ValueError(f"a barycentre needs at least two sets, got {len(sets)}")
    refuse_gradient("wasserstein_barycentre", *sets, shares, weights, instead=WITH_GRADIENT)
    clouds = _clouds(sets)
    if weights is not None and len(weights) != len(sets):
        raise ValueError(f"{len(sets)} sets need as many weights, got {len(weights)}")
    masses = [uniform(cloud) for cloud in clouds] if weights is None else [
        _checked((side, side), cloud) for side, cloud in zip(weights, clouds)
    ]  # fmt: skip
    part = _shares(shares, len(sets))
    largest = max(len(cloud) for cloud in clouds)
    size = largest if size is None else size
    if size < 1:
        raise ValueError(f"size must be at least 1, got {size}")
    if size * largest * 8 > COST_LIMIT:
        raise ValueError(
            f"a barycentre of {size} points of sets of up to {largest} needs a cost matrix of "
            f"{size * largest * 8 / 2**30:.1f} GiB, more than {COST_LIMIT / 2**30:.1f} GiB: take fewer samples"
        )
    unit = unit_of(*(float(cloud.abs().max()) for cloud in clouds))
    begin = int(part.argmax())
    start = _start(clouds[begin], masses[begin], size, weights is not None, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the plans are solved once more below, and proved
        points = ot.lp.free_support_barycenter(
            [(cloud / unit).numpy() for cloud in clouds], [mass.numpy() for mass in masses], (start / unit).numpy(),
            weights=part.numpy(), numItermax=ROUNDS, stopThr=STILL,
        )  # fmt: skip
    found = torch.from_numpy(np.asarray(points)) * unit
    apart = [exact_wp(found, cloud, weights=(uniform(found), mass)).value for cloud, mass in zip(clouds, masses)]
    return Barycentre(found, float(part @ torch.tensor(apart, dtype=torch.float64).square()) ** 0.5)


def histogram_barycentre(
    histograms: Sequence[Histogram], *, shares: Samples | None = None, p: float = 2.0, epsilon: float | None = None
) -> Histogram:
    """A barycentre of histograms on the same bins: the one on these bins with the least ``Σ_i λ_i Wp(H, H_i)^p``.

    Exact by a linear program with ``h k²`` unknowns for h histograms of k bins (POT's `lp.barycenter`; Agueh and
    Carlier, "Barycenters in the Wasserstein space", 2011). With `epsilon` by iterative Bregman projections (POT's
    `bregman.barycenter` in the log domain; Benamou et al., "Iterative Bregman projections for regularized
    transportation problems", 2015), ``k²`` in memory: quick and blurred, for ``p=2`` by about the root of half of
    epsilon. Two shifted copies of one shape have it in the middle, where adding them up would show both. Where the
    middle falls between two bins the exact one takes either, and is not the only one.

    Args:
        histograms: two or more, on the same `points`.
        shares: λ, one a histogram, non-negative and summing to 1; equal ones if None.
        p: at least 1.
        epsilon: temperature, in units of distance to the power p; exact if None.

    Raises:
        ValueError: fewer than two, other bins, unfit settings, or more unknowns than `VARIABLES` without `epsilon`.
        WganxError: the solver gave up.
    """
    import ot

    if len(histograms) < 2:
        raise ValueError(f"a barycentre needs at least two histograms, got {len(histograms)}")
    check_exponent(p)
    if epsilon is not None and not epsilon > 0:
        raise ValueError(f"epsilon must be more than 0, got {epsilon:g}")
    points = histograms[0].points.cpu()
    if not all(torch.equal(points, other.points.cpu()) for other in histograms[1:]):
        raise ValueError("the histograms have different bins; put all on the union of their bins")
    k = len(points)
    if epsilon is None and len(histograms) * k * k > VARIABLES:
        raise ValueError(
            f"the exact barycentre of {len(histograms)} histograms of {k} bins has {len(histograms) * k * k} unknowns, "
            f"more than {VARIABLES}: give epsilon=, take fewer bins, or wasserstein_barycentre of samples"
        )
    if k * k * 8 > COST_LIMIT:
        raise ValueError(f"{k} bins need a cost matrix of {k * k * 8 / 2**30:.1f} GiB, more than "
                         f"{COST_LIMIT / 2**30:.1f} GiB: take fewer bins")  # fmt: skip
    part = _shares(shares, len(histograms))
    costs = distances(points, points).pow(p)
    top = float(costs.max()) or 1.0
    columns = torch.stack([each.probabilities.cpu() for each in histograms], dim=1).numpy()
    if epsilon is None:
        found, log = ot.lp.barycenter(columns, (costs / top).numpy(), part.numpy(), log=True, solver="highs")
        if not log.success:
            raise WganxError(f"the program of the barycentre was not solved: {log.message}")
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                found = ot.bregman.barycenter(
                    columns, (costs / top).numpy(), epsilon / top, weights=part.numpy(), method="sinkhorn_log",
                    numItermax=10_000, stopThr=1e-7,
                )  # fmt: skip
            except (UserWarning, RuntimeWarning) as error:
                raise WganxError(
                    f"the barycentre at epsilon={epsilon:g} did not converge: {error}; raise it"
                ) from error
    probabilities = torch.from_numpy(np.asarray(found)).clamp(min=0) + 0.0  # no -0
    return Histogram(probabilities / probabilities.sum(), points)


def _clouds(sets: Sequence[Samples]) -> list[Tensor]:
    first = as_tensor(sets[0]).cpu()
    return [as_points(as_tensor(each).cpu(), first, torch.float64)[0] for each in sets]


def _checked(sides: Weights, cloud: Tensor) -> Tensor:
    found = as_weights(sides, cloud, cloud)
    assert found is not None
    return found[0]


def _shares(shares: Samples | None, count: int) -> Tensor:
    if shares is None:
        return torch.full((count,), 1 / count, dtype=torch.float64)
    part = as_tensor(shares, "shares").cpu().double()
    if part.shape != (count,) or bool((part < 0).any()) or abs(float(part.sum()) - 1) > 1e-5:
        raise ValueError(f"{count} distributions need as many shares, of at least 0 and of sum 1; got {part.tolist()}")
    return part / part.sum()


def _start(cloud: Tensor, mass: Tensor, size: int, weighted: bool, seed: int) -> Tensor:
    if len(cloud) == size and not weighted:
        return cloud
    draws = torch.Generator().manual_seed(seed)
    rows = torch.multinomial(mass, size, replacement=size > int((mass > 0).sum()), generator=draws)
    return cloud[rows]

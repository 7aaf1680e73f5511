"""W1 and the others side by side."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from wganx.errors import WganxError
from wganx.wasserstein.divergences.distributions import (
    Distribution,
    Divergence,
    Gaussian,
    Histogram,
    fixed,
    folded_normal,
    mixed,
    same_space,
)
from wganx.wasserstein.divergences.information import hellinger, js_divergence, kl_divergence, total_variation
from wganx.wasserstein.divergences.kernels import energy_distance, mmd
from wganx.wasserstein.transport import exact_w1


def compare(p: Distribution, q: Distribution) -> dict[str, Divergence]:
    """One row of a table: W1 and every divergence between the same two distributions, each by its defaults.

    A quantity that these two do not have is NaN, with the reason in place of its method. ``w1`` is exact for
    histograms and for the samples themselves; for Gaussians it is known on the line and for equal covariances.

    Raises:
        ValueError: sides of different kinds, which nothing can compare, or samples that require a gradient.
    """
    p, q = fixed("compare", p, q)
    if not any(isinstance(p, kind) and isinstance(q, kind) for kind in (Histogram, Gaussian, Tensor)):
        raise mixed(p, q)
    columns: dict[str, Callable[[Distribution, Distribution], Divergence]] = {
        "w1": _w1,
        "kl": kl_divergence,
        "js": js_divergence,
        "tv": total_variation,
        "hellinger": hellinger,
        "mmd": mmd,
        "energy": energy_distance,
    }
    return {name: _or_reason(measure, p, q) for name, measure in columns.items()}


def _or_reason(
    measure: Callable[[Distribution, Distribution], Divergence], p: Distribution, q: Distribution
) -> Divergence:
    try:
        return measure(p, q)
    except (ValueError, WganxError) as error:
        return Divergence(math.nan, None, str(error))


def _w1(p: Distribution, q: Distribution) -> Divergence:
    if isinstance(p, Histogram) and isinstance(q, Histogram):
        found = exact_w1(p.points, q.points, weights=(p.probabilities, q.probabilities))
        return Divergence(found.value, None, "exact transport")
    if isinstance(p, Gaussian) and isinstance(q, Gaussian):
        return _between_gaussians(*same_space(p, q))
    assert isinstance(p, Tensor)
    assert isinstance(q, Tensor)
    return Divergence(exact_w1(p, q).value, None, "exact transport of the samples")


def _between_gaussians(p: Gaussian, q: Gaussian) -> Divergence:
    shift = float((p.mean - q.mean).norm())
    if (p.covariance == q.covariance).all():
        return Divergence(shift, None, "closed form")
    if p.dim > 1:
        raise ValueError("W1 of Gaussians with different covariances has no closed form; compare Gaussian.sample(n)")
    # The sorted matching on the line is x -> m_q + (s_q / s_p)(x - m_p): the mean of a folded normal.
    spread = abs(float(p.covariance) ** 0.5 - float(q.covariance) ** 0.5)
    return Divergence(folded_normal(shift, spread), None, "closed form")

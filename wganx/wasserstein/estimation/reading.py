"""What the critics and potentials read, in the units of the samples, and what that says about W1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from wganx.devices import wide
from wganx.errors import WganxError
from wganx.wasserstein.constraints import ByConstruction, Constraint, Orthogonal, SpectralNorm
from wganx.wasserstein.estimation.candidates import Reading, reading_of
from wganx.wasserstein.estimation.duals import CTransformDual, Dual
from wganx.wasserstein.estimation.evidence import Evidence, folded, glued
from wganx.wasserstein.estimation.interval import SIGMAS, interval
from wganx.wasserstein.estimation.learning import Settings, learn, learn_orthonormal
from wganx.wasserstein.estimation.potentials import Potential
from wganx.wasserstein.estimation.split import Pair, Split
from wganx.wasserstein.lipschitz import lipschitz_estimate
from wganx.wasserstein.transport import Distance

_TRANSFORMED = 5000


@dataclass(frozen=True, eq=False)
class Estimate(Distance):
    """W1 of two distributions as a critic reads it from their samples; ``float(estimate)`` is `value`.

    Attributes:
        value: the method's best reading, in the units of the samples, never below 0.
        raw: the reading as it stands: mean score on held-out samples of x minus that on those of y (for a
            c-transform, the sum of the means of both potentials).
        corrected: `raw` without the bias of the penalty (`Constraint.correct`); None where none is known.
        lipschitz: the largest input-gradient norm of the critic at held-out samples and at points between them; of a
            potential without a network, its largest slope between held-out samples.
        error: how far W1 may lie from `value`. Of a certified reading and of the methods to compare: three standard
            errors, from the spread of the scores on held-out samples, and nothing of what the critic missed. Of a
            point estimate: the distance to the farther of `low` and `high`.
        low, high: the ends of the interval that a point estimate leaves open; a certified reading has only `low`.
        n, dim, seconds: samples given on either side, numbers in a sample, time taken.
        method: what was asked for.
        guarantee: what the value says about W1, in a sentence.
    """

    raw: float = math.nan
    corrected: float | None = None
    lipschitz: float = math.nan
    low: float | None = None
    high: float | None = None
    method: str = ""
    guarantee: str = ""


def plain_reading(samples: Split, method: str, constraint: Constraint, settings: Settings) -> Estimate:
    """What a critic under `constraint` reads, and nothing else."""
    dual = learn(samples, method, constraint, settings)
    u, v = _potentials(dual, samples, method)
    raw, lipschitz = float(u.mean()) + float(v.mean()), _steepest(dual, samples)
    corrected = dual.constraint.correct(raw) if dual.constraint.reads_w1 else None
    value, guarantee = _judge(dual, raw, corrected, lipschitz)
    share = value / raw if raw > 0 and value > 0 else 1.0
    return _estimate(
        samples,
        value=max(0.0, value) * samples.scale,
        error=SIGMAS * reading_of(u, -v).deviation * share * samples.scale,
        raw=raw * samples.scale,
        corrected=None if corrected is None else corrected * samples.scale,
        lipschitz=lipschitz,
        method=method,
        guarantee=guarantee,
    )


def certified_reading(samples: Split, evidence: Evidence, settings: Settings) -> tuple[Estimate, Potential]:
    """The best of the potentials that are 1-Lipschitz by construction, an orthonormal critic among them."""
    seen, unit = folded(samples, evidence.components) if evidence.folds else (samples, 1.0)
    dual = learn_orthonormal(seen, settings)
    examples = wide(seen.heldout.x)
    device = examples.device
    dual.critic.to(device, torch.float64)
    bound = max(1.0, dual.critic.seal(examples))

    def network(x: Tensor) -> Tensor:
        with torch.no_grad():
            return dual.scores(x.to(device)).cpu() / bound

    critic = glued(evidence, network, unit) if evidence.folds else network
    chosen, found = evidence.certified([critic])
    scale = samples.scale
    estimate = _estimate(
        samples,
        value=max(0.0, found.value) * scale,
        error=SIGMAS * found.deviation * scale,
        raw=found.value * scale,
        lipschitz=_steepest(dual, seen) if chosen is critic else _steepest_way(chosen, evidence.heldout),
        low=max(0.0, found.value - SIGMAS * found.deviation) * scale,
        method="orthogonal",
        guarantee=(
            "lower bound of W1 up to the sampling error: the critic is 1-Lipschitz by construction and was read on "
            "samples it never saw"
        ),
    )
    return estimate, critic


def point_reading(
    samples: Split,
    evidence: Evidence,
    method: str,
    constraint: Constraint,
    settings: Settings,
    extra: tuple[Potential, ...] = (),
) -> Estimate:
    """What a critic under a penalty reads, held against potentials without a network, `extra` ones, and transport."""
    seen, unit = folded(samples, evidence.components) if evidence.folds else (samples, 1.0)
    dual = learn(seen, method, constraint, settings)
    u, v = _potentials(dual, seen, method)
    raw = float(u.mean()) + float(v.mean())
    corrected = dual.constraint.correct(raw)
    assert corrected is not None
    share = corrected / raw if raw > 0 and corrected > 0 else 1.0
    network = Reading(corrected * unit, reading_of(u, -v).deviation * share * unit)
    if samples.dim == 1:
        found = evidence.on_the_line()
    else:
        found = interval(network, evidence.certified(list(extra))[1], evidence.upper(), evidence.farthest())
    scale = samples.scale
    return _estimate(
        samples,
        value=found.value * scale,
        error=found.error * scale,
        raw=raw * unit * scale,
        corrected=corrected * unit * scale,
        lipschitz=_steepest(dual, seen),
        low=found.low * scale,
        high=found.high * scale,
        method=method,
        guarantee=_says(found.low * scale, found.high * scale),
    )


def _estimate(samples: Split, **fields: Any) -> Estimate:
    return Estimate(n=samples.n, dim=samples.dim, seconds=math.nan, **fields)


def _says(low: float, high: float) -> str:
    sentence = (
        "point estimate, no bound: the critic's slope is held near 1 by a penalty, whose bias is removed by formula"
    )
    if high > 2 * low:
        sentence += f"; these samples tell little: anything from {low:.3g} to {high:.3g} agrees with them"
    return sentence


def _potentials(dual: Dual, samples: Split, method: str) -> tuple[Tensor, Tensor]:
    """Both potentials on held-out samples, in float64, so that no bound is broken by rounding."""
    rows = _TRANSFORMED if isinstance(dual, CTransformDual) else None
    pair = Pair(wide(samples.heldout.x[:rows]), wide(samples.heldout.y[:rows]))
    dual.critic.to(pair.x.device, torch.float64)
    with torch.no_grad():
        u, v = dual.potentials(pair)
    if not math.isfinite(float(u.mean()) + float(v.mean())):
        raise WganxError(f"method {method!r} gave no finite reading; take another, or fewer steps")
    return u, v


def _steepest(dual: Dual, samples: Split) -> float:
    rows = _TRANSFORMED if isinstance(dual, CTransformDual) else None
    x, y = wide(samples.heldout.x[:rows]), wide(samples.heldout.y[:rows])
    return lipschitz_estimate(dual.scores, x, y).gradients


def _steepest_way(potential: Potential, samples: Pair) -> float:
    """The largest slope between a held-out sample of x and one of y."""
    rows = min(len(samples.x), len(samples.y))
    x, y = samples.x[:rows], samples.y[:rows]
    ways = torch.linalg.vector_norm(x - y, dim=1)
    slopes = (potential(x) - potential(y)).abs() / ways
    return float(slopes[ways > 0].max()) if bool((ways > 0).any()) else 0.0


def _judge(dual: Dual, raw: float, corrected: float | None, lipschitz: float) -> tuple[float, str]:
    """The best reading of W1 that a trained critic gives, and what it guarantees."""
    if isinstance(dual, CTransformDual):
        return raw, (
            "no bound of W1: at most the exact W1 of the held-out samples, which is too large above a few dimensions"
        )
    if corrected is not None:
        return corrected, (
            "point estimate, no bound: the critic's slope is held near 1 by a penalty, whose bias is removed by formula"
        )
    if not dual.constraint.reads_w1 or raw <= 0:
        return raw / max(lipschitz, 1e-12), (
            "no bound, often far below W1: divided by the largest slope found, which may not be the largest there is"
        )
    if isinstance(dual.constraint, SpectralNorm):
        return raw, (
            "close to a lower bound of W1, and often far below: the layers' norms are estimated, and the activation "
            "loses slope"
        )
    if isinstance(dual.constraint, (Orthogonal, ByConstruction)):
        return raw, "lower bound of W1 up to the sampling error, where the constraint makes this critic 1-Lipschitz"
    return raw, "no bound: the reading as it stands, as no correction is known for this constraint"

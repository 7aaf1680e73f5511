"""W1 from samples, read by a critic on samples it never saw."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

from wganx.devices import forked_streams, wide
from wganx.errors import WganxError, did_you_mean
from wganx.wasserstein.constraints import (
    CONSTRAINTS,
    ByConstruction,
    Constraint,
    GradientPenalty,
    LipschitzPenalty,
    MaxGradientPenalty,
    NoConstraint,
    Orthogonal,
    SpectralNorm,
    WeightClipping,
)
from wganx.wasserstein.estimation.critics import OrthonormalCritic, curved_perceptron, perceptron
from wganx.wasserstein.estimation.duals import CTransformDual, Dual, OrthonormalDual
from wganx.wasserstein.estimation.split import Pair, Split, split
from wganx.wasserstein.estimation.training import Course, train
from wganx.wasserstein.lipschitz import lipschitz_estimate
from wganx.wasserstein.samples import Samples
from wganx.wasserstein.transport import Distance

METHODS: dict[str, Constraint] = {
    "orthogonal": ByConstruction(),
    "lipschitz-penalty": LipschitzPenalty(100.0),
    "gradient-penalty": GradientPenalty(100.0),
    "max-gradient-penalty": MaxGradientPenalty(100.0),
    "clip": WeightClipping(),
    "spectral-norm": SpectralNorm(),
    "c-transform": NoConstraint(),
}
"""The named methods, and the constraint under which each trains its critic."""

SIGMAS = 3.0
"""Standard errors in `Estimate.error`: an unbiased reading is off by more once in 370 times."""

_DEPTH = 3
_TRANSFORMED = 5000


@dataclass(frozen=True, eq=False)
class Estimate(Distance):
    """W1 of two distributions as a critic reads it from their samples; ``float(estimate)`` is `value`.

    Attributes:
        value: the method's best reading, in the units of the samples, never below 0.
        raw: the reading as it stands: mean score on held-out samples of x minus that on those of y (for a
            c-transform, the sum of the means of both potentials).
        corrected: `raw` without the bias of the penalty (`Constraint.correct`); None where none is known.
        lipschitz: the largest input-gradient norm of the critic at held-out samples and at points between them.
        error: three standard errors of `raw`, from the spread of the scores on held-out samples. It covers which
            samples were held out, not what the critic missed.
        n, dim, seconds: samples given on either side, numbers in a sample, time taken.
        method: what was asked for.
        guarantee: what the value says about W1, in a sentence.
    """

    raw: float = math.nan
    corrected: float | None = None
    lipschitz: float = math.nan
    method: str = ""
    guarantee: str = ""


def estimate_w1(
    x: Samples,
    y: Samples,
    method: str | Constraint = "orthogonal",
    *,
    steps: int = 2000,
    batch_size: int = 128,
    width: int = 128,
    heldout: float = 0.5,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Estimate:
    """W1 between the distributions that two sets of samples were drawn from, read by a critic.

    ``W1(P, Q) = max E f(x) - E f(y)`` over the 1-Lipschitz f (Kantorovich-Rubinstein duality). A perceptron of three
    hidden layers learns f on one part of the samples; the reading is taken on the other. Unlike `exact_w1`, which
    solves for the samples themselves, it does not grow with the dimension. The samples are shifted together and
    divided by one number first, the spread along a typical direction, so that units do not matter; a penalty's weight
    is meant in that unit.

    What the methods give:

    - ``"orthogonal"``: a lower bound up to `Estimate.error`, as the critic is 1-Lipschitz by construction (Anil,
      Lucas, Grosse, "Sorting out Lipschitz function approximation", 2019).
    - ``"lipschitz-penalty"``, ``"gradient-penalty"``, ``"max-gradient-penalty"``, with weight 100: estimates close to
      W1 without a guarantee. The penalty lets the critic grow steeper than 1; `corrected` takes that out.
    - ``"spectral-norm"`` with leaky ReLU: falls short where the best critic is not nearly linear. To compare.
    - ``"clip"``: divided by the critic's own slope, as the clipped critic has any slope but 1. To compare.
    - ``"c-transform"``: at most the exact W1 of the held-out samples, with their bias in many dimensions (Mallasto,
      Montúfar, Gerolin, "How Well Do WGANs Estimate the Wasserstein Metric?", 2019). To compare.
    - any `Constraint`, or the name of one: ``wganx.GradientPenalty(10.0)``. Where it makes no reading of W1, the
      reading is divided by the critic's own slope.

    Args:
        x: samples of P, ``(n, ...)`` of any rank: a tensor, an array or a list; axes after the first are flattened.
        y: samples of Q, ``(m, ...)`` of the same size. Where n = m, the same rows are held out on both sides.
        method: see above.
        steps: critic updates.
        batch_size: samples of each side in an update.
        width: units of a hidden layer, an even number.
        heldout: share of the samples kept for the reading.
        seed: of the split, the critic's start and the batches; the caller's random streams are untouched. The same
            seed gives the same bits on the CPU.
        device: ``"auto"`` takes a GPU where there is one.

    Raises:
        ValueError: an unknown method; fewer than 20 samples on a side, samples of different sizes, complex ones, or
            ones that hold NaN; a setting out of its range.
        WganxError: the training gave no finite reading.

    Cost: about 10 s on one CPU core for samples of a few numbers, mostly independent of how many there are.
    """
    started = time.perf_counter()
    constraint = _constraint(method)
    _check_settings(steps, batch_size, width)
    place = torch.device(_best_device() if device == "auto" else device)
    rng = torch.Generator().manual_seed(seed)
    samples = split(x, y, heldout, place, rng)
    with forked_streams(place):
        torch.manual_seed(seed)
        dual, course = _prepare(method, constraint, samples, steps, batch_size, width)
        train(dual, samples, course, torch.Generator(place).manual_seed(seed))
    return _read(dual, samples, method if isinstance(method, str) else constraint.name, started)


def _constraint(method: str | Constraint) -> Constraint:
    if isinstance(method, Constraint):
        return method
    if method in METHODS:
        return METHODS[method]
    if method in CONSTRAINTS:
        return CONSTRAINTS[method]()
    raise ValueError(
        f"unknown method {method!r}{did_you_mean(method, [*METHODS, *CONSTRAINTS])}; choose from {', '.join(METHODS)}, "
        "another constraint's name, or a constraint such as GradientPenalty(10.0)"
    )


def _check_settings(steps: int, batch_size: int, width: int) -> None:
    for name, value, least in (("steps", steps, 1), ("batch_size", batch_size, 1), ("width", width, 2)):
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")
    if width % 2:
        raise ValueError(f"width must be even, as units are used in pairs; got {width}")


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _prepare(
    method: str | Constraint, constraint: Constraint, samples: Split, steps: int, batch: int, width: int
) -> tuple[Dual, Course]:
    examples = samples.train.x[:500]
    device = examples.device
    if method == "orthogonal":
        orthonormal = OrthonormalCritic(samples.dim, width, _DEPTH).to(device)
        return OrthonormalDual(orthonormal, constraint), Course(steps, batch, 1e-3)
    if constraint.owns == "weights":
        # Spectral norm with leaky ReLU, and clipping with RMSprop, are what their authors trained with.
        critic = perceptron(examples, width, _DEPTH, slope=0.2)
        if isinstance(constraint, WeightClipping):
            return Dual(critic, constraint), Course(steps, batch, 5e-5, rmsprop=True)
        return Dual(critic, constraint), Course(steps, batch, 5e-3)
    critic = curved_perceptron(examples, width, _DEPTH)
    dual = CTransformDual if method == "c-transform" else Dual
    return dual(critic, constraint), Course(steps, batch, 1e-3)


def _read(dual: Dual, samples: Split, method: str, started: float) -> Estimate:
    rows = _TRANSFORMED if isinstance(dual, CTransformDual) else None
    # In float64, so that no bound is broken by rounding.
    pair, scale = Pair(wide(samples.heldout.x[:rows]), wide(samples.heldout.y[:rows])), samples.scale
    dual.critic.to(pair.x.device, torch.float64)
    bound = dual.critic.seal(pair.x) if isinstance(dual, OrthonormalDual) else 1.0
    with torch.no_grad():
        potentials = dual.potentials(pair)
    raw = sum(float(side.mean()) for side in potentials)
    if not math.isfinite(raw):
        raise WganxError(f"method {method!r} gave no finite reading; take another, or fewer steps")
    lipschitz = lipschitz_estimate(dual.scores, pair.x, pair.y).gradients
    standard_error = math.sqrt(sum(float(side.var()) / len(side) for side in potentials))
    corrected = dual.constraint.correct(raw) if dual.constraint.reads_w1 else None
    value, guarantee = _judge(dual, raw, corrected, lipschitz, bound)
    return Estimate(
        value=max(0.0, value) * scale,
        n=samples.n,
        dim=samples.dim,
        seconds=time.perf_counter() - started,
        error=SIGMAS * standard_error * (value / raw if raw > 0 and value > 0 else 1.0) * scale,
        raw=raw * scale,
        corrected=None if corrected is None else corrected * scale,
        lipschitz=lipschitz,
        method=method,
        guarantee=guarantee,
    )


def _judge(dual: Dual, raw: float, corrected: float | None, lipschitz: float, bound: float) -> tuple[float, str]:
    """The best reading of W1 that a trained critic gives, and what it guarantees."""
    if isinstance(dual, OrthonormalDual):
        return raw / max(1.0, bound), (
            "lower bound of W1 up to the sampling error: the critic is 1-Lipschitz by construction and was read on "
            "samples it never saw"
        )
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

"""W1 from samples, read by a critic on samples it never saw."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from wganx.errors import did_you_mean
from wganx.wasserstein.constraints import (
    CONSTRAINTS,
    ByConstruction,
    Constraint,
    GradientPenalty,
    LipschitzPenalty,
    MaxGradientPenalty,
    NoConstraint,
    SpectralNorm,
    WeightClipping,
)
from wganx.wasserstein.estimation.evidence import gather
from wganx.wasserstein.estimation.learning import Settings
from wganx.wasserstein.estimation.reading import Estimate, certified_reading, plain_reading, point_reading
from wganx.wasserstein.estimation.split import split
from wganx.wasserstein.samples import Samples, refuse_gradient

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

HELD = ("lipschitz-penalty", "gradient-penalty", "max-gradient-penalty")
"""Methods whose readings are held against what lies below W1 and above."""


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
    """W1 between the distributions that two sets of samples were drawn from, read by critics.

    ``W1(P, Q) = max E f(x) - E f(y)`` over the 1-Lipschitz f (Kantorovich-Rubinstein duality). A perceptron of three
    hidden layers learns f on one part of the samples; the reading is taken on the other. Unlike `exact_w1`, which
    solves for the samples themselves, it does not grow with the dimension. The samples are shifted together and
    divided by one number first, the spread along a typical direction, so that units do not matter; a penalty's weight
    is meant in that unit.

    What the methods give:

    - ``"orthogonal"``: a lower bound up to `Estimate.error`: the best of several critics that are 1-Lipschitz by
      construction, orthonormal networks (Anil, Lucas, Grosse, "Sorting out Lipschitz function approximation", 2019)
      and potentials of exact transport, chosen on samples that the reading does not see.
    - ``"lipschitz-penalty"``, ``"gradient-penalty"``, ``"max-gradient-penalty"``, with weight 100: estimates close to
      W1 without a guarantee. The penalty lets the critic grow steeper than 1; `corrected` takes that out. It is held
      between potentials that are 1-Lipschitz by construction and exact transport without its bias, and `error` covers
      what they leave open.
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
            ones that hold NaN; samples that require a gradient, which there is none of; a setting out of its range.
        WganxError: the training gave no finite reading.

    Cost: about 15 s on one CPU core for samples of a few numbers, mostly independent of how many there are.
    """
    refuse_gradient("estimate_w1", x, y)
    started = time.perf_counter()
    constraint = _constraint(method)
    settings = Settings(steps, batch_size, width, seed)
    samples = split(x, y, heldout, device_of(device), torch.Generator().manual_seed(seed))
    if method == "orthogonal":
        found = certified_reading(samples, gather(samples, steps, seed), settings)[0]
    elif method in HELD:
        found = point_reading(samples, gather(samples, steps, seed), str(method), constraint, settings)
    else:
        found = plain_reading(samples, method if isinstance(method, str) else constraint.name, constraint, settings)
    return replace(found, seconds=time.perf_counter() - started)


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


def device_of(device: str | torch.device) -> torch.device:
    """``"auto"``: a GPU where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)

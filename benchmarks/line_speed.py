"""Exact transport, the line and slices against scipy and POT: rows of `transport_speed.py`, in its table.

Run: python benchmarks/line_speed.py --distance line --dims 1 --sizes 1000 10000 100000 1000000 [--rounds 9]
     python benchmarks/line_speed.py --distance exact sliced --dims 8 --sizes 250 500 1000 2000

Two minutes for the line, five for the others, on one core. Beside equally many samples a side there are rows for
unequal counts and for weights. Every row is in float64, and its truth is the value of the other way to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import ot
import torch
from scipy.stats import wasserstein_distance
from torch import Tensor
from transport_speed import DISTANCES, Case, Contestant, main

from wganx.wasserstein import exact_wp, sliced_wp

SLICES = 64

Sides = tuple[Tensor, Tensor, Tensor | None, Tensor | None]


def kinds(case: Case) -> Mapping[str, Sides]:
    """Both sets with weights or none: as many on both sides, fewer on one, and of unequal weights."""
    x, y = (side.double() for side in case.samples())
    fewer = y[: case.n * 9 // 10]
    rng = torch.Generator().manual_seed(2)
    a, b = (torch.rand(len(side), generator=rng, dtype=torch.float64) + 0.1 for side in (x, fewer))
    return {
        "equal": (x, y, None, None),
        "unequal": (x, fewer, None, None),
        "weights": (x, fewer, a / a.sum(), b / b.sum()),
    }


def ours(distance: Callable[..., object], sides: Sides) -> Callable[[], float]:
    x, y, a, b = sides
    weights = None if a is None else (a, b)
    return lambda: float(distance(x, y, weights=weights))  # type: ignore[arg-type]


def arrays(sides: Sides) -> list[np.ndarray | None]:
    return [None if side is None else side.numpy() for side in sides]


def line(case: Case) -> Mapping[str, Contestant]:
    found: dict[str, Contestant] = {}
    for kind, sides in kinds(case).items():
        x, y, a, b = (None if side is None else side.reshape(-1) for side in arrays(sides))
        own = ours(lambda x, y, weights: exact_wp(x, y, case.p, weights=weights), sides)

        def pot(x: Any = x, y: Any = y, a: Any = a, b: Any = b) -> float:
            return math.pow(float(ot.wasserstein_1d(x, y, a, b, p=case.p)), 1 / case.p)

        name = f"wganx, {kind}"
        found |= {name: Contestant(own, pot()), f"POT, {kind}": Contestant(pot, own(), name)}
        if case.p == 1:

            def scipy(x: Any = x, y: Any = y, a: Any = a, b: Any = b) -> float:
                return float(wasserstein_distance(x, y, a, b))

            found[f"scipy, {kind}"] = Contestant(scipy, own(), name)
    return found


def exact(case: Case) -> Mapping[str, Contestant]:
    found: dict[str, Contestant] = {}
    for kind, sides in kinds(case).items():
        x, y, a, b = arrays(sides)
        own = ours(lambda x, y, weights: exact_wp(x, y, case.p, weights=weights), sides)

        def pot(x: Any = x, y: Any = y, a: Any = a, b: Any = b) -> float:
            costs = ot.dist(x, y, metric="euclidean" if case.p == 1 else "sqeuclidean")
            masses = ([], []) if a is None else (a, b)
            return math.pow(float(ot.emd2(*masses, costs, numItermax=10_000_000)), 1 / case.p)

        name = f"wganx, {kind}"
        found |= {name: Contestant(own, pot()), f"POT, {kind}": Contestant(pot, own(), name)}
    return found


def sliced(case: Case) -> Mapping[str, Contestant]:
    drawn = torch.randn(SLICES, case.dim, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    along = drawn / drawn.norm(dim=1, keepdim=True)
    found: dict[str, Contestant] = {}
    for kind, sides in kinds(case).items():
        x, y, a, b = arrays(sides)
        own = ours(lambda x, y, weights: sliced_wp(x, y, case.p, weights=weights, directions=along), sides)

        def pot(x: Any = x, y: Any = y, a: Any = a, b: Any = b) -> float:
            return float(ot.sliced_wasserstein_distance(x, y, a, b, projections=along.T.numpy(), p=case.p))

        name = f"wganx, {kind}"
        found |= {name: Contestant(own, pot()), f"POT, {kind}": Contestant(pot, own(), name)}
    return found


if __name__ == "__main__":
    DISTANCES.clear()
    DISTANCES.update({"line": (line, (1.0, 2.0)), "exact": (exact, (1.0, 2.0)), "sliced": (sliced, (1.0, 2.0))})
    main()

"""W1 between two bounds."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import torch

from wganx.tables import Table, figure
from wganx.wasserstein.estimation.estimate import METHODS, device_of
from wganx.wasserstein.estimation.evidence import gather
from wganx.wasserstein.estimation.learning import Settings
from wganx.wasserstein.estimation.reading import Estimate, certified_reading, point_reading
from wganx.wasserstein.estimation.split import split
from wganx.wasserstein.samples import Samples, as_points, refuse_gradient
from wganx.wasserstein.transport import Distance, exact_w1


@dataclass(frozen=True)
class Bracket:
    """Four looks at one W1; ``float(bracket)`` is the point estimate, ``print(bracket)`` a table.

    Attributes:
        lower: `estimate_w1` by an orthonormal critic.
        point: `estimate_w1` under a one-sided penalty.
        upper: `exact_w1` of a random part of the samples.
        floor: `exact_w1` between two disjoint parts of x of that size, whose distributions are the same: what of
            `upper` may be due to having few samples in many dimensions.
    """

    lower: Estimate
    point: Estimate
    upper: Distance
    floor: Distance

    def __float__(self) -> float:
        return self.point.value

    @property
    def guarantees(self) -> dict[str, str]:
        """What each of the four says about W1."""
        return {
            "lower": self.lower.guarantee,
            "point": self.point.guarantee,
            "upper": f"upper bound in expectation only: exact W1 of {self.upper.n[0]} samples a side, biased upwards",
            "floor": f"no bound: exact W1 of two sets of {self.floor.n[0]} samples of x, 0 but for that bias",
        }

    def _repr_html_(self) -> str:
        rows = []
        for name, guarantee in self.guarantees.items():
            found: Distance = getattr(self, name)
            rows.append((name, figure(found.value), "" if found.error is None else f"± {found.error:.2g}", guarantee))
        title = f"W1 of {self.lower.n[0]} and {self.lower.n[1]} samples of {self.lower.dim} numbers"
        return Table(title, ("", "W1", "error", "what it says"), rows).html()

    def __str__(self) -> str:
        lines = [f"W1 of {self.lower.n[0]} and {self.lower.n[1]} samples of {self.lower.dim} numbers"]
        for name, guarantee in self.guarantees.items():
            found: Distance = getattr(self, name)
            error = "" if found.error is None else f"± {found.error:.2g}"
            lines.append(f"{name:5}  {found.value:<10.4g}  {error:<9}  {guarantee}")
        return "\n".join(lines)


def bracket_w1(
    x: Samples,
    y: Samples,
    *,
    steps: int = 2000,
    transported: int = 2000,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Bracket:
    """W1 between the distributions of two sets of samples, bracketed: a lower bound, an estimate, an upper bound.

    Args:
        x: samples of P, ``(n, ...)`` of any rank: a tensor, an array or a list.
        y: samples of Q, ``(m, ...)`` of the same size.
        steps: critic updates of each of the two estimates.
        transported: samples a side for the exact transport, at most; half of the smaller side if that is less.
        seed: of the estimates and of the random parts.
        device: where the critics learn, as in `estimate_w1`.

    Raises:
        ValueError: as `estimate_w1`, or `transported` below 1.

    Cost: two estimates, and two exact transports of some 2 s each at 2000 samples.
    """
    refuse_gradient("bracket_w1", x, y)
    if transported < 1:
        raise ValueError(f"transported must be at least 1, got {transported}")
    started = time.perf_counter()
    settings = Settings(steps, 128, 128, seed)
    samples = split(x, y, 0.5, device_of(device), torch.Generator().manual_seed(seed))
    evidence = gather(samples, steps, seed)
    lower, critic = certified_reading(samples, evidence, settings)
    lower = replace(lower, seconds=time.perf_counter() - started)
    method = "lipschitz-penalty"
    point = point_reading(samples, evidence, method, METHODS[method], settings, (critic,))
    point = replace(point, seconds=time.perf_counter() - started - lower.seconds)
    x, y = as_points(x, y)
    rng = torch.Generator().manual_seed(seed)
    size = min(len(x) // 2, len(y), transported)
    first = torch.randperm(len(x), generator=rng).to(x.device)
    second = torch.randperm(len(y), generator=rng).to(y.device)[:size]
    upper = exact_w1(x[first[:size]], y[second])
    floor = exact_w1(x[first[:size]], x[first[size : 2 * size]])
    return Bracket(lower, point, upper, floor)

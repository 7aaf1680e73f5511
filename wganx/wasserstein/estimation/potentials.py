"""Functions that are 1-Lipschitz by construction, without a network: ``(n, d) -> (n,)`` in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.estimation.debiased import differences
from wganx.wasserstein.estimation.split import Pair
from wganx.wasserstein.simplex import solve

Potential = Callable[[Tensor], Tensor]

_ROWS = 2000


@dataclass(frozen=True, eq=False)
class McShane:
    """``min_i min(‖x - y_i‖, reach) - ψ_i``: the extension of a potential that is known at the points ``y_i``.

    McShane, "Extension of range of functions", 1934. 1-Lipschitz whatever ψ is; and its values differ by no more than
    `reach` from each other, if one ψ is all there is between clusters.
    """

    points: Tensor
    psi: Tensor
    reach: float

    def __call__(self, x: Tensor) -> Tensor:
        return torch.cat([(_ways(rows, self.points, self.reach) - self.psi).amin(1) for rows in torch.split(x, _ROWS)])


@dataclass(frozen=True, eq=False)
class Line:
    """The potential of transport on the line, of ``θ·x`` or of ``‖x - c‖``.

    Attributes:
        along: a unit vector ``(d,)``, or the centre ``(d,)`` of distances.
        radial: which of both.
        knots, values: what is interpolated in straight lines.
        ends: the slopes before the first knot and after the last.
    """

    along: Tensor
    radial: bool
    knots: Tensor
    values: Tensor
    ends: tuple[float, float] = (0.0, 0.0)

    def __call__(self, x: Tensor) -> Tensor:
        place = project(x, self.along, self.radial)
        t = place.clamp(self.knots[0], self.knots[-1])
        outside = self.ends[0] * (place - self.knots[0]).clamp(max=0) + self.ends[1] * (
            place - self.knots[-1]
        ).clamp_min(0)
        right = torch.searchsorted(self.knots, t).clamp(1, len(self.knots) - 1)
        left = right - 1
        width = (self.knots[right] - self.knots[left]).clamp_min(1e-300)
        share = ((t - self.knots[left]) / width).clamp(0, 1)
        return outside + self.values[left] + share * (self.values[right] - self.values[left])


@dataclass(frozen=True, eq=False)
class Folded:
    """One potential around every centre: ``clamp(g(x - c), ±(ρ - ‖x - c‖))`` for the nearest centre c.

    The median of three 1-Lipschitz functions is one; it vanishes at a distance of ρ, half the way from c to the next
    centre, and so do all the others there.
    """

    inner: Potential
    centres: Tensor
    reaches: Tensor
    unit: float
    middle: float

    def __call__(self, x: Tensor) -> Tensor:
        z, room = fold(x, self.centres, self.reaches)
        g = self.unit * (self.inner(z / self.unit) - self.middle)
        return g.clamp(-room, room)


def project(x: Tensor, along: Tensor, radial: bool) -> Tensor:
    return torch.linalg.vector_norm(x - along, dim=1) if radial else x @ along


def fold(x: Tensor, centres: Tensor, reaches: Tensor) -> tuple[Tensor, Tensor]:
    """Each sample as seen from the nearest centre, and how far from the end of its reach."""
    nearest = torch.cdist(x, centres).argmin(1)
    z = x - centres[nearest]
    return z, (reaches[nearest] - torch.linalg.vector_norm(z, dim=1)).clamp_min(0)


def reaches_of(centres: Tensor) -> Tensor:
    """Half the way from each centre to the next."""
    ways = torch.cdist(centres, centres)
    return 0.5 * ways.fill_diagonal_(torch.inf).amin(1)


def extended(samples: Pair, reach: float = torch.inf) -> tuple[McShane, float]:
    """The exact potential of transport between the samples, with ways longer than `reach` cut off; and its value."""
    a, b = (torch.full((len(side),), 1 / len(side), dtype=torch.float64) for side in (samples.x, samples.y))
    found = solve(_ways(samples.x, samples.y, reach), 1.0, a, b)
    return McShane(samples.y, found.potential * found.unit, reach), found.value


def joined(parts: list[McShane], rows: list[Tensor]) -> McShane:
    """One extension of the potentials of several components, each around 0 on `rows` of its own.

    What lies between clusters is then left out of the potential: its offsets tell little more than the noise of counts.
    """
    psi = [part.psi + part(own).median() for part, own in zip(parts, rows)]
    return McShane(torch.cat([part.points for part in parts]), torch.cat(psi), torch.inf)


def on_a_line(samples: Pair, along: Tensor, radial: bool, doubt: float, through: bool = False) -> Line:
    """Slopes are the sign of ``G - F``, or 0 where that is within `doubt` standard deviations of its noise.

    With `through` they are there what they were before it, and go on so beyond the samples.
    """
    knots, difference, variance = differences(*(project(side, along, radial) for side in (samples.x, samples.y)))
    slope = -difference.sign() * (difference.abs() > doubt * variance.sqrt())
    if through and bool(slope.any()):
        certain = slope.nonzero()[:, 0]
        before = (slope != 0).long().cumsum(0) - 1
        slope = slope[certain[before.clamp_min(0)]]
    values = torch.cat([torch.zeros(1, dtype=knots.dtype), (slope * knots.diff()).cumsum(0)])
    ends = (float(slope[0]), float(slope[-1])) if through else (0.0, 0.0)
    return Line(along, radial, knots, values, ends)


def _ways(x: Tensor, y: Tensor, reach: float) -> Tensor:
    ways = torch.cdist(x, y)
    return ways.clamp(max=reach) if reach < torch.inf else ways

"""Sinkhorn's updates: annealed on few samples, extrapolated on all, to the tolerance that was asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.sinkhorn.problem import Problem, Side

ANNEALING = 0.5
"""Factor between temperatures on the way from the largest cost down to epsilon."""

LARGE = 1024
"""Samples of both sides above which a quarter of them, at most as many as this, stand for all on the way down."""

ROUGHLY = 1e-3
"""Mass that the plan between few samples may put in the wrong place: they stand for all with no more digits."""

WINDOW = 5
"""Earlier updates that an extrapolation looks back on."""


@dataclass(frozen=True, eq=False)
class Solved:
    """What a problem came to.

    Attributes:
        value: ``Σ a_i f_i + Σ b_j g_j``, which is the least cost where the potentials are the best.
        potentials: f and g; g fresh, so that the plan's second marginal holds.
        error: mass that the plan puts in the wrong place, what rounding may misplace included.
        iterations: updates at the last temperature.
    """

    value: float
    potentials: tuple[Tensor, Tensor]
    error: float
    iterations: int


def solve(problem: Problem, epsilon: float, largest: float, tolerance: float, limit: int) -> Solved:
    """The potentials at `epsilon`, where no cost is above `largest`, after at most `limit` updates there."""
    f, g, used = _begun(problem, epsilon, largest, tolerance, limit)
    found = _converged(problem, f, g, epsilon, tolerance, max(1, limit - used))
    return Solved(found.value, found.potentials, found.error, found.iterations + used)


def _begun(
    problem: Problem, epsilon: float, largest: float, tolerance: float, limit: int
) -> tuple[Tensor, Tensor, int]:
    """Potentials to begin with, and the updates that they took at `epsilon`."""
    large = min(len(problem.first), len(problem.second)) > LARGE
    if not large or epsilon >= problem.typical:  # at high temperatures the first update is nearly the last
        return *_annealed(problem, epsilon, largest), 0
    rough = problem.to(torch.float32)
    digits = 20 * torch.finfo(torch.float32).eps * largest / epsilon
    if problem.dtype == torch.float32 or digits > 0.1:
        return *_carried(problem, epsilon, largest), 0
    # Most of the way in float32, at half the price.
    found = _converged(rough, *_carried(rough, epsilon, largest), epsilon, max(tolerance, digits), max(1, limit - 1))
    return found.potentials[0].double(), found.potentials[1].double(), found.iterations


def _carried(problem: Problem, epsilon: float, largest: float) -> tuple[Tensor, Tensor]:
    """Potentials between few samples of both sides, carried over to all."""
    count = min(LARGE, len(problem.first) // 4, len(problem.second) // 4)
    first = _few(problem.first, count)
    second = first if problem.symmetric else _few(problem.second, count)
    few = problem.between(first, second, count)
    f, g = _converged(few, *_annealed(few, epsilon, largest), epsilon, ROUGHLY, 100).potentials
    carried = problem.between(problem.first, second).softmin(g, epsilon, rows=True)
    if problem.symmetric:
        return carried, carried
    return carried, problem.between(first, problem.second).softmin(f, epsilon, rows=False)


def _annealed(problem: Problem, epsilon: float, largest: float) -> tuple[Tensor, Tensor]:
    """From the largest cost down to epsilon, both potentials half way at once: quick where both sides are alike."""
    f, g = problem.zeros()
    steps = max(0, math.ceil(math.log(largest / epsilon, 1 / ANNEALING)))
    for temperature in (largest * ANNEALING**step for step in range(steps)):
        if problem.symmetric:
            f = g = (f + problem.first_potential(f, g, temperature)) / 2
        else:
            moved = problem.first_potential(f, g, temperature), problem.second_potential(f, g, temperature)
            f, g = (f + moved[0]) / 2, (g + moved[1]) / 2
    return f, g


def _few(side: Side, count: int) -> Side:
    """Samples at equal steps of the weights, in an order by chance: each stands for as much mass as the others."""
    rng = torch.Generator().manual_seed(0)
    order = torch.randperm(len(side), generator=rng).to(side.points.device)
    reached = side.weights.double()[order].cumsum(0)
    steps = (torch.arange(count, dtype=torch.float64, device=reached.device) + 0.5) / count * reached[-1]
    chosen = order[torch.searchsorted(reached, steps)]
    return Side(side.points[chosen], torch.full_like(side.weights[:count], 1 / count))


@dataclass(frozen=True, eq=False)
class _Step:
    """One update of a potential.

    Attributes:
        before, after: the potential.
        f: that of the first side, fresh from `before`.
        value: the value of the dual at `before`.
        error: mass that the plan of `before` puts in the wrong place.
    """

    before: Tensor
    after: Tensor
    f: Tensor
    value: float
    error: float


def _alternated(problem: Problem, f: Tensor, g: Tensor, epsilon: float) -> _Step:
    """Each potential in turn: f fresh, the first marginal holds; the change of g tells how far off the second is."""
    f = problem.first_potential(f, g, epsilon)
    after = problem.second_potential(f, g, epsilon)
    error = problem.second.mean(torch.expm1((g - after) / epsilon).abs_())
    return _Step(g, after, f, problem.first.mean(f) + problem.second.mean(g), error)


def _halfway(problem: Problem, _: Tensor, f: Tensor, epsilon: float) -> _Step:
    """``OT(P, P)``: both potentials are one, and moving it half way to its update converges in a few steps."""
    fresh = problem.first_potential(f, f, epsilon)
    off = torch.expm1((f - fresh) / epsilon)
    value = 2 * problem.first.mean(f) - epsilon * problem.first.mean(off)
    return _Step(f, (f + fresh) / 2, fresh, value, problem.first.mean(off.abs_()))


def _converged(problem: Problem, f: Tensor, g: Tensor, epsilon: float, tolerance: float, limit: int) -> Solved:
    update = _halfway if problem.symmetric else _alternated
    path = _Path(problem.second.weights.double())
    for iteration in range(1, limit + 1):
        step = update(problem, f, g, epsilon)
        f = step.f
        if step.error <= tolerance or iteration == limit:
            break
        g = path.onwards(step)
    if problem.symmetric:
        found = step.after, step.after
        value = problem.first.mean(step.before) + problem.first.mean(step.f)
    else:
        found = step.f, step.after
        value = problem.first.mean(step.f) + problem.second.mean(step.after)
    return Solved(value, found, max(step.error, _rounding(problem, *found, epsilon)), iteration)


class _Path:
    """Updates so far, from which the next potential is extrapolated (Anderson, "Iterative Procedures for Nonlinear
    Integral Equations", 1965): of all combinations of them, the one whose changes cancel best.

    The value of the dual must not fall. Where it does, the extrapolation is taken back and plain updates begin anew:
    those never lower it.
    """

    def __init__(self, weights: Tensor) -> None:
        self._roots = weights.sqrt()
        self._steps: list[_Step] = []

    def onwards(self, step: _Step) -> Tensor:
        if self._steps and step.value < self._steps[-1].value - torch.finfo(step.after.dtype).eps * abs(step.value):
            plain = self._steps[-1].after
            self._steps.clear()
            return plain
        self._steps = [*self._steps[-WINDOW:], step]
        if len(self._steps) < 2:
            return step.after
        changes = torch.stack([self._roots * (each.after - each.before).double() for each in self._steps], 1)
        turns = changes[:, 1:] - changes[:, :-1]
        square = turns.T @ turns
        square.diagonal().add_(1e-12 * square.diagonal().max() + torch.finfo(torch.float64).tiny)
        shares = torch.linalg.solve(square, turns.T @ changes[:, -1]).to(step.after.dtype)
        ends = torch.stack([each.after for each in self._steps], 1)
        found = step.after - (ends[:, 1:] - ends[:, :-1]) @ shares
        return found if bool(torch.isfinite(found).all()) else step.after


def _rounding(problem: Problem, f: Tensor, g: Tensor, epsilon: float) -> float:
    """What rounding of the potentials may misplace: updates that stand still for want of digits have not converged."""
    size = max(problem.first.mean(f.abs()), problem.second.mean(g.abs()))
    return torch.finfo(problem.dtype).eps * size / epsilon

"""The network simplex, asked so that it can answer: costs near 1, and its answer proved before it is believed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from wganx.errors import WganxError
from wganx.process import interruptible
from wganx.wasserstein.ground_cost import mean_power

ITERATIONS = 10_000_000

LARGE = 2**14
"""Costs of which the solver may take seconds, in which it hears no Ctrl-C: many that are alike are hard."""

OPEN = 1e-6
"""The share of itself by which ``Wp`` may lie above what the potentials prove; more is refused."""

ROUNDS = 50
"""How often distances are cut off at most; hardly any samples need it once."""

FIRST_POWER = 16.0
"""Above this exponent the plan for this one says first how far any plan has to reach."""


@dataclass(frozen=True, eq=False)
class Solved:
    """An optimal plan, and what proves it.

    Attributes:
        plan: ``(n, m)``.
        value: ``(Σ π_ij d_ij^p)^(1/p)``.
        potential: of the second side ``(m,)``, in units of ``unit^p``; -inf where it has no mass.
        unit: the longest distance that was looked at.
    """

    plan: Tensor
    value: float
    potential: Tensor
    unit: float


def solve(between: Tensor, p: float, a: Tensor, b: Tensor) -> Solved:
    """The optimal plan for costs ``d_ij^p``, with ``a (n,)`` and ``b (m,)`` summing to 1; proved to be optimal.

    The solver's tolerances are shares of the largest cost. Where that is far above what the plan costs (a high power,
    a few points far off) it cannot see the difference between plans, which the gap between plan and potentials shows.
    Then distances are cut off where no plan of that cost can use them, and it is asked again: potentials that hold for
    smaller costs hold for all.

    Raises:
        WganxError: the solver gave up, or the gap does not close.
    """
    from_, to = (a > 0).nonzero()[:, 0], (b > 0).nonzero()[:, 0]
    everything = len(from_) == len(a) and len(to) == len(b)
    active = between if everything else between[from_[:, None], to]
    a, b = a[from_], b[to]
    least = float(torch.minimum(a.min(), b.min()))
    # Masses that differ by rounding leave specks on long ways, which a high power would blow up.
    speck = min(torch.finfo(torch.float64).eps * (len(a) + len(b)), 1e-6 * least)
    unit = float(active.max()) or 1.0
    if p > FIRST_POWER:
        value = _value(active, _emd((active / unit).pow(FIRST_POWER), a, b)[0], p)
        unit = min(unit, value * (2 / least) ** (1 / p)) or unit
    for _ in range(ROUNDS):
        costs = (active.clamp(max=unit) / unit).pow(p)
        plan, v = _emd(costs, a, b)
        plan = plan.where(plan > speck, 0.0)
        value, gap = _judge(active, plan, costs, v, a, b, p, unit)
        if gap <= OPEN:
            found = Solved(plan, value, v, unit)
            return found if everything else _whole(found, between, from_, to)
        # Half of the least mass on a longer way than the first of these would cost more than the whole plan. The second
        # promises less, and shows by its gap whether it was right.
        nearer = [value * (2 / least) ** (1 / p), float(active[plan > 0].max())]
        if not min(nearer) < unit:
            break
        unit = nearer[0] if nearer[0] < 0.99 * unit else min(nearer)
    raise WganxError(
        f"exact transport was not solved: the value found may be {gap:.1e} of itself too large, as the distances or "
        "the weights differ too far in size; leave out the farthest samples and the smallest weights, or take a lower p"
    )


def _judge(
    active: Tensor, plan: Tensor, costs: Tensor, v: Tensor, a: Tensor, b: Tensor, p: float, unit: float
) -> tuple[float, float]:
    """``Wp`` by the plan, and by what share of that it may be too large."""
    value = _value(active, plan, p)
    if value == 0:
        return value, 0.0
    u = (costs - v).amin(1)
    proved = float(a @ u + b @ (costs - u[:, None]).amin(0))
    try:
        cost = (value / unit) ** p
    except OverflowError:
        return value, 1.0
    return value, 1 - max(proved / cost, 0.0) ** (1 / p) if cost > 0 else 1.0


def _value(between: Tensor, plan: Tensor, p: float) -> float:
    used = plan.nonzero(as_tuple=True)
    return mean_power(between[used], plan[used], p)


def _emd(costs: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    import ot

    ask = partial(ot.emd, a.numpy(), b.numpy(), costs.numpy(), numItermax=ITERATIONS, log=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it warns of is in the log
        solved, log = interruptible(ask) if costs.numel() > LARGE else ask()
    if log["warning"] is not None:
        raise WganxError(f"exact transport was not solved: {log['warning']}; take fewer samples, or other weights")
    return torch.from_numpy(solved), torch.from_numpy(log["v"])


def _whole(found: Solved, between: Tensor, from_: Tensor, to: Tensor) -> Solved:
    """The same with the rows and columns that have no mass."""
    plan, potential = torch.zeros_like(between), between.new_full((between.shape[1],), -torch.inf)
    plan[from_[:, None], to], potential[to] = found.plan, found.potential
    return Solved(plan, found.value, potential, found.unit)

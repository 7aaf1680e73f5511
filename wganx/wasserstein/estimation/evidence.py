"""What a reading is held against: clusters, candidates without a network, and transport without its bias."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.devices import wide
from wganx.wasserstein.estimation.candidates import Reading, around, choose, read, without_network
from wganx.wasserstein.estimation.components import Components, between, find_components
from wganx.wasserstein.estimation.debiased import Upper, debiased, on_the_line
from wganx.wasserstein.estimation.interval import SIGMAS, Interval
from wganx.wasserstein.estimation.potentials import Folded, Potential, fold, on_a_line, reaches_of
from wganx.wasserstein.estimation.split import Pair, Split, spread_of

_EXTENDED = (100, 1500)
_REPLICATED = (200, 500)
"""Samples a side for extensions, and for each replicate of transport: at least, and at most."""

_NUMBERS = 100_000_000
"""At most so many numbers of a side of a part are held in float64: less than a gigabyte."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Samples in float64 on the CPU, and what was found in them.

    Attributes:
        train, choose, heldout: the parts of the split.
        components: clusters that lie far apart.
        folds: whether most of what there is to read is within the components.
        candidates: potentials without a network, made from `train`.
    """

    train: Pair
    choose: Pair
    heldout: Pair
    components: Components
    folds: bool
    candidates: list[Potential]
    effort: int
    seed: int

    def certified(self, extra: list[Potential]) -> tuple[Potential, Reading]:
        """The best candidate or one of `extra`, and its reading on samples that had no say in it."""
        readers = min(len(self.heldout.x), len(self.heldout.y))
        chosen = choose([*extra, *self.candidates], self.choose, readers)
        return chosen, read(chosen, self.heldout)

    def farthest(self) -> float:
        """The most that a potential whose slopes go on beyond the samples reads, and a standard error.

        What is far out in a heavy tail is missed by potentials that are flat there, and by transport of few samples.
        """
        through = [one for one in self.candidates if any(getattr(getattr(one, "inner", one), "ends", ()))]
        found = [read(one, self.heldout) for one in through]
        return max((reading.value + reading.deviation for reading in found), default=0.0)

    def everything(self) -> Pair:
        return Pair(*(torch.cat([getattr(part, side) for part in (self.train, self.choose, self.heldout)])
                      for side in ("x", "y")))  # fmt: skip

    def on_the_line(self) -> Interval:
        """W1 of samples of one number: solved, with the noise of counts taken out of the value and into the error."""
        every = self.everything()
        value, bias = on_the_line(every.x[:, 0], every.y[:, 0])
        axis = torch.ones(1, dtype=torch.float64)
        error = math.hypot(SIGMAS * read(on_a_line(every, axis, False, 2.5), every).deviation, bias)
        return Interval(value, max(0.0, value - error), value + error)

    def upper(self) -> Upper:
        """Transport without its bias, of all samples: by components, or as a whole where that leaves less open."""
        every = self.everything()
        size = max(_REPLICATED[0], min(_REPLICATED[1], self.effort))
        ways = [self.components]
        if len(self.components) > 1 and not self.folds:
            ways.append(Components(self.components.centres.mean(0, keepdim=True)))
        return min((debiased(every, way, size, self.seed) for way in ways), key=lambda found: found.high)


def gather(samples: Split, effort: int, seed: int) -> Evidence:
    """Find it, with at most `effort` samples a side for exact transport."""
    train, choosing, heldout = (
        Pair(_double(part.x), _double(part.y)) for part in (samples.train, samples.choose, samples.heldout)
    )
    components = find_components(train)
    size = max(_EXTENDED[0], min(_EXTENDED[1], effort))
    folds = len(components) > 1 and _mostly_within(train, components, seed)
    candidates = without_network(train, components, size)
    return Evidence(train, choosing, heldout, components, folds, candidates, effort, seed)


def _mostly_within(train: Pair, components: Components, seed: int) -> bool:
    """Whether the components hold samples of both sides, in shares that differ by no more than counts do."""
    shares = [components.shares(components.of(side)) for side in (train.x, train.y)]
    moved = between(components, (shares[0], shares[1]), (len(train.x), len(train.y)), seed)
    return moved.cost == 0 and float(torch.minimum(*shares).sum()) > 0.5


def folded(samples: Split, components: Components) -> tuple[Split, float]:
    """Every sample as seen from the nearest centre, in a unit of its own; and that unit."""
    centres = components.centres.to(samples.train.x)
    reaches = reaches_of(components.centres).to(samples.train.x)
    parts = [
        Pair(*(fold(side, centres, reaches)[0] for side in (part.x, part.y)))
        for part in (samples.train, samples.choose, samples.heldout)
    ]
    unit = spread_of(parts[0].x, parts[0].y)
    train, choosing, heldout = (Pair(part.x / unit, part.y / unit) for part in parts)
    return Split(train, choosing, heldout, samples.scale * unit, samples.n, samples.dim), unit


def glued(evidence: Evidence, network: Potential, unit: float) -> Folded:
    """A network that learnt on `folded` samples, as a potential of the samples as they are."""
    reaches = reaches_of(evidence.components.centres)
    inner = Pair(
        *(fold(side, evidence.components.centres, reaches)[0] for side in (evidence.train.x, evidence.train.y))
    )
    return around(evidence.components, network, inner, unit)


def _double(values: Tensor) -> Tensor:
    """As many rows as fit."""
    return wide(values[: max(_EXTENDED[1], _NUMBERS // values.shape[1])]).cpu()

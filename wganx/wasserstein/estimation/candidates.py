"""The 1-Lipschitz potentials that a certified reading is chosen from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from wganx.wasserstein.estimation.components import Components
from wganx.wasserstein.estimation.potentials import (
    Folded,
    McShane,
    Potential,
    extended,
    fold,
    joined,
    on_a_line,
    reaches_of,
)
from wganx.wasserstein.estimation.split import Pair
from wganx.wasserstein.quantiles import line_cost

_AXES = 256
_PRINCIPAL = 8
_PRINCIPAL_ROWS = 500
_BEST = 3
_LINE_ROWS = 4000
_DOUBTS = (0.0, 2.5)

_CAUTION = 1.0
"""Standard errors on the samples that choose; and three of the reading itself."""


@dataclass(frozen=True)
class Reading:
    """A potential's reading on some samples: ``mean f(x) - mean f(y)``, and its standard error."""

    value: float
    deviation: float


def read(potential: Potential, samples: Pair) -> Reading:
    """The reading of `potential` on `samples`."""
    return reading_of(potential(samples.x), potential(samples.y))


def reading_of(u: Tensor, v: Tensor) -> Reading:
    """The same from the scores on either side."""
    deviation = math.sqrt(float(u.var()) / len(u) + float(v.var()) / len(v))
    return Reading(float(u.mean() - v.mean()), deviation)


def choose(candidates: list[Potential], judges: Pair, readers: int) -> Potential:
    """The candidate with the best reading on `judges` less its error there, and when read on `readers` samples.

    Not the best reading: between far clusters a potential may read a large number, all of it noise.
    """
    ratio = math.sqrt(min(len(judges.x), len(judges.y)) / readers)

    def merit(found: Reading) -> float:
        return found.value - (_CAUTION + 3 * ratio) * found.deviation

    return max(candidates, key=lambda candidate: merit(read(candidate, judges)))


def without_network(samples: Pair, components: Components, size: int) -> list[Potential]:
    """Potentials of exact transport on lines, around centres and between `size` samples of each side."""
    found: list[Potential] = [*_on_lines(samples)]
    if samples.x.shape[1] == 1:
        return found
    some = Pair(samples.x[:size], samples.y[:size])
    whole, value = extended(some)
    found += [whole, extended(some, 3 * value)[0]] if value > 0 else [whole]
    if len(components) > 1:
        found += _by_component(samples, components, size)
        reaches = reaches_of(components.centres)
        inner = Pair(*(fold(side, components.centres, reaches)[0] for side in (samples.x, samples.y)))
        folded: list[Potential] = [*_on_lines(inner), extended(Pair(inner.x[:size], inner.y[:size]))[0]]
        found += [around(components, one, inner, 1.0) for one in folded]
    return found


def around(components: Components, inner: Potential, samples: Pair, unit: float) -> Folded:
    """`inner`, learnt on `samples` seen from the centres and divided by `unit`, around every centre."""
    rows = torch.cat([samples.x[:500], samples.y[:500]])
    middle = float(inner(rows / unit).median())
    return Folded(inner, components.centres, reaches_of(components.centres), unit, middle)


def _by_component(samples: Pair, components: Components, size: int) -> list[Potential]:
    which = [components.of(side) for side in (samples.x, samples.y)]
    each = max(20, 2 * size // len(components))
    parts: list[McShane] = []
    rows: list[Tensor] = []
    for label in range(len(components)):
        x, y = (side[index == label][:each] for side, index in zip((samples.x, samples.y), which))
        if len(x) and len(y):
            parts.append(extended(Pair(x, y))[0])
            rows.append(torch.cat([x, y]))
    return [joined(parts, rows)] if parts else []


def _on_lines(samples: Pair) -> Iterator[Potential]:
    """Along the most telling directions, and by the distance from the means."""
    x, y = samples.x[:_LINE_ROWS], samples.y[:_LINE_ROWS]
    some = Pair(x, y)
    directions = _directions(x, y)
    told = torch.cat([line_cost(part @ x.T, part @ y.T, 1.0) for part in torch.split(directions, 32)])
    ways = [(directions[index], False) for index in told.topk(min(_BEST, len(told))).indices]
    if x.shape[1] > 1:
        ways += [(centre, True) for centre in (torch.cat([x, y]).mean(0), x.mean(0), y.mean(0))]
    for along, radial in ways:
        for doubt in _DOUBTS:
            yield on_a_line(some, along, radial, doubt)
        yield on_a_line(some, along, radial, _DOUBTS[-1], through=True)


def _directions(x: Tensor, y: Tensor) -> Tensor:
    """Unit vectors: the axes of few, the difference of the means, principal axes of both sides and of both together."""
    dim = x.shape[1]
    found = [torch.eye(dim, dtype=x.dtype)] if dim <= _AXES else []
    apart = x.mean(0) - y.mean(0)
    if dim > 1 and float(apart.norm()) > 0:
        found.append((apart / apart.norm())[None])
    if dim > 1:
        for rows in (x, y, torch.cat([x, y])):
            found.append(_principal((rows - rows.mean(0))[:: max(1, len(rows) // _PRINCIPAL_ROWS)]))
    return torch.cat(found) if found else torch.eye(dim, dtype=x.dtype)[:1]


def _principal(rows: Tensor) -> Tensor:
    """The leading principal axes of centred rows, by their Gram matrix, whatever their length."""
    sizes, left = torch.linalg.eigh(rows @ rows.T)
    kept = sizes[-_PRINCIPAL:] > 1e-9 * sizes[-1]
    axes: Tensor = left[:, -_PRINCIPAL:][:, kept].T @ rows
    lengths: Tensor = torch.linalg.vector_norm(axes, dim=1, keepdim=True)
    return axes / lengths

"""How far two sets of samples lie apart, with an interval, beside how far one set lies from itself.

Each set is cut at random into 2R disjoint blocks of n rows (`wganx.evaluation.protocol`). Blocks 1 to R of A against
blocks 1 to R of B give R independent values; blocks 1 to R of a set against its blocks R + 1 to 2R give the floor,
which is what two draws of the same distribution show. The floor of a pair is the mean of its two.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from torch import Tensor

from wganx.errors import DataError, UsageError, did_you_mean
from wganx.evaluation.protocol import CONFIDENCE, Interval, excess, interval, plan
from wganx.evaluation.samples import SampleSet, check_alike, check_scales
from wganx.tables import Table, between, figure
from wganx.wasserstein import (
    bracket_w1,
    energy_distance,
    estimate_w1,
    exact_w1,
    max_sliced_w1,
    mmd,
    sinkhorn_divergence,
    sliced_w1,
    sliced_w2,
)
from wganx.wasserstein.divergences import median_distance

EPSILON_SHARE = 0.05

PROBE, LONG = 1200, 20.0
"""Rows of the block by which the time of larger ones is foretold, and the seconds that are worth a word."""

Blocks = tuple[Tensor, Tensor]
Method = Callable[[Tensor, Tensor, int, float], Mapping[str, float]]
"""Two blocks, a seed and the scale of the data (a median distance, the same for all blocks) -> values by row name."""


@dataclass(frozen=True)
class DistanceRow:
    """One quantity: between A and B, within A and within B, between blocks of the same size.

    Attributes:
        excess: `between` less the mean of the two floors; its interval covers 0 where A and B are the same.
        ratio: `between` over the mean of the two floors; None where these are not above 0.
        seconds: of all repetitions; of the whole method where it has several rows.
    """

    method: str
    between: Interval
    floor_a: Interval
    floor_b: Interval
    excess: Interval
    ratio: float | None
    seconds: float


@dataclass(frozen=True)
class DistanceReport:
    """What `measure_distances` found, with the protocol.

    Attributes:
        n: rows of a block.
        repeats: pairs of blocks behind each interval.
        scale: median distance of two samples: the bandwidth of mmd, and 20 times the epsilon of sinkhorn.
        versions: of what computed it.
        notes: what is to be known of the sets.
    """

    a: str
    b: str
    n: int
    repeats: int
    seed: int
    shape: tuple[int, ...]
    dim: int
    scale: float
    confidence: float
    rows: tuple[DistanceRow, ...]
    versions: Mapping[str, str]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def __repr__(self) -> str:
        return self._table().text()

    def _repr_html_(self) -> str:
        return self._table().html()

    def _table(self) -> Table:
        """Every distance beside the floors of both sets."""
        rows = []
        for row in self.rows:
            found = (row.between, row.floor_a, row.floor_b, row.excess)
            cells = (f"{figure(each.mean)} {between(each.low, each.high)}" for each in found)
            rows.append((row.method, *cells, "-" if row.ratio is None else f"{row.ratio:.3g}"))
        blocks = f"{self.repeats} pairs of blocks of {self.n} rows, {self.dim:,} numbers, seed {self.seed}"
        head = ("method", "A and B", "floor A", "floor B", "excess", "ratio")
        return Table(f"A {self.a}, B {self.b}: {blocks}", head, rows, self.notes)

    def sentence(self) -> str:
        """What the numbers are."""
        return (
            f"Means over {self.repeats} pairs of disjoint blocks of {self.n} rows, with 95 % t intervals: the distance "
            f"between {self.n} draws of A and of B, which in {self.dim:,} dimensions lies above that of the "
            "distributions; the floors are the same between draws of one set. The excess is what is left above them; "
            "where A and B are alike, its interval covers 0."
        )


def measure_distances(
    a: SampleSet,
    b: SampleSet,
    *,
    methods: Sequence[str] = (),
    n: int | None = None,
    repeats: int | None = None,
    seed: int = 0,
    watch: Callable[[str], None] = lambda message: None,
    tell: Callable[[str], None] = lambda message: None,
) -> DistanceReport:
    """Measure how far `a` and `b` lie apart.

    Args:
        methods: names from `METHODS`; exact-w1, sliced-w1 and energy by default.
        n, repeats: as `plan` chooses.
        seed: of the cut into blocks and of the methods' own draws.
        watch: told before every distance.
        tell: told before a method how long it will take, where that is more than `LONG` seconds.

    Raises:
        UsageError: an unknown method, or twice the same set.
        DataError: too few samples, samples of different shapes, or bytes against numbers from -1 to 1.
    """
    if a.name == b.name:
        raise UsageError(
            f"A and B are both {a.name}; the floor columns of any comparison already say how far draws of it lie apart"
        )
    chosen = {name: _method(name) for name in methods or DEFAULT_METHODS}
    n, repeats = plan({a.name: a.size, b.name: b.size}, n, repeats)
    # Orders of their own, lest row i of one file meet row i of the other where these belong together.
    sets = {side.name: side.draw(2 * repeats * n, 2 * seed + own) for own, side in enumerate((a, b))}
    check_alike(sets)
    note = check_scales(a, b, sets)
    rows_a, rows_b = (rows.reshape(len(rows), -1) for rows in sets.values())
    scale = median_distance(rows_a, rows_b)
    blocks_a, blocks_b = (rows.split(n) for rows in (rows_a, rows_b))  # type: ignore[no-untyped-call]
    pairs = {
        "A and B": list(zip(blocks_a[:repeats], blocks_b[:repeats])),
        "A and A": list(zip(blocks_a[:repeats], blocks_a[repeats:])),
        "B and B": list(zip(blocks_b[:repeats], blocks_b[repeats:])),
    }
    if "exact-w1" in chosen:
        import ot  # noqa: F401 - takes seconds, which are none of the distance's own
    rows: list[DistanceRow] = []
    for name, method in chosen.items():
        if name in GROWTH:
            _foretell(name, method, pairs["A and B"][0], seed, scale, 3 * repeats, tell)
        rows += _measure(name, method, pairs, seed, scale, watch)
    shape = tuple(next(iter(sets.values())).shape[1:])
    return DistanceReport(
        a=a.name,
        b=b.name,
        n=n,
        repeats=repeats,
        seed=seed,
        shape=shape,
        dim=math.prod(shape),
        scale=scale,
        confidence=CONFIDENCE,
        rows=tuple(rows),
        versions={package: version(package) for package in ("wganx", "torch", "POT", "numpy")},
        notes=() if note is None else (note,),
    )


def _measure(
    name: str,
    method: Method,
    pairs: Mapping[str, list[Blocks]],
    seed: int,
    scale: float,
    watch: Callable[[str], None],
) -> list[DistanceRow]:
    started = time.perf_counter()
    found: dict[str, list[Mapping[str, float]]] = {}
    done, all_of_them = 0, sum(map(len, pairs.values()))
    for sides, blocks in pairs.items():
        found[sides] = []
        for index, (x, y) in enumerate(blocks):
            left = (time.perf_counter() - started) / done * (all_of_them - done) if done else 0.0
            watch(f"{name}: {sides}, {index + 1} of {len(blocks)}" + (f"; {_in_words(left)} left" if left > 2 else ""))
            done += 1
            try:
                found[sides].append(method(x, y, seed + index, scale))
            except ValueError as error:
                raise DataError(f"{name}: {error}") from error
    seconds = time.perf_counter() - started
    return [
        _row(quantity, [[value[quantity] for value in found[sides]] for sides in pairs], seconds)
        for quantity in found["A and B"][0]
    ]


def _foretell(
    name: str, method: Method, blocks: Blocks, seed: int, scale: float, count: int, tell: Callable[[str], None]
) -> None:
    """Say how long `count` distances will take, by one of smaller blocks."""
    n = len(blocks[0])
    if n < 2 * PROBE:
        return
    try:
        method(blocks[0][:20], blocks[1][:20], seed, scale)  # what a first call alone takes is left out
        started = time.perf_counter()
        method(blocks[0][:PROBE], blocks[1][:PROBE], seed, scale)
    except ValueError:
        return  # the whole block will say it
    wanted = (time.perf_counter() - started) * (n / PROBE) ** GROWTH[name] * count
    if wanted > LONG:
        tell(f"{name}: {_in_words(wanted)} for {count} distances of {n:,} rows; a smaller --n or --repeats takes less")


def _in_words(seconds: float) -> str:
    for unit, length in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"about {seconds / length:.0f} {unit}"
    return f"about {seconds:.0f} seconds"


def _row(quantity: str, values: Sequence[Sequence[float]], seconds: float) -> DistanceRow:
    between, a, b = values
    floors = [(one + other) / 2 for one, other in zip(a, b)]
    floor = sum(floors) / len(floors)
    ratio = sum(between) / len(between) / floor if floor > 0 else None
    intervals = (interval(between), interval(a), interval(b), excess(between, floors))
    return DistanceRow(quantity, *intervals, ratio, seconds)


def _method(name: str) -> Method:
    if name not in METHODS:
        raise UsageError(f"no method named {name!r}; offered: {', '.join(METHODS)}{did_you_mean(name, METHODS)}")
    return METHODS[name]


def _mmd(x: Tensor, y: Tensor, seed: int, scale: float) -> Mapping[str, float]:
    return {"mmd": mmd(x, y, bandwidth=scale, unbiased=False).value}


def _sinkhorn(x: Tensor, y: Tensor, seed: int, scale: float) -> Mapping[str, float]:
    return {"sinkhorn": sinkhorn_divergence(x, y, epsilon=EPSILON_SHARE * scale).value}


def _estimate(method: str) -> Method:
    def measure(x: Tensor, y: Tensor, seed: int, scale: float) -> Mapping[str, float]:
        return {method: estimate_w1(x, y, method, seed=seed).value}

    return measure


def _bracket(x: Tensor, y: Tensor, seed: int, scale: float) -> Mapping[str, float]:
    found = bracket_w1(x, y, seed=seed)
    return {f"bracket {part}": float(getattr(found, part)) for part in ("lower", "point", "upper")}


DEFAULT_METHODS = ("exact-w1", "sliced-w1", "energy")
METHODS: Mapping[str, Method] = {
    "exact-w1": lambda x, y, seed, scale: {"exact-w1": exact_w1(x, y).value},
    "sliced-w1": lambda x, y, seed, scale: {"sliced-w1": sliced_w1(x, y, seed=seed).value},
    "sliced-w2": lambda x, y, seed, scale: {"sliced-w2": sliced_w2(x, y, seed=seed).value},
    "max-sliced-w1": lambda x, y, seed, scale: {"max-sliced-w1": max_sliced_w1(x, y, seed=seed).value},
    "sinkhorn": _sinkhorn,
    "energy": lambda x, y, seed, scale: {"energy": energy_distance(x, y, unbiased=False).value},
    "mmd": _mmd,
    "orthogonal": _estimate("orthogonal"),
    "lipschitz-penalty": _estimate("lipschitz-penalty"),
    "bracket": _bracket,
}
GROWTH = {"exact-w1": 2.5, "sinkhorn": 2.0, "energy": 2.0, "mmd": 2.0}
"""The power of the rows with which the time of a method grows, where that is above 1."""

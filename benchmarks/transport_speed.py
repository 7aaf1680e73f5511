"""Distances between sets of samples against those of other libraries: time, memory and error, in turns.

Run: python benchmarks/transport_speed.py [--distance NAME ...] [--sizes 2000 10000] [--dims 2 8 64] [--rounds 3]
     [--threads 1] [--clock cpu|wall]

Wants POT, and geomloss for its rows (pip install geomloss). Each row is printed as it is done; an hour for both sizes
on one core. `ratio` is the time of wganx over that of the row, of medians, with the middle 80 % of the rounds: below 1
wganx is quicker. `error` is the relative error of the value (of S itself, not of its root), each library against its
own definition at much closer convergence; `memory` the peak above what the process held before, in MiB, on Linux.
"""

from __future__ import annotations

import argparse
import statistics
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from timing import describe_machine, machine, ratio, take_turns
from torch import Tensor

from wganx.wasserstein import SinkhornDistance, sinkhorn_divergence


@dataclass(frozen=True)
class Contestant:
    """A way to a value, and the value that it would have with no error; `rival` is what it is compared with."""

    value: Callable[[], float]
    truth: float
    rival: str | None = None


@dataclass(frozen=True)
class Case:
    """Two sets of samples: unit Gaussians, the second wider and moved."""

    distance: str
    n: int
    dim: int
    p: float

    def samples(self) -> tuple[Tensor, Tensor]:
        rng = torch.Generator().manual_seed(1)
        x, y = torch.randn(2, self.n, self.dim, generator=rng).unbind(0)
        return x, 1.2 * y + 0.3


def sinkhorn(case: Case) -> Mapping[str, Contestant]:
    """At the default temperature. geomloss has half the squared distance for its cost, and POT takes no entropy."""
    x, y = case.samples()
    x64, y64, p = x.double(), y.double(), case.p
    best = sinkhorn_divergence(x64, y64, p=p, tolerance=1e-8 if case.n < 5000 else 1e-6)
    epsilon = best.epsilon
    truth = float(best) ** p
    without_entropy = transported(best, x64, y64, p)

    def ours(x: Tensor, y: Tensor) -> Contestant:
        return Contestant(lambda: float(sinkhorn_divergence(x, y, p=p, epsilon=epsilon)) ** p, truth)

    found = {"wganx float32": ours(x, y), "wganx float64": ours(x64, y64)}
    try:
        from geomloss import SamplesLoss
    except ImportError:
        print("geomloss is not here: pip install geomloss")
    else:
        blur = epsilon if p == 1 else (epsilon / 2) ** 0.5

        def geomloss(scaling: float) -> Callable[[], float]:
            loss = SamplesLoss("sinkhorn", p=int(p), blur=blur, scaling=scaling, backend="tensorized")
            return lambda: p * float(loss(x, y))

        scalings = (0.5, 0.9) if case.n < 5000 else (0.5,)
        found |= {f"geomloss float32, scaling {s}": Contestant(geomloss(s), truth, "wganx float32") for s in scalings}
    from ot.bregman import empirical_sinkhorn_divergence

    def pot(threshold: float) -> Callable[[], float]:
        settings = {"metric": "euclidean" if p == 1 else "sqeuclidean", "stopThr": threshold, "numIterMax": 10_000}
        return lambda: float(empirical_sinkhorn_divergence(x64.numpy(), y64.numpy(), epsilon, **settings))

    thresholds = (1e-4, 1e-6) if case.n < 5000 else (1e-5,)
    return found | {
        f"POT float64, stopThr {t:g}": Contestant(pot(t), without_entropy, "wganx float64") for t in thresholds
    }


def transported(best: SinkhornDistance, x: Tensor, y: Tensor, p: float) -> float:
    """``Σ π_ij c_ij``, less half of both sets' own: the divergence as POT defines it."""

    def cost(x: Tensor, y: Tensor, f: Tensor, g: Tensor) -> float:
        total = 0.0
        for rows, potential in zip(torch.split(x, 256), torch.split(f, 256)):
            squared = rows.square().sum(1)[:, None] + y.square().sum(1) - 2 * rows @ y.T
            costs = squared.clamp_(min=0).pow_(p / 2)
            total += float((((potential[:, None] + g - costs) / best.epsilon).exp_() * costs).sum())
        return total / (len(x) * len(y))

    own = [cost(side, side, f, f) for side, f in zip((x, y), best.self_potentials)]
    return cost(x, y, *best.potentials) - sum(own) / 2


DISTANCES: dict[str, tuple[Callable[[Case], Mapping[str, Contestant]], tuple[float, ...]]] = {
    "sinkhorn": (sinkhorn, (1.0, 2.0)),
}
"""What a distance is compared with, and the powers p of its rows."""


def cases(names: list[str], sizes: list[int], dims: list[int]) -> Iterator[Case]:
    for name in names:
        for n in sizes:
            for dim in dims:
                for p in DISTANCES[name][1]:
                    yield Case(name, n, dim, p)


def peak(call: Callable[[], float]) -> tuple[float, float | None]:
    """What `call` returns, and by how many MiB the process grew meanwhile."""
    status = Path("/proc/self/status")
    if not status.exists():
        return call(), None

    def held(field: str) -> float:
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith(field))
        return float(line.split()[1]) / 1024

    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = held("VmRSS")
    return call(), held("VmHWM") - before


def rows(case: Case, rounds: int, clock: str) -> Iterator[str]:
    contestants = DISTANCES[case.distance][0](case)
    found: dict[str, tuple[float, float | None]] = {}

    def turn(name: str) -> Callable[[int], None]:
        return lambda _: found.update({name: peak(contestants[name].value)})

    turns = {name: turn(name) for name in contestants}
    times = take_turns(turns, dict.fromkeys(contestants, 1), rounds, torch.device("cpu"))
    for name, each in contestants.items():
        value, memory = found[name]
        against = "" if each.rival is None else str(ratio(times[each.rival].of(clock), times[name].of(clock)))
        cells = [
            case.distance, f"{case.n:,}", str(case.dim), f"{case.p:g}", name, against,
            f"{statistics.median(times[name].of(clock)):.2f}", f"{value / each.truth - 1:+.0e}",
            "" if memory is None else f"{memory:,.0f}",
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--distance", nargs="+", choices=DISTANCES, default=list(DISTANCES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[2000, 10_000])
    parser.add_argument("--dims", nargs="+", type=int, default=[2, 8, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=["cpu", "wall"], default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")  # of peers that stop short of what they were asked for
    print(describe_machine(machine(torch.device("cpu"))))
    header = ["distance", "n", "d", "p", "by", "ratio", f"{given.clock} s", "error", "memory"]
    print(f"\n| {' | '.join(header)} |\n|{'---|' * len(header)}")
    for case in cases(given.distance, given.sizes, given.dims):
        for row in rows(case, given.rounds, given.clock):
            print(row, flush=True)


if __name__ == "__main__":
    main()

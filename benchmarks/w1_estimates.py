"""Readings of W1 by every method on pairs with known answers: error, Lipschitz constant, time.

Run: python benchmarks/w1_estimates.py [--quick] [--case NAME ...] [--method NAME ...] [--seeds 5] [--samples 20000]
     [--steps 2000] [--save FILE]

Ten cases, nine methods, about 10 s each and seed on one core: an hour and a quarter for five seeds, six minutes for
two cases and two seeds (--quick). Each row is printed as it is done; with --save FILE what was measured is kept
there, one line each, and a second call goes on where the first stopped.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

import wganx
from wganx.wasserstein import Constraint, estimate_w1

METHODS: dict[str, str | Constraint] = {
    "orthogonal": "orthogonal",
    "lipschitz-penalty 100": "lipschitz-penalty",
    "gradient-penalty 100": "gradient-penalty",
    "max-gradient-penalty 100": "max-gradient-penalty",
    "lipschitz-penalty 10": wganx.LipschitzPenalty(10.0),
    "gradient-penalty 10": wganx.GradientPenalty(10.0),
    "spectral-norm": "spectral-norm",
    "clip": "clip",
    "c-transform": "c-transform",
}

Draw = Callable[[int, torch.Generator], tuple[Tensor, Tensor]]


def shift(dim: int, by: float) -> Draw:
    """Unit Gaussians whose means are `by` apart."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = torch.randn(2, n, dim, generator=rng).unbind(0)
        y[:, 0] += by
        return x, y

    return draw


def spread(dim: int, by: float) -> Draw:
    """Gaussians around the same mean, one `by` times as wide."""

    def draw(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        x, y = torch.randn(2, n, dim, generator=rng).unbind(0)
        return x, by * y

    return draw


def spread_truth(dim: int, by: float) -> float:
    """``|s - 1| E ‖Z‖``: every point moves along its ray."""
    return abs(by - 1) * math.sqrt(2) * math.exp(math.lgamma((dim + 1) / 2) - math.lgamma(dim / 2))


def ring(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Eight narrow Gaussians on a circle of radius 2, and one of deviation 0.2 in the middle."""
    angle = torch.randint(8, (n,), generator=rng) * math.pi / 4
    modes = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    return modes + 0.05 * torch.randn(n, 2, generator=rng), 0.2 * torch.randn(n, 2, generator=rng)


def annuli(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Uniform between the radii 1 and 2, and between 2 and 3."""

    def one(low: float, high: float) -> Tensor:
        radius = (low**2 + (high**2 - low**2) * torch.rand(n, generator=rng)).sqrt()
        angle = 2 * math.pi * torch.rand(n, generator=rng)
        return radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)

    return one(1, 2), one(2, 3)


def tilted_ring(n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """The ring on a plane in 256 dimensions that no axis lies in."""
    plane = torch.linalg.qr(torch.randn(256, 2, generator=rng)).Q
    x, y = ring(n, rng)
    return x @ plane.T, y @ plane.T


RING = 1.7561  # exact transport of 3 x 3000 samples, spread 0.0013

CASES: dict[str, tuple[Draw, float]] = {
    "2-D, means 2 apart": (shift(2, 2), 2.0),
    "ring of 8 around a Gaussian": (ring, RING),
    "16-D, means 2 apart": (shift(16, 2), 2.0),
    "16-D, twice as wide": (spread(16, 2), spread_truth(16, 2)),
    "64-D, means 2 apart": (shift(64, 2), 2.0),
    "64-D, twice as wide": (spread(64, 2), spread_truth(64, 2)),
    "annuli [1, 2] and [2, 3]": (annuli, 0.9778),
    "the ring on a plane in 256-D": (tilted_ring, RING),
    "2-D, means 0.5 apart": (shift(2, 0.5), 0.5),
    "2-D, means 100 apart": (shift(2, 100), 100.0),
}
QUICK = ("2-D, means 2 apart", "ring of 8 around a Gaussian")


def measure(case: str, method: str, seed: int, samples: int, steps: int) -> dict[str, float]:
    """One estimate, its errors in per cent of the truth."""
    draw, truth = CASES[case]
    x, y = draw(samples, torch.Generator().manual_seed(1000 + seed))
    found = estimate_w1(x, y, METHODS[method], steps=steps, seed=seed, device="cpu")

    def off(reading: float) -> float:
        return 100 * (reading / truth - 1)

    return {
        "raw": off(found.raw),
        "value": off(found.value),
        "error": 100 * (found.error or 0.0) / truth,
        "lipschitz": found.lipschitz,
        "seconds": found.seconds,
    }


def row(case: str, method: str, found: Sequence[dict[str, float]]) -> str:
    """Means over the seeds, and the seed that is farthest off; of the seconds the median."""

    def mean(name: str) -> float:
        return sum(one[name] for one in found) / len(found)

    def with_worst(name: str) -> str:
        return f"{mean(name):+.1f} ({max((one[name] for one in found), key=abs):+.1f})"

    above = max((one["value"] - one["error"] for one in found), default=0.0)
    cells = [
        case,
        method,
        with_worst("raw"),
        with_worst("value"),
        f"{mean('error'):.1f}",
        "yes" if above > 0 else "no",
        f"{mean('lipschitz'):.3g}",
        f"{statistics.median(one['seconds'] for one in found):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, help="seeds a row (5; 2 with --quick)")
    parser.add_argument("--samples", type=int, default=20_000, help="a side; half of them are held out")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--quick", action="store_true", help="two cases only")
    parser.add_argument("--case", action="append", choices=list(CASES), help="this one only; may be repeated")
    parser.add_argument("--method", action="append", choices=list(METHODS), help="this one only; may be repeated")
    parser.add_argument("--save", type=Path, help="keep what was measured in this file, and go on from it")
    given = parser.parse_args()
    seeds = given.seeds or (2 if given.quick else 5)
    torch.set_num_threads(1)

    known: dict[str, dict[str, float]] = {}
    if given.save and given.save.exists():
        for line in given.save.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            known[entry["key"]] = entry["found"]

    print(
        f"wganx {wganx.__version__}, torch {torch.__version__}, {platform.machine()}, one of {os.cpu_count()} cores; "
        f"{given.samples} samples a side, half of them held out; {given.steps} steps; seeds 0 to {seeds - 1}.\n"
        "Errors in % of the true W1: mean over the seeds, in brackets the worst.\n"
    )
    print("| case | method | raw | value | stated error | above it | Lipschitz | seconds |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    for case in given.case or (QUICK if given.quick else CASES):
        for method in given.method or METHODS:
            found = []
            for seed in range(seeds):
                key = f"{case}; {method}; seed {seed}; {given.samples} samples; {given.steps} steps"
                if key not in known:
                    known[key] = measure(case, method, seed, given.samples, given.steps)
                    if given.save:
                        with given.save.open("a", encoding="utf-8") as file:
                            file.write(json.dumps({"key": key, "found": known[key]}) + "\n")
                found.append(known[key])
            print(row(case, method, found), flush=True)


if __name__ == "__main__":
    main()

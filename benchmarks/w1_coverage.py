"""Certified readings and point estimates on pairs whose W1 is known: do their intervals cover it, how wide are they?

Run: python benchmarks/w1_coverage.py [--seeds 1] [--pair NAME ...] [--steps 2000] [--save FILE]

The pairs are those of w1_pairs.py: 1 to 128 dimensions, 1 to 100 modes, 300 to 20 000 samples a side. Some 25 s each
and seed on one core. With --save FILE what was measured is kept there, one line each, and a second call goes on where
the first stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
from collections.abc import Iterable
from pathlib import Path

import torch
from w1_pairs import KnownPair, pairs

import wganx
from wganx.wasserstein import estimate_w1

Found = dict[str, float]


def measure(pair: KnownPair, seed: int, steps: int) -> Found:
    """Both estimates of one draw, and the seconds of CPU each took."""
    x, y = pair.samples(seed)
    lower = estimate_w1(x, y, steps=steps, seed=seed, device="cpu")
    point = estimate_w1(x, y, "lipschitz-penalty", steps=steps, seed=seed, device="cpu")
    assert lower.error is not None
    assert point.error is not None
    assert point.low is not None
    assert point.high is not None
    return {
        "dim": x.shape[1],
        "certified": lower.value,
        "certified error": lower.error,
        "certified seconds": lower.seconds,
        "point": point.value,
        "point error": point.error,
        "low": point.low,
        "high": point.high,
        "point seconds": point.seconds,
    }


def above(pair: KnownPair, found: Found) -> bool:
    """Whether the certified reading lies above W1 by more than its error."""
    return found["certified"] - found["certified error"] > pair.truth


def covers(pair: KnownPair, found: Found) -> bool:
    return abs(found["point"] - pair.truth) <= found["point error"]


def row(pair: KnownPair, seed: int, found: Found) -> str:
    """Readings in the units of the samples; how wide the point's interval is, as a share of W1."""
    width = f"{100 * found['point error'] / pair.truth:.0f}" if pair.truth else "-"
    cells = [
        pair.name,
        f"{found['dim']:.0f}",
        f"{pair.n}",
        f"{seed}",
        f"{pair.truth:.4g}",
        f"{found['certified']:.4g} ± {found['certified error']:.2g}",
        "yes" if above(pair, found) else "no",
        f"{found['point']:.4g} ± {found['point error']:.2g}",
        f"{found['low']:.4g} to {found['high']:.4g}",
        "yes" if covers(pair, found) else "NO",
        width,
        f"{found['certified seconds']:.0f} + {found['point seconds']:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def summary(rows: Iterable[tuple[KnownPair, Found]]) -> str:
    every = list(rows)
    covered = sum(covers(pair, found) for pair, found in every)
    exceeding = sum(above(pair, found) for pair, found in every)
    widths = [100 * found["point error"] / pair.truth for pair, found in every if pair.truth]
    short = [100 * (1 - found["certified"] / pair.truth) for pair, found in every if pair.truth]
    return (
        f"Covered by the point estimate: {covered} of {len(every)}. Certified readings above W1 by more than their "
        f"error: {exceeding or 'none'}. Medians: error stated {statistics.median(widths):.0f} % of W1, certified "
        f"reading {statistics.median(short):.0f} % below W1."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1, help="draws of each pair")
    parser.add_argument("--pair", action="append", help="those whose name holds this; may be repeated")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--save", type=Path, help="keep what was measured in this file, and go on from it")
    given = parser.parse_args()
    torch.set_num_threads(1)

    known: dict[str, Found] = {}
    if given.save and given.save.exists():
        for line in given.save.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            known[entry["key"]] = entry["found"]

    print(
        f"wganx {wganx.__version__}, torch {torch.__version__}, {platform.machine()}, one of {os.cpu_count()} cores; "
        f"{given.steps} steps. Seconds: certified + point.\n"
    )
    print(
        "| pair | d | n | seed | W1 | certified | above it | point | low to high | covers | error, % of W1 | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    rows = []
    for index, pair in enumerate(pairs()):
        if given.pair and not any(part in pair.name for part in given.pair):
            continue
        for seed in range(given.seeds):
            key = f"{index} {pair.name}; n {pair.n}; seed {seed}; {given.steps} steps"
            if key not in known:
                known[key] = measure(pair, seed, given.steps)
                if given.save:
                    with given.save.open("a", encoding="utf-8") as file:
                        file.write(json.dumps({"key": key, "found": known[key]}) + "\n")
            rows.append((pair, known[key]))
            print(row(pair, seed, known[key]), flush=True)
    if rows:
        print("\n" + summary(rows))


if __name__ == "__main__":
    main()

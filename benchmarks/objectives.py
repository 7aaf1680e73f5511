"""Generators trained by each objective for the same CPU time: on a ring, on a grid, and on handwritten digits.

    wgan-gp        Wasserstein with a critic under the two-sided gradient penalty, with the weight 10, 5 updates of it
                   a step and the rate 1e-4 of the paper
    scenario       Wasserstein with the critic, constraint and updates that the scenario was made with
    energy         energy distance of the batches, no critic
    sliced         sliced W2 squared of the batches, 256 directions a step, no critic
    sinkhorn       debiased Sinkhorn divergence of the batches, no critic
    energy+critic  energy distance of what the critic makes of the batches, one-sided penalty, 1 update of it a step
    sliced+critic  the same with sliced W2 squared

Generator, batch size, weight average and, but for `wgan-gp`, rates are the scenario's; none is tuned for an objective.

What a step of each costs is measured first: all take turns in one process with one thread, on its CPU clock, and a cost
is a median. Each then trains for as many steps as fit into the budget, with a rate that falls over these, so that other
work on the machine changes no result. Feeding is part of the cost; scores, previews and checkpoints are not.

Scores are the plugin's own on held-out data, beside the floor that as many real samples get: modes found, the share of
samples within 3 sigma of one and exact W1; for digits the Frechet distance and classes in the features of its own
extractor, and the class score.

Run: python benchmarks/objectives.py [ring grid digits] [--seconds S] [--seeds N] [--json FILE] [--quick]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from timing import describe_machine, machine, take_turns

import wganx
from wganx.config import resolve
from wganx.engine.carrying.stream import Stream
from wganx.runs.assembly import Assembly

OBJECTIVES: Mapping[str, Mapping[str, Any]] = {
    "wgan-gp": {
        "constraint.name": "gradient-penalty", "constraint.weight": 10.0, "train.critic_steps": 5, "optimizer.lr": 1e-4,
    },
    "scenario": {},
    "energy": {"objective.name": "energy"},
    "sliced": {"objective.name": "sliced"},
    "sinkhorn": {"objective.name": "sinkhorn"},
    "energy+critic": {
        "objective.name": "energy", "objective.features": "critic", "constraint.name": "lipschitz-penalty",
        "train.critic_steps": 1,
    },
    "sliced+critic": {
        "objective.name": "sliced", "objective.features": "critic", "constraint.name": "lipschitz-penalty",
        "train.critic_steps": 1,
    },
}  # fmt: skip


@dataclass(frozen=True)
class Data:
    """What is learnt, for how many CPU seconds, and how it is scored."""

    plugin: str
    seconds: float
    metrics: tuple[str, ...]
    shown: tuple[str, ...]
    options: Mapping[str, Any]
    n: int


DATA = {
    "ring": Data("points", 50, ("modes", "exact-w1"), ("modes", "high_quality", "w1"), {}, 1000),
    "grid": Data("points", 60, ("modes", "exact-w1"), ("modes", "high_quality", "w1"), {}, 1000),
    # Without labels, which features of a critic are compared without.
    "digits": Data(
        "image", 120, ("frechet", "class-score"), ("frechet_distance", "class_score"),
        {"task.labels": False}, 300,
    ),
}  # fmt: skip
QUICK = {"dataset.count": 400, "train.batch_size": 16, "generator.width": 8}


def overrides(data: Data, objective: str, quick: bool) -> dict[str, Any]:
    """The settings of one training beside the scenario's."""
    small = {name: value for name, value in QUICK.items() if data.plugin == "points" or name != "dataset.count"}
    rules = dict(OBJECTIVES[objective])
    return {**data.options, **(small if quick else {}), **rules}


def costs(name: str, rounds: int, quick: bool) -> dict[str, float]:
    """CPU seconds a step of each objective, by the median of rounds in which all take turns."""
    data = DATA[name]
    with ExitStack() as stack:
        contestants: dict[str, Callable[[int], object]] = {}
        for objective in OBJECTIVES:
            settings = {**overrides(data, objective, quick), "train.steps": 10**6}
            assembly = Assembly(resolve(plugin=data.plugin, scenario=name, device="cpu", overrides=settings))
            training = assembly.trainer.training
            stream = Stream(assembly.stream, assembly.device)
            training.check(stream.peek())
            contestants[objective] = _stepping(training, stream)
            stack.callback(assembly.close)
        for step in contestants.values():  # what comes first makes what the others find made
            step(2)
        times = take_turns(contestants, dict.fromkeys(contestants, 4), rounds, torch.device("cpu"))
    return {objective: statistics.median(found.cpu) for objective, found in times.items()}


def _stepping(training: Any, stream: Stream) -> Callable[[int], object]:
    def step(count: int) -> None:
        with training.running(stream):
            for _ in range(count):
                training.advance()

    return step


def trained(name: str, objective: str, steps: int, seed: int, quick: bool) -> dict[str, Any]:
    """One training, and what it scores."""
    data = DATA[name]
    settings = {
        **overrides(data, objective, quick), "train.steps": steps, "preview.every": steps, "preview.walk": 0,
        "preview.sliders": 0, "checkpoint.every": steps, "log.every": max(steps // 10, 1),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        started = time.process_time()
        run = wganx.train(
            data.plugin, name, overrides=settings, out=Path(folder) / "run", seed=seed, device="cpu", progress=False
        )
        seconds = time.process_time() - started
        found = run.evaluate(n=50 if quick else data.n, metrics=data.metrics, repeats=1)
    rows = {row.value: row for row in found.rows if row.value in data.shown}
    return {
        "data": name, "objective": objective, "seed": seed, "steps": steps, "cpu_seconds": seconds,
        "scores": {value: row.generated for value, row in rows.items()},
        "floors": {value: row.floor for value, row in rows.items()},
    }  # fmt: skip


def table(name: str, cost: Mapping[str, float], found: Sequence[Mapping[str, Any]]) -> str:
    """Medians over seeds, the worst seed behind them, in the markup of the documentation."""
    data = DATA[name]
    lines = [f"| {name} | steps | a step | {' | '.join(data.shown)} |", "|---" * (3 + len(data.shown)) + "|"]
    floors: dict[str, list[float]] = {value: [] for value in data.shown}
    for objective in OBJECTIVES:
        own = [each for each in found if each["objective"] == objective]
        if not own:
            continue
        cells = []
        for value in data.shown:
            scores = [each["scores"][value] for each in own if value in each["scores"]]
            floors[value] += [each["floors"][value] for each in own if value in each["floors"]]
            worst = (max if value in ("w1", "frechet_distance") else min)(scores)
            cells.append(f"{statistics.median(scores):.3g}" + (f" ({worst:.3g})" if len(scores) > 1 else ""))
        share = cost[objective] / cost["wgan-gp"]
        lines.append(f"| `{objective}` | {own[0]['steps']:,} | {share:.2f} | {' | '.join(cells)} |")
    real = " | ".join(f"{statistics.median(floors[value]):.3g}" for value in data.shown)
    return "\n".join([*lines, f"| real samples | | | {real} |"])


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table for each kind of data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="*", metavar="{ring,grid,digits}", help="all by default")
    parser.add_argument("--seconds", type=float, help="CPU seconds of each training; by data if not given")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="where results are kept; those that are there are not made again")
    parser.add_argument("--quick", action="store_true", help="tiny networks for a second each, to see that it works")
    chosen = parser.parse_args(argv)
    if unknown := set(chosen.data) - DATA.keys():
        parser.error(f"no data {', '.join(sorted(unknown))}; choose from {', '.join(DATA)}")
    torch.set_num_threads(1)
    print(describe_machine(machine(torch.device("cpu"))))
    kept: dict[str, Any] = {"costs": {}, "trainings": []}
    if chosen.json is not None and chosen.json.is_file():
        kept = json.loads(chosen.json.read_text(encoding="utf-8"))
    for name in chosen.data or DATA:
        seconds = chosen.seconds or (1.0 if chosen.quick else DATA[name].seconds)
        cost = kept["costs"].setdefault(name, None) or costs(name, 3 if chosen.quick else 30, chosen.quick)
        kept["costs"][name] = cost
        for seed in range(chosen.seeds):
            for objective in OBJECTIVES:
                key = (name, objective, seed)
                if any((each["data"], each["objective"], each["seed"]) == key for each in kept["trainings"]):
                    continue
                steps = max(int(seconds / cost[objective]), 2)
                kept["trainings"].append(trained(name, objective, steps, seed, chosen.quick))
                if chosen.json is not None:
                    chosen.json.write_text(json.dumps(kept, indent=1), encoding="utf-8")
        print(
            f"\n{seconds:g} CPU seconds each; a step in those of wgan-gp; medians of {chosen.seeds} seeds (the worst)\n"
        )
        print(table(name, cost, [each for each in kept["trainings"] if each["data"] == name]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

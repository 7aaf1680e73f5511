"""How good the samples are after so many seconds of training: wganx against a careful loop written by hand.

Both train the networks of a scenario of the image plugin from the same initial weights, with its batch size, critic
steps, Adam, penalty and weight average, at a constant rate. wganx feeds itself, as `wganx train` would, in epochs; the
loop (`careful_loop`) draws its batches from a tensor in memory that is scaled already. They take turns of --slice
seconds in one process with one thread, so that whatever else the machine does meets both alike. The clock is the CPU
time of the process; wall-clock time is kept beside it. It runs in training steps alone: not while networks are built,
data are read or samples are scored, nor for wganx's logging, pictures and checkpoints.

Samples are drawn from the weight averages, the same noise for both. Two scores of the image plugin judge them:

    sliced_w1    sliced Wasserstein distance of the pixels to held-out real pictures; lower is better
    class_score  inception-style score by a classifier of the training split, from 1 to the number of classes

Both stand beside those of real pictures (from the training split, the floor), noise and the mean picture. Once
class_score is that of real pictures, more of it is no longer better; sliced_w1 goes on where it ends. Before digits
emerge, in some 100 steps, trainings that differ in their draws alone are further apart than a few steps more or less
would make them, as the scores after equally many steps show.

    digits  the scenario as it is: 16 x 16 px
    mnist   configs/mnist-16px.yaml: the scenario's own size is for a GPU

Run: python benchmarks/quality_at_time.py [--mnist DATA] [--seconds 45] [--seeds 3] [--json quality.json]
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from careful_loop import CarefulLoop, random_batches
from picture_judge import Judge
from quality_tables import Point, Result, render
from timing import describe_machine, machine
from torch import nn

from wganx import GradientPenalty
from wganx.config import Resolved, resolve
from wganx.data.resident import load
from wganx.engine.carrying.stream import Stream
from wganx.runs.assembly import Assembly

SCENARIOS = ("digits", "mnist")
CHECKPOINTS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300)
"""Seconds of its own after which each training is scored."""
MILESTONES = (50, 100, 200, 400, 800, 1600, 3200)
"""Steps after which each is scored too: whoever does the same must be as good after as many."""


@dataclass
class Contestant:
    """A training, and a clock that runs only while it does."""

    name: str
    cycle: Callable[[], object]
    average: nn.Module
    cpu: float = 0.0
    wall: float = 0.0
    steps: int = 0

    def train(self, seconds: float, steps: float) -> None:
        """Until it has had so many `seconds` of CPU time or done so many `steps`, whichever comes first."""
        cpu, wall = time.process_time(), time.perf_counter()
        before = self.cpu
        while self.cpu < seconds and self.steps < steps:
            self.cycle()
            self.steps += 1
            self.cpu = before + time.process_time() - cpu
        self.wall += time.perf_counter() - wall


def prepare(resolved: Resolved) -> tuple[Assembly, CarefulLoop]:
    """The scenario's own training, and the loop around copies of its networks as they are before the first step."""
    assembly, run = Assembly(resolved), resolved.run
    constraint, optimizer = resolved.constraint, resolved.optimizer
    if not isinstance(constraint, GradientPenalty) or optimizer.name != "adam":
        raise SystemExit(f"the loop by hand is WGAN-GP with Adam, not {constraint} with {optimizer.name}")
    generator, critic = (
        copy.deepcopy(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        for network in (assembly.trainer.generator, assembly.trainer.critic)
    )
    whole = assembly.game.batch(load(assembly.train_items).tensors, torch.Generator(), training=False)
    loop = CarefulLoop(
        generator,
        critic,
        # Another seed than that of the noise, or rows and noise would come from the same random bits.
        random_batches(whole.real, whole.context, run.train.batch_size, 10_000 + run.seed),
        noise=run.generator.noise_shape[0],
        critic_steps=run.train.critic_steps,
        lr=optimizer.lr,
        betas=optimizer.betas,
        weight=constraint.weight,
        ema=run.train.ema,
        seed=run.seed,
    )
    return assembly, loop


def compete(result: Result, resolved: Resolved, judge: Judge, checkpoints: Sequence[float], turn: float) -> None:
    """Both trainings in turns of `turn` seconds, from their first step to the last checkpoint."""
    assembly, loop = prepare(resolved)
    trainer = assembly.trainer
    with trainer.training.running(Stream(assembly.stream, assembly.device)):
        contestants = [
            Contestant("wganx", trainer.training.advance, trainer.average.module),
            Contestant("careful", loop.cycle, loop.average),
        ]
        while any(one.cpu < checkpoints[-1] for one in contestants):
            for one in contestants:
                result.points += take_turn(one, resolved.run.seed, judge, checkpoints, turn)
            contestants.reverse()
        result.draws_apart = judge.spread(trainer.average.module)
    assembly.stream.close()


def take_turn(one: Contestant, seed: int, judge: Judge, checkpoints: Sequence[float], turn: float) -> Iterator[Point]:
    """Some seconds of one training, which is scored where it passes a checkpoint or a milestone."""
    end = min(one.cpu + turn, checkpoints[-1])
    while one.cpu < end:
        checkpoint = next(seconds for seconds in checkpoints if seconds > one.cpu)
        milestone = next((steps for steps in MILESTONES if steps > one.steps), float("inf"))
        one.train(min(end, checkpoint), milestone)
        marks = [f"{checkpoint:g} s"] * (one.cpu >= checkpoint) + [f"{milestone} steps"] * (one.steps == milestone)
        if marks:
            scores = judge.score(one.average)
            yield from (Point(one.name, seed, mark, one.cpu, one.wall, one.steps, scores) for mark in marks)


def measure(
    scenario: str, options: Mapping[str, Any], *, seeds: int, checkpoints: Sequence[float], turn: float, n: int
) -> Iterator[Result]:
    """The scenario with seeds 0, 1, ...; what is known after each of them."""
    resolved = [resolve(**options, seed=seed) for seed in range(seeds)]
    judge = Judge(Assembly(resolved[0]), n)
    better = {value: str(chosen.metric.better[value]) for value, chosen in judge.metrics.items()}
    result = Result(scenario, n, len(judge.reference), len(judge.real), judge.trivial(), better)
    warm_up(resolved[0])
    for one in resolved:
        compete(result, one, judge, checkpoints, turn)
        yield result


def warm_up(resolved: Resolved) -> None:
    """A few steps of both for nothing: the first of a process pay for what torch prepares once."""
    assembly, loop = prepare(resolved)
    with assembly.trainer.training.running(Stream(assembly.stream, assembly.device)):
        for _ in range(3):
            assembly.trainer.training.advance()
            loop.cycle()
    assembly.stream.close()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenario", nargs="+", choices=SCENARIOS, help="default: those whose data are given")
    parser.add_argument("--mnist", type=Path, metavar="DATA", help="the folder that holds MNIST/raw")
    parser.add_argument("--seconds", type=float, default=45.0, help="of CPU time of each training and seed")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--slice", type=float, default=2.0, help="seconds of a turn")
    parser.add_argument("-n", type=int, default=5000, help="samples that are scored")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every score; grows by seed")
    arguments = parser.parse_args()
    arguments.scenario = arguments.scenario or SCENARIOS[: 2 if arguments.mnist else 1]
    if "mnist" in arguments.scenario and arguments.mnist is None:
        parser.error("the scenario mnist needs --mnist, the folder that holds MNIST/raw")
    if arguments.seeds < 1 or arguments.seconds <= 0 or arguments.slice <= 0:
        parser.error("--seeds must be at least 1, --seconds and --slice above 0")
    return arguments


def main() -> None:
    arguments = parse()
    torch.set_num_threads(1)
    seconds = arguments.seconds
    checkpoints = [*(each for each in CHECKPOINTS if each < seconds), seconds]
    constant = {"optimizer.schedule": "constant"}
    options: dict[str, dict[str, Any]] = {
        "digits": {"plugin": "image", "scenario": "digits", "device": "cpu", "overrides": constant},
        "mnist": {
            "config": Path(__file__).parents[1] / "configs" / "mnist-16px.yaml",
            "device": "cpu",
            "overrides": {**constant, "dataset.root": str(arguments.mnist)},
        },
    }
    record: dict[str, Any] = {"machine": machine(torch.device("cpu")), "slice": arguments.slice}
    results: dict[str, Result] = {}
    for scenario in arguments.scenario:
        for result in measure(
            scenario,
            options[scenario],
            seeds=arguments.seeds,
            checkpoints=checkpoints,
            turn=arguments.slice,
            n=arguments.n,
        ):
            results[scenario] = result
            record |= {"load_at_end": round(os.getloadavg()[0], 2), "results": [asdict(x) for x in results.values()]}
            if arguments.json:
                arguments.json.parent.mkdir(parents=True, exist_ok=True)
                arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            print(f"{scenario}: {len(result.points)} scores so far", file=sys.stderr, flush=True)
    print(describe_machine({**record["machine"], "load at end": record["load_at_end"]}))
    for result in results.values():
        print("\n" + "\n".join(render(result)))


if __name__ == "__main__":
    main()

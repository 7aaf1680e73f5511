"""How long the presets of the image plugin take to be as good as a careful loop written by hand, on one CPU thread.

The loop (`careful_loop`) is WGAN-GP in stock torch around the preset's own networks, from the same initial weights, on
the same pictures, with a weight average: five critic updates for each of the generator, Adam with betas (0, 0.9),
penalty weight 10, batches of 64, rate 2e-4, as Gulrajani et al. 2017 have it; with --rates at the one of 1e-4, 2e-4 and
2e-4 falling to 0 that ends best with the first seed. The preset is what `wganx train --scenario` runs, in as many steps
as fit into half the loop's time.

Time is counted in updates of the loop. What a step of each training costs, beside one of the loop, is measured first:
all take turns in one process with one thread, on its CPU clock, and a cost is a ratio of medians. Then everyone trains
for so many steps, in any order, and other work on the machine changes no result. Feeding is part of the cost; scores,
pictures, logs and checkpoints are not.

Scores are the Frechet distance of samples to held-out pictures in the features of one small classifier (`own`, of the
training split, seed 0; its hash is in the table), coverage, and classes found. The time to the loop's score is where
the preset's distance first falls to that of the loop's end with the same seed, between two scores by a straight line;
the loop's own is found likewise. What is reported is the ratio of medians over seeds.

    digits   the scenario `digits`
    mnist    the scenario `mnist`, with --mnist, the folder that holds MNIST/raw
    cifar10  the scenario `cifar10`, with --cifar10, the folder of cifar-10-batches-py or a .zip of class folders

--means trains the preset again, with the first seed, with one of its means changed at a time. Trainings that --json
FILE holds already are not repeated, so that the work can be done in pieces.

Run: python benchmarks/quality_at_time.py [--mnist DATA] [--cifar10 DATA] [--rates] [--means] [--json FILE] [--quick]
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from careful_loop import CarefulLoop, random_batches
from picture_judge import FRECHET, Judge
from quality_presets import BY_HAND, LOOP, PRESET, PRESETS, PUBLISHED, SAME, Contestant, Preset, contestants, data_of
from quality_tables import Curve, Point, Record, render
from timing import describe_machine, machine
from torch import nn

from wganx import GradientPenalty
from wganx.config import Resolved, resolve
from wganx.data.resident import load
from wganx.engine.carrying.stream import Stream
from wganx.runs.assembly import Assembly

HALF = 0.5
"""The part of the loop's time that presets are given."""
SCORED = 6
"""How often each training is scored, evenly."""
STEPS = 4
"""Steps of a turn where costs are measured."""
QUICK: Mapping[str, Any] = {
    "evaluate.extractors": {"own": {"updates": 100}},
    "generator.width": 4,
    "generator.hidden": 8,
    "critic.width": 4,
    "critic.hidden": 8,
    "train.batch_size": 16,
}


@dataclass(frozen=True)
class Training:
    """One training that can go on step by step, and the weights that are judged."""

    advance: Callable[[], object]
    average: nn.Module


@dataclass(frozen=True)
class Work:
    """A preset on its data, and how much is done."""

    preset: Preset
    options: Mapping[str, Any]
    updates: int
    n: int
    rounds: int

    def resolved(self, contestant: Contestant, seed: int) -> Resolved:
        changed = {} if contestant.by_hand else contestant.settings
        overrides = {**self.options, **changed}
        return resolve(plugin="image", scenario=self.preset.scenario, device="cpu", seed=seed, overrides=overrides)

    @contextlib.contextmanager
    def training(self, contestant: Contestant, seed: int, until: int) -> Iterator[Training]:
        """A fresh one, whose rate is to have fallen after `until` steps where it falls."""
        resolved = self.resolved(contestant, seed)
        if contestant.by_hand:
            loop = by_hand(Assembly(resolved), until, contestant.settings)
            yield Training(loop.cycle, loop.average)
            return
        assembly = Assembly(resolved)
        training = assembly.trainer.training
        with training.running(Stream(assembly.stream, assembly.device)):
            yield Training(lambda: training.advance(until), training.average.module)
        assembly.close()


def by_hand(assembly: Assembly, until: int, settings: Mapping[str, Any]) -> CarefulLoop:
    """The loop around copies of a scenario's networks as they are before the first step.

    Args:
        settings: ``lr``, ``critic_steps`` and ``falling``, the last two as the scenario has them by default.
    """
    run, constraint, optimizer = assembly.resolved.run, assembly.resolved.constraint, assembly.resolved.optimizer
    if not isinstance(constraint, GradientPenalty) or optimizer.name != "adam":
        raise SystemExit(f"the loop by hand is WGAN-GP with Adam, not {constraint} with {optimizer.name}")
    generator, critic = (
        copy.deepcopy(network).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        for network in (assembly.trainer.generator, assembly.trainer.critic)
    )
    whole = assembly.game.batch(load(assembly.train_items).tensors, torch.Generator(), training=False)
    return CarefulLoop(
        generator,
        critic,
        # Another seed than that of the noise, or rows and noise would come from the same random bits.
        random_batches(whole.real, whole.context, run.train.batch_size, 10_000 + run.seed),
        noise=run.generator.noise_shape[0],
        critic_steps=settings.get("critic_steps", run.train.critic_steps),
        lr=settings.get("lr", optimizer.lr),
        betas=optimizer.betas,
        weight=constraint.weight,
        ema=run.train.ema,
        seed=run.seed,
        until=until if settings.get("falling") else None,
    )


def find_costs(work: Work, many: Sequence[Contestant]) -> dict[str, float]:
    """CPU time of a step of each, in steps of the first, which is the loop; seconds of the loop's under ``seconds``."""
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in many}
    with contextlib.ExitStack() as stack:
        trainings = [stack.enter_context(work.training(one, 0, 10**6)) for one in many]
        for turn in range(work.rounds + 1):
            for contestant, training in zip(many, trainings):
                before = time.process_time()
                for _ in range(STEPS):
                    training.advance()
                if turn:  # the first steps of a process pay for what torch prepares once
                    seconds[contestant.name].append((time.process_time() - before) / STEPS)
    typical = {name: statistics.median(each) for name, each in seconds.items()}
    unit = typical[many[0].name]
    return {name: value / unit for name, value in typical.items()} | {"seconds": unit}


def train(work: Work, contestant: Contestant, seed: int, cost: float, share: float, judge: Judge) -> Curve:
    """Its scores on its way through this `share` of the loop's time."""
    steps = max(round(share * work.updates / cost), SCORED)
    moments = {round(steps * part / SCORED): share * part / SCORED for part in range(1, SCORED + 1)}
    curve = Curve(contestant.name, seed, contestant.by_hand, dict(contestant.settings))
    with work.training(contestant, seed, steps) as training:
        for step in range(1, steps + 1):
            training.advance()
            if step in moments:
                curve.points.append(Point(moments[step], step, step * cost, judge.score(training.average)))
    print(f"{work.preset.scenario}, {contestant.name}, seed {seed}: {curve.last}", file=sys.stderr, flush=True)
    return curve


def measure(work: Work, record: Record, seeds: int, *, rates: bool, means: bool) -> Iterator[Record]:
    """The preset with seeds 0, 1, ...; what is known after each training."""
    preset = work.resolved(Contestant(PRESET, False), 0)
    # A mean that this preset does without cannot be taken away.
    presets = [one for one in contestants() if one.name == PRESET or work.resolved(one, 0).run != preset.run]
    judge = Judge(Assembly(preset), work.n)
    record.about |= {"n": work.n, "heldout": judge.n_heldout, "updates": work.updates, "batch": 64}
    record.about |= {"extractor": judge.digest, "accuracy": judge.accuracy, "floor": judge.floor}
    own = Contestant(SAME, True)
    missing = [one for one in ([*presets] if means else presets[:1]) if one.name not in record.costs]
    if missing:
        loop = Contestant(LOOP, True, PUBLISHED)
        record.costs |= find_costs(work, [loop, own, *missing])
    yield record

    def trained(contestant: Contestant, seed: int, share: float) -> Curve:
        cost = record.costs.get(contestant.name, 1.0)
        found = record.find(contestant.name, seed)
        if found is None or found.settings != dict(contestant.settings):
            record.curves = [curve for curve in record.curves if curve is not found]
            record.curves.append(found := train(work, contestant, seed, cost, share, judge))
        return found

    tried = [one for one in BY_HAND.values() if rates or one is BY_HAND["2e-4"] or record.find(one.name, 0)]
    ends = [trained(one, 0, 1.0) for one in tried]
    record.about["loop"] = min(ends, key=lambda curve: curve.last[FRECHET]).name
    yield record
    for seed in range(seeds):
        trained(presets[0], seed, HALF)
        trained(BY_HAND[record.about["loop"]], seed, 1.0)
        yield record
    for one in presets[1:] if means else ():
        trained(one, 0, HALF)
        yield record


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", nargs="+", choices=tuple(PRESETS), help="default: those whose data are given")
    parser.add_argument("--mnist", type=Path, metavar="DATA")
    parser.add_argument("--cifar10", type=Path, metavar="DATA")
    parser.add_argument("--updates", type=int, help="generator updates of the loop; the presets have half its time")
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--rates", action="store_true", help="the loop at each of its rates, of which the best counts")
    parser.add_argument("--means", action="store_true", help="also with each of the preset's means changed")
    parser.add_argument("-n", type=int, default=2000, help="samples that are scored")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every score; grows by training")
    parser.add_argument("--quick", action="store_true", help="seconds on digits, with tiny networks: does it work?")
    arguments = parser.parse_args()
    data = {"mnist": arguments.mnist, "cifar10": arguments.cifar10}
    arguments.data = {name: place for name, place in data.items() if place}
    arguments.preset = arguments.preset or ["digits", *([] if arguments.quick else arguments.data)]
    if missing := [name for name in arguments.preset if name != "digits" and name not in arguments.data]:
        parser.error(f"the preset {missing[0]} needs --{missing[0]} DATA")
    if arguments.seeds < 1 or arguments.n < 10:
        parser.error("--seeds must be at least 1, -n at least 10")
    return arguments


def main() -> None:
    arguments = parse()
    torch.set_num_threads(1)
    found = Record.read(arguments.json)
    about = machine(torch.device("cpu"))
    for name in arguments.preset:
        preset = PRESETS[name]
        options = data_of(preset.scenario, arguments.data)
        updates, n, seeds, rounds = arguments.updates or preset.updates, arguments.n, arguments.seeds, 6
        if arguments.quick:
            options, updates, n, seeds, rounds = {**options, **QUICK}, 16, 100, 1, 1
        record = found.setdefault(name, Record(name))
        for known in measure(
            Work(preset, options, updates, n, rounds), record, seeds, rates=arguments.rates, means=arguments.means
        ):
            known.machine = about
            Record.write(arguments.json, found)
    print(describe_machine(about))
    for name in arguments.preset:
        print("\n" + "\n".join(render(found[name])))


if __name__ == "__main__":
    main()

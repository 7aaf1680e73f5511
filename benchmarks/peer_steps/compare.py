"""The comparison itself, inside an environment that holds the peers: `python -m peer_steps.compare --help`."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from floor import measure_floor, synchronize
from handwritten import BETAS, CRITIC_STEPS, LEARNING_RATE, WEIGHT
from networks import NETWORKS, Network, describe
from timing import describe_machine, machine, take_turns
from torch import nn
from trainings import VARIANTS, Setup, Training

import wganx
from peer_steps.conduct import BATCH, linear_critic, linear_setup, take_apart, watch_cycle
from peer_steps.peer import Peer, reason
from peer_steps.report import conduct_table, mathematics_table, time_table

PEERS = {"torch-mimicry": ("mimicry", "Mimicry"), "torchgan": ("torchgan", "Torchgan"), "vegans": ("vegans", "Vegans")}
BASELINE, OURS = "textbook", "wganx"
USUAL, USUAL_CUDA = (BASELINE, "careful", OURS), (BASELINE, "careful", OURS, "wganx-graph")


def load(missing: dict[str, str]) -> dict[str, type[Peer]]:
    """The adapters whose package can be imported here; why the others cannot goes to `missing`."""
    found: dict[str, type[Peer]] = {}
    for name, (module, kind) in PEERS.items():
        try:
            found[name] = getattr(importlib.import_module(f"peer_steps.{module}"), kind)
        except Exception as error:  # whatever a package does when it is imported
            missing[name] = reason(error)
    return found


def start(
    makers: Mapping[str, Callable[[Setup], Training]],
    setup: Setup,
    warm_up: int,
    missing: dict[str, str],
    stack: ExitStack,
) -> dict[str, Training]:
    """A training of each, active until `stack` is closed, and warmed up; why others do not run goes to `missing`."""
    trainings = {}
    for name, make in makers.items():
        try:
            training = make(setup)
            stack.enter_context(training.active())
            training.run(warm_up)
        except Exception as error:
            if name in (BASELINE, OURS):
                raise
            missing[name] = reason(error)
        else:
            trainings[name] = training
    return trainings


def penalties(peer: type[Peer], setup: Setup) -> dict[str, float]:
    """Values of the peer's own penalty: where it should be 0, and over that of wganx at the same points."""
    found = {}
    for batch in (1, 4, 64):
        small = linear_setup(batch, setup.device, setup.precision, slope=1.0)
        found[f"penalty of slope 1, batch {batch}"] = peer(small).penalty(small.reals()[0])
    here = peer(setup)
    points = setup.reals()[0]
    ours = float(wganx.GradientPenalty(WEIGHT).penalty(here.critic, points, points))
    found["penalty / wganx's, shared critic"] = here.penalty(points) / ours
    return found


def our_penalties(setup: Setup) -> dict[str, float]:
    """The same cases for wganx."""
    found = {}
    for batch in (1, 4, 64):
        critic: nn.Module = linear_critic((3, 8, 8), 1.0)
        points = torch.rand(batch, 3, 8, 8)
        found[f"penalty of slope 1, batch {batch}"] = float(
            wganx.GradientPenalty(WEIGHT).penalty(critic, points, points)
        )
    return found


def introduce(network: Network, batch: int, where: Mapping[str, Any]) -> str:
    return "\n".join([
        describe_machine(where),
        "",
        f"Compared: one cycle, {CRITIC_STEPS} critic updates and one generator update, of WGAN-GP (penalty weight "
        f"{WEIGHT:g}, Adam({LEARNING_RATE:g}, betas {BETAS})) in fp32, by each package's own code for a training step.",
        f"The networks are the same modules for all, from the same initial weights: {describe(network, batch)}.",
        "Batches lie on the device: nobody's data loading, logging to files, sampling of previews or saving is timed. "
        "What a step reads back or counts for its own log is part of it. Peers get `torch.optim.Adam` as torch builds "
        "it by default; `textbook` and `careful` are the steps of `benchmarks/handwritten.py`; wganx also averages the "
        "generator's weights, which nobody else does.",
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=NETWORKS, default="dcgan-32", metavar="NAME", help="default dcgan-32")
    parser.add_argument("--batch", type=int, help="in place of the network's own")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each step a round, one cycle at least")
    parser.add_argument("--warm-up", type=int, default=2, help="cycles before the rounds")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep everything there")
    given = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # the peers' own, about years of changes in torch
    torch.set_num_threads(given.threads)
    device = torch.device(given.device)
    network = NETWORKS[given.network]
    setup = Setup(network, given.batch or network.batch, device, "fp32")
    where = machine(device) | {"wganx": wganx.__version__}

    missing: dict[str, str] = {}
    peers = load(missing)
    makers: dict[str, Callable[[Setup], Training]] = {
        name: partial(Setup.make, variant=VARIANTS[name]) for name in (USUAL_CUDA if device.type == "cuda" else USUAL)
    }
    makers |= peers
    floor = measure_floor(network, setup.batch)
    with ExitStack() as stack:
        trainings = start(makers, setup, given.warm_up, missing, stack)
        units = {}
        for name, training in trainings.items():
            synchronize(device)
            begin = time.perf_counter()
            training.run(1)
            synchronize(device)
            units[name] = max(1, round(given.seconds / (time.perf_counter() - begin)))
        times = take_turns({name: training.run for name, training in trainings.items()}, units, given.rounds, device)
        # A recorded step is that of the engine, and replaying it passes through nothing that could be watched.
        watched = [name for name in trainings if name not in VARIANTS or VARIANTS[name].capture == "off"]
        conducts = {name: watch_cycle(trainings[name], setup.batch, floor) for name in watched}
    linear = linear_setup(BATCH, device, "fp32")
    mathematics = {name: take_apart(makers[name], linear) for name in watched}
    values = {OURS: our_penalties(setup)} | {
        name: penalties(peer, setup) for name, peer in peers.items() if name in trainings
    }
    own = {name: peer(setup).own_training() for name, peer in peers.items()}
    remarks = {name: peer(setup).remarks() for name, peer in peers.items()}

    print(introduce(network, setup.batch, where) + "\n")
    print(
        f"Medians of {given.rounds} rounds in which all took turns; in brackets where 80 % of the rounds' ratios lie.\n"
    )
    print(time_table(times, BASELINE, OURS))
    print(conduct_table(conducts))
    print(mathematics_table(mathematics, values))
    for name in PEERS:
        if name in missing:
            print(f"- {name} does not run: {missing[name]}")
        if name not in peers:
            continue
        peer = peers[name]
        print(f"- {peer.package}. Timed: {peer.timed}. Its own training call {own[name]}.")
        for line in (*remarks[name], *(f"patch: {patch}" for patch in peer.patches)):
            print(f"  - {line}")
        if not peer.patches:
            print("  - patches: none")
    if given.json:
        record = {
            "machine": where, "network": given.network, "batch": setup.batch, "rounds": given.rounds, "units": units,
            "versions": {name: version(name) for name in peers},
            "times": {name: asdict(one) for name, one in times.items()},
            "conduct": {name: asdict(one) for name, one in conducts.items()},
            "mathematics": {name: asdict(one) for name, one in mathematics.items()},
            "penalties": values, "own_training": own, "remarks": remarks, "missing": missing,
            "patches": {name: peer.patches for name, peer in peers.items()},
        }  # fmt: skip
        given.json.parent.mkdir(parents=True, exist_ok=True)
        given.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

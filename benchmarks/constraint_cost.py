"""What each constraint costs: one update of the critic under it, relative to one under gradient-penalty.

Every registered constraint with its defaults, the critics updated in turn by the training's own step (scores of both
batches, objective, penalties, backward pass, Adam), so that whatever else the machine does meets all of them alike.
Times are CPU times of this process, on one thread; a ratio is one of medians.

Run: python benchmarks/constraint_cost.py [--seconds 30]
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import platform
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn

from wganx.batch import Batch
from wganx.engine import Optimizer
from wganx.engine.precision import Precision
from wganx.engine.steps.player import Player
from wganx.engine.steps.updates import Steps
from wganx.errors import PreflightError
from wganx.wasserstein import CONSTRAINTS, Constraint, Wasserstein

BASELINE = "gradient-penalty"
WARM_UP = 3


def conv_critic() -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels, more in ((3, 32), (32, 64), (64, 128)):
        layers += [nn.Conv2d(channels, more, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, 1), nn.Flatten(0))


def mlp_critic() -> nn.Sequential:
    layers: list[nn.Module] = []
    for features in (2, 64, 64):
        layers += [nn.Linear(features, 64), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Linear(64, 1), nn.Flatten(0))


SETTINGS: dict[str, tuple[Callable[[], nn.Sequential], tuple[int, ...], int]] = {
    "conv, (3, 32, 32), batch 16": (conv_critic, (3, 32, 32), 16),
    "MLP 3x64, (2,), batch 128": (mlp_critic, (2,), 128),
}


def with_dropout(critic: nn.Sequential) -> nn.Sequential:
    """The same critic with dropout after every activation: what consistency needs, and nothing else here has."""
    layers: list[nn.Module] = []
    for layer in critic:
        layers += [layer, nn.Dropout(0.5)] if isinstance(layer, nn.LeakyReLU) else [layer]
    return nn.Sequential(*layers)


def make_steps(constraint: Constraint, critic: nn.Sequential, shape: tuple[int, ...]) -> Steps:
    critic = copy.deepcopy(critic)
    if constraint.name == "consistency":
        critic = with_dropout(critic)
    constraint.prepare(critic)
    # A generator that takes next to no time: the critic is what is measured.
    generator = nn.Sequential(nn.Linear(4, math.prod(shape)), nn.Unflatten(1, shape))
    optimizer = Optimizer()
    return Steps(
        generator=Player("generator", generator, optimizer),
        critic=Player("critic", critic, optimizer),
        objective=Wasserstein(),
        constraint=constraint,
        noise=(4,),
        precision=Precision("fp32", torch.device("cpu")),
        draws=torch.Generator().manual_seed(0),
    )


def measure(
    make_critic: Callable[[], nn.Sequential], shape: tuple[int, ...], size: int, seconds: float
) -> dict[str, list[float]]:
    """CPU seconds of each update by constraint; as many rounds over all constraints as fit into `seconds`."""
    torch.manual_seed(0)
    critic = make_critic()
    batch = Batch(real=torch.randn(size, *shape))
    steps = {}
    for name, kind in CONSTRAINTS.items():
        try:
            steps[name] = make_steps(kind(), critic, shape)
        except PreflightError as error:
            print(f"{name} is left out: {error}\n")
    times: dict[str, list[float]] = {name: [] for name in steps}
    end = time.monotonic() + seconds
    rounds = 0
    while rounds < WARM_UP + 3 or time.monotonic() < end:
        for name, step in steps.items():
            start = time.process_time()
            step.update_critic([batch], 0)
            elapsed = time.process_time() - start
            if rounds >= WARM_UP:
                times[name].append(elapsed)
        rounds += 1
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="wall-clock time for each of the two critics")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)

    medians = {}
    heads = []
    for label, (make_critic, shape, size) in SETTINGS.items():
        times = measure(make_critic, shape, size, seconds)
        medians[label] = {name: statistics.median(values) for name, values in times.items()}
        rounds = len(times[BASELINE])
        heads.append(f"{label}: {1000 * medians[label][BASELINE]:.2f} ms under {BASELINE}, {rounds} rounds")

    print(
        f"torch {torch.__version__}, 1 thread of {os.cpu_count()} cores, {platform.processor() or platform.machine()}"
    )
    print("\n".join(heads) + "\n")
    print(f"| constraint | {' | '.join(medians)} |")
    print("|---|" + "---|" * len(medians))
    first = next(iter(medians.values()))
    for name in sorted(CONSTRAINTS, key=lambda name: first.get(name, math.inf)):
        cells = [
            f"{found[name] / found[BASELINE]:.2f}" if name in found else "not for it" for found in medians.values()
        ]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()

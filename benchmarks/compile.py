"""Whether compiling the critic's loss pays: the loss of one batch and its gradient for the weights, three ways.

    stock        eagerly, rectifiers as torch differentiates them
    masks        eagerly, rectifiers with constant masks in the penalty: the engine's own way
    compiled     as one graph with both gradients inside, made from `masks`

Wasserstein objective and gradient penalty, fp32; no generator and no update, which are the same under all three. They
take turns; a time is a median, a ratio one of medians, with the range that holds 80 % of the rounds' ratios.
`break-even` is after how many critic steps the time for compiling has been saved. On the CPU with one thread times are
CPU times of this process; on CUDA each way is recorded as a CUDA graph first, and times are wall-clock times of its
replays.

What compiling costs depends on what is cached on disk: with TORCHINDUCTOR_CACHE_DIR set to an empty folder nothing is.

Run: python benchmarks/compile.py [--networks mlp dcgan-32] [--rounds 15] [--seconds 1] [--device cuda]
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from networks import NETWORKS, Network, leaky_relu, mlp_critic
from timing import choose_device, describe_machine, machine, ratio, take_turns
from torch import Tensor, nn

import wganx
from wganx.engine.carrying.compiled import CompiledLoss, CriticLoss
from wganx.nn import constant_masks

# What the points plugin trains: small enough for the calls to cost more than the arithmetic.
SMALL = Network("mlp-64", (2,), (4,), 128, nn.Identity, lambda activation: mlp_critic(activation, width=64))
CONTESTANTS = {SMALL.name: SMALL, **NETWORKS}


def make_loss(critic: nn.Module, rng: torch.Generator, *, masks: bool) -> CriticLoss:
    objective, constraint = wganx.Wasserstein(), wganx.GradientPenalty()

    def loss(
        real: Tensor, fake: Tensor, condition: Mapping[str, Tensor], variant: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        total = objective.critic_loss(critic(real), critic(fake))
        with constant_masks() if masks else nullcontext():
            terms = constraint.terms(critic, real, fake, condition, rng)
        return total + terms.loss, {"penalty": terms.loss}

    return loss


def eager(critic: nn.Module, loss: CriticLoss, real: Tensor, fake: Tensor) -> Callable[[], Sequence[Tensor]]:
    weights = list(critic.parameters())

    def step() -> Sequence[Tensor]:
        value, _ = loss(real, fake, {}, None)
        return torch.autograd.grad(value, weights)

    return step


def recorded(step: Callable[[], object], rng: torch.Generator) -> Callable[[], None]:
    """The step as a CUDA graph."""
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(rng)
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def measure(network: Network, batch: int, device: torch.device, rounds: int, seconds: float) -> str:
    """A row of the table."""
    torch.manual_seed(0)
    critic = network.make_critic(leaky_relu).to(device)
    real, fake = network.reals(2, batch, device)
    rng = torch.Generator(device)
    steps: dict[str, Callable[[], Any]] = {}
    for name in ("stock", "masks"):
        own = copy.deepcopy(critic)
        steps[name] = eager(own, make_loss(own, rng, masks=name == "masks"), real, fake)
    compiled = CompiledLoss(critic, make_loss(critic, rng, masks=True))
    for _ in range(2):
        compiled.gradients(real, fake, {})
    if compiled.reason:
        return f"| {network.name} | {batch} | not compiled: {compiled.reason} |"
    steps["compiled"] = lambda: compiled.gradients(real, fake, {}).gradients
    gradients = {}
    for name in ("masks", "compiled"):
        rng.manual_seed(1)
        gradients[name] = torch.cat([gradient.flatten() for gradient in steps[name]()])
    error = (gradients["compiled"] - gradients["masks"]).norm() / gradients["masks"].norm()
    if device.type == "cuda":
        steps = {name: recorded(step, rng) for name, step in steps.items()}

    def repeat(step: Callable[[], object]) -> Callable[[int], None]:
        def run(times: int) -> None:
            for _ in range(times):
                step()

        return run

    contestants = {name: repeat(step) for name, step in steps.items()}
    units = {}
    for name, run in contestants.items():
        run(2)
        start = time.perf_counter()
        run(2)
        if device.type == "cuda":
            torch.cuda.synchronize()
        units[name] = max(1, round(2 * seconds / (time.perf_counter() - start)))
    clock = "wall" if device.type == "cuda" or torch.get_num_threads() > 1 else "cpu"
    times = {name: each.of(clock) for name, each in take_turns(contestants, units, rounds, device).items()}
    medians = {name: statistics.median(values) for name, values in times.items()}
    saved = medians["masks"] - medians["compiled"]
    cells = [
        network.name, batch, *(f"{1000 * medians[name]:.2f}" for name in steps),
        ratio(times["stock"], times["compiled"]), ratio(times["masks"], times["compiled"]), f"{error:.0e}",
        f"{compiled.seconds:.0f}", f"{compiled.seconds / saved:,.0f}" if saved > 0 else "never",
    ]  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS), metavar="NAME")
    parser.add_argument("--batch", type=int, help="of every network, in place of its own")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each way a round, one step at least")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    print(describe_machine(machine(device)) + "\n")
    print(
        "| critic | batch | stock, ms | masks, ms | compiled, ms | stock / compiled | masks / compiled "
        "| gradient, relative difference | compiling, s | break-even, steps |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name in options.networks:
        network = CONTESTANTS[name]
        print(
            measure(network, options.batch or network.batch, device, options.rounds, options.seconds),
            flush=True,
        )


if __name__ == "__main__":
    main()

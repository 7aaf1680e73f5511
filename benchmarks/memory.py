"""The plan of a training's memory against what its steps then use.

A row is one network under one constraint, in two fresh processes: one plans, the other trains and measures what a
critic's and a generator's update add to the memory in use, once the optimizers have their state.

    CPU   allocator: what torch's allocator handed out, at its most, as the profiler saw it
          resident:  what the process had resident, at its most, less before; glibc told to give back what is freed
    CUDA  allocator: torch.cuda.max_memory_allocated, less before

Run: python benchmarks/memory.py [--networks mlp dcgan-32] [--constraints gradient-penalty none] [--device cpu]
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from networks import NETWORKS, leaky_relu
from torch.profiler import ProfilerActivity, profile

import wganx
from wganx.engine.planning.memory import plan_memory
from wganx.wasserstein import Constraint

CONSTRAINTS: dict[str, Callable[[], Constraint]] = {
    "gradient-penalty": wganx.GradientPenalty,
    "r1+r2": wganx.R1R2,
    "gradient-normalization": wganx.GradientNormalization,
    "none": wganx.NoConstraint,
}
GIVES_BACK = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def allocator_peak(work: Callable[[], None], device: torch.device) -> int:
    """Bytes that torch's allocator hands out during `work`, at their most, beside those from before."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True, acc_events=True) as record:
        work()
    events = [event for event in record.profiler.kineto_results.events() if event.name() == "[memory]"]
    alive = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        alive += event.nbytes()
        most = max(most, alive)
    return most


def resident_peak(work: Callable[[], None]) -> int:
    """Bytes by which the process's resident memory grows during `work`, at its most (Linux)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    work()
    return resident("VmHWM") - before


def resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def figures(what: str, network: str, constraint: str, device: str) -> dict[str, int]:
    """What this process plans, or measures."""
    torch.manual_seed(0)
    kind = NETWORKS[network]
    generator, critic = kind.make_generator(), kind.make_critic(leaky_relu)
    trainer = wganx.Trainer(generator, critic, noise=kind.noise, constraint=CONSTRAINTS[constraint](), device=device)
    batch = wganx.Batch(kind.reals(1, kind.batch, trainer.device)[0])
    if what == "plan":
        plan = plan_memory(trainer.training, batch)
        return {"critic": plan.critic_step, "generator": plan.generator_step}
    updates: dict[str, Callable[[], None]] = {
        "critic": lambda: trainer.steps.update_critic([batch], 0),
        "generator": lambda: trainer.steps.update_generator([batch], 0),
    }
    for _ in range(2):
        for update in updates.values():
            update()
    found = {}
    for role, update in updates.items():
        if trainer.device.type == "cpu" and sys.platform == "linux":
            found[f"{role} resident"] = sorted(resident_peak(update) for _ in range(3))[1]
        found[f"{role} allocator"] = allocator_peak(update, trainer.device)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["mlp", "dcgan-32", "dcgan-64"])
    parser.add_argument("--constraints", nargs="+", choices=CONSTRAINTS, default=list(CONSTRAINTS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--one", choices=["plan", "use"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(figures(arguments.one, arguments.networks[0], arguments.constraints[0], arguments.device)))
        return
    print("| network | constraint | update | planned MB | allocator | resident |\n|---|---|---|---|---|---|")
    for network in arguments.networks:
        for constraint in arguments.constraints:
            call = [sys.executable, __file__, "--networks", network, "--constraints", constraint]
            plan, use = (
                json.loads(subprocess.check_output([*call, "--device", arguments.device, "--one", what],
                                                   env=os.environ | GIVES_BACK, encoding="utf-8").splitlines()[-1])
                for what in ("plan", "use")
            )  # fmt: skip
            for role in ("critic", "generator"):
                cells = [compare(plan[role], use.get(f"{role} {measure}")) for measure in ("allocator", "resident")]
                row = (network, constraint, role, f"{plan[role] / 1e6:.1f}", *cells)
                print(f"| {' | '.join(row)} |", flush=True)


def compare(planned: int, measured: int | None) -> str:
    return "" if measured is None else f"{measured / 1e6:.1f} ({planned / measured - 1:+.1%})"


if __name__ == "__main__":
    main()

"""A training cycle in one and in two processes of this machine, and a model of many GPUs.

Measured: five critic updates and one of the generator at a fixed whole batch, by one process and by two that share it
(gloo, one thread each). The same two processes do everything in turns, so that all meets the same machine: both train
together; the first trains alone on the whole batch and on half of it while the other waits; both train on half batches
of their own at once, which says what they cost each other without a word between them; and operations are timed alone.

The model of a cycle on W ranks, with what is replicated, what is shared and what is said:

    t(W) = assemble(B) + compute(B / W) + sum over collectives of (latency + bytes / bandwidth)

assemble and compute are one process's measurements, latency and bandwidth those of all-reduces alone; the collectives
of a cycle are counted. Nothing is fitted to the time of two processes, against which the model is then checked.

Predicted, not measured: 8 and 64 GPUs by the same sum, with a GPU's cycle and the wires' rates as arguments.

Run: python benchmarks/scaling.py [--networks mlp dcgan-32] [--rounds 15] [--json scaling.json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from handwritten import CRITIC_STEPS
from networks import NETWORKS
from scaling_model import BATCHES, GPUS, PREDICTED, measured_tables, model_of_two, predict, predicted_table
from timing import describe_machine, machine
from trainings import VARIANTS, Setup, Wganx

from wganx.engine.ranks import Ranks

CPU = torch.device("cpu")
SIZES = (1, 1_000, 100_000, 1_000_000)
"""Values in the all-reduces from which latency and bandwidth are read."""


def training(network: str, batch: int, ranks: Ranks) -> Wganx:
    """The engine on `network`, its batches of `batch` shared by `ranks`."""
    made = Setup(NETWORKS[network], batch, CPU, "fp32").make(VARIANTS["wganx"])
    assert isinstance(made, Wganx)
    made.trainer.training.ranks = made.trainer.steps.ranks = ranks
    return made


@contextmanager
def counting(ranks: Ranks) -> Iterator[list[int]]:
    """Bytes of every sum over `ranks` meanwhile."""
    found: list[int] = []
    original = ranks.sum_

    def sum_(tensor: torch.Tensor) -> torch.Tensor:
        found.append(tensor.numel() * tensor.element_size())
        return original(tensor)

    ranks.sum_ = sum_  # type: ignore[method-assign]
    try:
        yield found
    finally:
        del ranks.sum_


def collectives(network: str, ranks: Ranks) -> list[int]:
    """Bytes of every all-reduce of one cycle, which do not depend on the batch; every rank calls this."""
    made = training(network, 2 * ranks.count, ranks)
    with made.active(), counting(ranks) as found:
        made.run(1)
    return found


def clock(work: Callable[[], object], times: int) -> float:
    """Seconds of one `work`."""
    begun = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begun) / times


def measure(network: str, batch: int, rounds: int, seconds: float) -> dict[str, Any] | None:
    """What both ranks call at the same place; the first one returns what was found."""
    ranks, alone = Ranks(dist.get_rank(), dist.get_world_size()), Ranks()
    said = collectives(network, ranks)
    together, whole, half = (
        training(network, rows, group) for rows, group in ((batch, ranks), (batch, alone), (batch // 2, alone))
    )
    times: dict[str, list[float]] = {}
    with ExitStack() as stack:
        for made in (together, whole, half):
            stack.enter_context(made.active())
        for made in (together, whole, half):
            made.run(2)
        # Both ranks must do the same number of cycles.
        cycles = int(ranks.from_first(lambda: max(1, round(seconds / clock(lambda: whole.run(1), 2)))))

        def assembling(made: Wganx) -> Callable[[], None]:
            steps, stream = made.trainer.steps, made.stream

            def work() -> None:
                for _ in range(CRITIC_STEPS + 1):
                    steps.draw_noise(stream.take(1)[0])

            return work

        turns: dict[str, tuple[bool, Callable[[], object], int]] = {
            "together": (True, lambda: together.run(1), cycles),
            "whole": (False, lambda: whole.run(1), cycles),
            "half": (False, lambda: half.run(1), cycles),
            "half on both": (True, lambda: half.run(1), cycles),
            "assemble whole": (False, assembling(whole), 10),
            "assemble half": (False, assembling(half), 10),
        }
        for size in sorted({*SIZES, *(count // 4 for count in said)}):
            turns[f"all-reduce {size * 4}"] = (True, partial(dist.all_reduce, torch.zeros(size)), 10)
        names = list(turns)
        for number in range(rounds):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                both, work, repeats = turns[name]
                dist.barrier()
                if both or ranks.first:
                    times.setdefault(name, []).append(clock(work, repeats))
    if not ranks.first:
        return None
    return {"network": network, "batch": batch, "collectives": said, "cycles": cycles, "seconds": times}


def work_as_rank(arguments: argparse.Namespace) -> None:
    """What each of the two processes does; the first leaves what it found in a file."""
    number, meeting, out = int(arguments.rank[0]), arguments.rank[1], arguments.rank[2]
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=2)
    results = []
    for network in arguments.networks:
        batch = arguments.batch or NETWORKS[network].batch
        results.append(measure(network, batch, arguments.rounds, arguments.seconds))
    sizes = collectives(PREDICTED, Ranks(number, 2))
    if number == 0:
        record = {"machine": machine(CPU), "results": results, "predicted_collectives": sizes}
        Path(out).write_text(json.dumps(record), encoding="utf-8")
    dist.barrier()
    dist.destroy_process_group()


def run_ranks(arguments: Sequence[str]) -> dict[str, Any]:
    """Two processes of this script with `arguments`; what the first of them found."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        call = [sys.executable, __file__, *arguments, "--rank"]
        ranks = [subprocess.Popen([*call, str(n), str(Path(folder, "meeting")), str(out)]) for n in range(2)]
        codes = [rank.wait() for rank in ranks]
        if any(codes):
            raise SystemExit("a process failed; see above")
        found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return found


def point(text: str) -> tuple[float, float]:
    batch, _, ms = text.partition(":")
    return float(batch), float(ms)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=["mlp", "dcgan-32"], metavar="NAME")
    parser.add_argument("--batch", type=int, help="whole batch, even; each network's own by default")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="of one process's training a round, at least")
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything measured and predicted")
    model = parser.add_argument_group("assumptions of the prediction")
    model.add_argument(
        "--step-ms", type=point, nargs=2, default=[(64, 3.5), (512, 24.0)], metavar="BATCH:MS",
        help=f"a cycle of {PREDICTED} on one GPU at two batches; the default is an estimate, measure yours",
    )  # fmt: skip
    model.add_argument("--nvlink", type=float, default=450.0, help="GB/s a GPU and direction within a node")
    model.add_argument("--network", type=float, default=50.0, help="GB/s a GPU and direction between nodes")
    model.add_argument("--latency", type=float, default=5.0, help="us a hop of a collective")
    model.add_argument("--memory", type=float, default=3.35, help="TB/s of device memory")
    model.add_argument("--gpus-per-node", type=int, default=8)
    parser.add_argument("--rank", nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    if arguments.rank:
        work_as_rank(arguments)
        return
    record = run_ranks(sys.argv[1:])
    for found in record["results"]:
        found["model"] = model_of_two(found)
    sizes = record["predicted_collectives"]
    record["assumptions"] = {
        name: getattr(arguments, name)
        for name in ("step_ms", "nvlink", "network", "latency", "memory", "gpus_per_node")
    }
    record["predicted"] = [
        {"batch": batch, "gpus": gpus, **predict(arguments, batch, gpus, sizes)} for batch in BATCHES for gpus in GPUS
    ]
    print(describe_machine(record["machine"]), "", *measured_tables(record["results"]), "", sep="\n")
    print(*predicted_table(arguments, sizes), sep="\n")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

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
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from handwritten import CRITIC_STEPS
from networks import NETWORKS
from timing import describe_machine, machine, quantile
from trainings import VARIANTS, Setup, Wganx

from wganx.engine.ranks import Ranks

CPU = torch.device("cpu")
PREDICTED = "dcgan-64"
SIZES = (1, 1_000, 100_000, 1_000_000)
"""Values in the all-reduces from which latency and bandwidth are read."""


def training(network: str, batch: int, ranks: Ranks) -> Wganx:
    """The engine on `network`, its batches of `batch` shared by `ranks`."""
    made = Setup(NETWORKS[network], batch, CPU, "fp32").make(VARIANTS["wganx"])
    assert isinstance(made, Wganx)
    made.trainer.ranks = made.trainer.steps.ranks = ranks
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
        del ranks.sum_  # type: ignore[method-assign]


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
            values = torch.zeros(size)
            turns[f"all-reduce {size * 4}"] = (True, lambda values=values: dist.all_reduce(values), 10)
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


def line(points: Mapping[float, float]) -> tuple[float, float]:
    """Intercept and slope through `points`, by least squares of the relative error, neither below 0."""
    weights = {x: 1 / y**2 for x, y in points.items()}
    total = sum(weights.values())
    x0, y0 = (sum(w * v for (_, w), v in zip(weights.items(), vs)) / total for vs in (points.keys(), points.values()))
    slope = max(0.0, sum(w * (x - x0) * (points[x] - y0) for x, w in weights.items())) / sum(
        w * (x - x0) ** 2 for x, w in weights.items()
    )
    return max(0.0, y0 - slope * x0), slope


def model_of_two(found: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of the parts of a cycle on two ranks, as one rank's measurements predict them."""
    median = {name: statistics.median(values) for name, values in found["seconds"].items()}
    reduces = {float(name.split()[1]): value for name, value in median.items() if name.startswith("all-reduce")}
    latency, per_byte = line(reduces)
    largest = max(found["collectives"])
    cost = [latency + size * per_byte for size in found["collectives"]]
    parts = {
        "assemble": median["assemble whole"],
        "compute": median["half"] - median["assemble half"],
        "gradients": sum(c for c, size in zip(cost, found["collectives"]) if size > largest / 100),
        "small sums": sum(c for c, size in zip(cost, found["collectives"]) if size <= largest / 100),
    }
    crowding = max(0.0, median["half on both"] - median["half"])
    predicted = sum(parts.values())
    return {
        **parts,
        "latency": latency,
        "bandwidth": 1 / per_byte if per_byte else math.inf,
        "one": median["whole"],
        "two": median["together"],
        "predicted": predicted,
        "crowding": crowding,
        "predicted crowded": predicted + crowding,
    }


def predict(rates: argparse.Namespace, batch: int, gpus: int, sizes: Sequence[int]) -> dict[str, float]:
    """Seconds of the parts of a cycle of `PREDICTED` on `gpus`: assumptions put into the same sum."""
    (b0, t0), (b1, t1) = sorted(rates.step_ms)
    per_row = (t1 - t0) / (b1 - b0) / 1e3
    fixed = max(0.0, t0 / 1e3 - per_row * b0)
    bandwidth = 1e9 * (rates.nvlink if gpus <= rates.gpus_per_node else rates.network)
    hops = 2 * math.ceil(math.log2(gpus)) if gpus > 1 else 0
    # Bytes of storage are read and floats written, once for each critic update, by every rank for the whole batch.
    assemble = CRITIC_STEPS * batch * math.prod(NETWORKS[PREDICTED].sample) * 5 / (rates.memory * 1e12)
    waits = len(sizes) * hops * rates.latency / 1e6
    wires = sum(sizes) * 2 * (gpus - 1) / gpus / bandwidth
    parts = {"assemble": assemble, "compute": fixed + per_row * batch / gpus, "latency": waits, "bytes": wires}
    return {**parts, "all": sum(parts.values())}


def measured_tables(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield (
        "| network, whole batch | 1 process, ms a cycle | 2 processes | speed-up | model | model / measured "
        "| with crowding | model / measured |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for found in results:
        m = found["model"]
        ratios = [a / b for a, b in zip(found["seconds"]["whole"], found["seconds"]["together"])]
        speed = f"{m['one'] / m['two']:.2f} ({quantile(ratios, 0.1):.2f}-{quantile(ratios, 0.9):.2f})"
        cells = [
            f"{found['network']}, {found['batch']}", f"{1e3 * m['one']:.1f}", f"{1e3 * m['two']:.1f}", speed,
            f"{1e3 * m['predicted']:.1f}", f"{m['predicted'] / m['two']:.2f}",
            f"{1e3 * m['predicted crowded']:.1f}", f"{m['predicted crowded'] / m['two']:.2f}",
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield (
        "| network | assemble whole batches, ms | compute half | gradients: all-reduces, ms | small sums: all-reduces, "
        "ms | crowding, ms | latency, us | bandwidth, GB/s |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for found in results:
        m, sizes = found["model"], found["collectives"]
        large = sum(size > max(sizes) / 100 for size in sizes)
        cells = [
            found["network"], f"{1e3 * m['assemble']:.2f}", f"{1e3 * m['compute']:.1f}",
            f"{large}: {1e3 * m['gradients']:.2f}", f"{len(sizes) - large}: {1e3 * m['small sums']:.2f}",
            f"{1e3 * m['crowding']:.1f}", f"{1e6 * m['latency']:.0f}", f"{m['bandwidth'] / 1e9:.2f}",
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def predicted_table(rates: argparse.Namespace, sizes: Sequence[int]) -> Iterator[str]:
    points = " and ".join(f"{ms:g} ms at batch {rows:g}" for rows, ms in sorted(rates.step_ms))
    yield (
        f"**A model, not a measurement**: {PREDICTED} on GPUs. Assumed: a cycle on one GPU takes {points} and lies on "
        f"the line through both; {rates.nvlink:g} GB/s a GPU within a node of {rates.gpus_per_node}, {rates.network:g} "
        f"GB/s between nodes; {rates.latency:g} us a hop, 2 log2(W) hops a collective; {rates.memory:g} TB/s of device "
        f"memory for batches. Nothing overlaps and nobody waits for a slower rank. {len(sizes)} all-reduces a cycle "
        f"(counted), {sum(sizes) / 1e6:.1f} MB."
    )
    yield ""
    yield "| whole batch | GPUs | compute, ms | assemble | latency | bytes | cycle, ms | speed-up | of ideal |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for batch in (512, 4096):
        one = predict(rates, batch, 1, sizes)["all"]
        for gpus in (1, 8, 64):
            p = predict(rates, batch, gpus, sizes)
            parts = [f"{1e3 * p[name]:.2f}" for name in ("compute", "assemble", "latency", "bytes", "all")]
            speed = one / p["all"]
            yield f"| {batch} | {gpus} | {' | '.join(parts)} | {speed:.1f} | {speed / gpus:.0%} |"
    yield ""
    for batch in (512, 4096):
        counts = [2**k for k in range(1, 13) if 2**k <= batch]
        limit = next((w for w in counts if _talk(p := predict(rates, batch, w, sizes)) > p["all"] / 2), None)
        best = min([1, *counts], key=lambda w: predict(rates, batch, w, sizes)["all"])
        over = "never more than half of a cycle" if limit is None else f"more than half of a cycle from {limit} GPUs on"
        yield f"Batch {batch}: collectives take {over}; of powers of two, {best} GPUs are the fastest."


def _talk(parts: Mapping[str, float]) -> float:
    return parts["latency"] + parts["bytes"]


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
        {"batch": batch, "gpus": gpus, **predict(arguments, batch, gpus, sizes)}
        for batch in (512, 4096)
        for gpus in (1, 8, 64)
    ]
    print(describe_machine(record["machine"]), "", *measured_tables(record["results"]), "", sep="\n")
    print(*predicted_table(arguments, sizes), sep="\n")
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

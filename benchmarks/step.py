"""One training cycle, five critic updates and one of the generator, against the same cycle written by hand.

Ways to take it (--variants), all from the same initial networks and on the same batches, which lie on the device:

    textbook     as the popular scripts do            careful        stock parts, nothing computed for nothing
    bare         all that the engine does, by hand    wganx          the engine, eagerly
    wganx-graph  recorded as CUDA graphs              wganx-compile  by torch.compile
    ...-bf16     the same under bfloat16

Before anything is timed, three cycles of each in float64 must end in the same weights. Then they take turns; a cell is
the median of textbook over the median of the variant, with the range that holds 80 % of the rounds' ratios. On the CPU
with one thread it is made of the process's CPU time, otherwise of wall-clock time; --json keeps both.

Run: python benchmarks/step.py [--networks dcgan-32 mlp] [--rounds 15] [--seconds 1] [--json step.json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from floor import Floor, count, matmul_peak, measure_floor, synchronize
from handwritten import CRITIC_STEPS
from networks import NETWORKS, describe
from timing import Times, choose_device, describe_machine, machine, ratio, take_turns
from trainings import BASELINE, VARIANTS, Setup, Training, Variant, complaints, distances, multiplying

import wganx

USUAL = ("textbook", "careful", "bare", "wganx", "textbook-bf16", "wganx-bf16")
USUAL_CUDA = ("textbook", "careful", "bare", "wganx", "wganx-graph", "textbook-bf16", "wganx-bf16", "wganx-graph-bf16")
AGREEMENT = 1e-8
"""How far parameters may be apart after three cycles in float64, relative to their norm."""


@dataclass(frozen=True)
class Reading:
    """What was measured of one variant.

    Attributes:
        operations: floating-point operations of one cycle, counted.
        first_seconds: wall-clock seconds of the `first_cycles` before the first round.
    """

    times: Times
    operations: int
    first_seconds: float
    first_cycles: int

    def seconds(self, clock: str = "wall") -> float:
        """Median of one cycle."""
        return statistics.median(self.times.of(clock))

    @property
    def preparation(self) -> float:
        """Seconds spent once: the first cycles, less what they take later on."""
        return max(0.0, self.first_seconds - self.first_cycles * self.seconds())


@dataclass
class Result:
    """One network: how far its variants were apart, why some are missing, and what the others took."""

    network: str
    batch: int
    precision: str
    floor: Floor
    distances: dict[str, float]
    distances_fp32: dict[str, float]
    readings: dict[str, Reading] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def measure(setup: Setup, variants: Sequence[Variant], *, rounds: int, seconds: float, warm_up: int) -> Result:
    """The variants in turn, each for about `seconds` a round and for one cycle at least.

    Raises:
        SystemExit: their mathematics is not the same.
    """
    network = setup.network
    eager = [v.name for v in variants if v.capture == "off" and not v.bf16 and v.name != BASELINE]
    apart = distances(network, setup.device, eager)
    if far := {name: value for name, value in apart.items() if not value <= AGREEMENT}:
        raise SystemExit(f"{network.name}: after three cycles the parameters are not those of {BASELINE}: {far}")
    in_fp32 = distances(network, setup.device, eager, torch.float32)
    result = Result(network.name, setup.batch, setup.precision, measure_floor(network, setup.batch), apart, in_fp32)
    first: dict[str, float] = {}
    operations: dict[str, int] = {}  # by way, as all variants of one do the same
    units: dict[str, int] = {}
    with ExitStack() as stack:
        trainings: dict[str, Training] = {}
        for variant in variants:
            start = time.perf_counter()
            try:
                training = setup.make(variant)
                with complaints() as heard:
                    stack.enter_context(training.active())
                    training.run(warm_up)
            except (wganx.WganxError, RuntimeError) as error:
                heard = [str(error) or type(error).__name__]
            if heard:
                result.missing[variant.name] = heard[0].splitlines()[0]
                continue
            synchronize(setup.device)
            first[variant.name] = time.perf_counter() - start
            start = time.perf_counter()
            training.run(1)
            synchronize(setup.device)
            units[variant.name] = max(1, round(seconds / (time.perf_counter() - start)))
            trainings[variant.name] = training
            if variant.way not in operations:
                operations[variant.way] = count_cycle(setup, variant)
        times = take_turns({name: training.run for name, training in trainings.items()}, units, rounds, setup.device)
    result.readings = {
        name: Reading(times[name], operations[VARIANTS[name].way], first[name], warm_up) for name in times
    }
    return result


def count_cycle(setup: Setup, variant: Variant) -> int:
    """Operations of one cycle, which grow with the batch, from a small one.

    Captured or not, and in whichever precision, they are those of the same step taken eagerly, which can be counted.
    """
    small = replace(setup, batch=4)
    training = small.make(VARIANTS[variant.way])
    with training.active():
        training.run(1)
        return count(lambda: training.run(1)) * setup.batch // small.batch


def ratio_table(results: Sequence[Result], variants: Sequence[Variant], clock: str) -> Iterator[str]:
    """Textbook's time over that of each of `variants`."""
    names = [variant.name for variant in variants if variant.name != BASELINE]
    yield f"| network | {BASELINE} | {' | '.join(names)} |"
    yield f"|---|---|{'---|' * len(names)}"
    for result in results:
        base = result.readings[BASELINE]
        cells = [
            str(ratio(base.times.of(clock), result.readings[name].times.of(clock))) if name in result.readings else "-"
            for name in names
        ]
        row = [f"{result.network}, batch {result.batch}", f"{1000 * base.seconds(clock):.1f} ms", *cells]
        yield f"| {' | '.join(row)} |"


def engine_table(results: Sequence[Result], clock: str) -> Iterator[str]:
    """What the engine takes longer than the bare step, and than the careful one."""
    yield "| network | wganx over bare | wganx over careful |"
    yield "|---|---|---|"
    for result in results:
        cells = []
        for other in ("bare", "careful"):
            if {"wganx", other} <= result.readings.keys():
                ours, theirs = (result.readings[name].times.of(clock) for name in ("wganx", other))
                found = ratio(ours, theirs)
                low, high = 100 * (found.low - 1), 100 * (found.high - 1)
                cells.append(f"{100 * (found.value - 1):+.1f} % ({low:+.1f} to {high:+.1f})")
            else:
                cells.append("-")
        yield f"| {result.network}, batch {result.batch} | {' | '.join(cells)} |"


def detail_table(results: Sequence[Result], peaks: Mapping[str, float]) -> Iterator[str]:
    """Of each variant: times, arithmetic against the floor's, and how soon its start is paid for."""
    yield (
        "| network | variant | ms a cycle | CPU ms a cycle | real samples/s | floor / counted FLOP "
        "| floor FLOP/s of peak | spent once | ahead of textbook after |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for result in results:
        least = result.floor.cycle(CRITIC_STEPS)
        base = result.readings[BASELINE]
        for name, reading in result.readings.items():
            gain, spent = base.seconds() - reading.seconds(), reading.preparation - base.preparation
            ahead = "-" if name == BASELINE else "never" if gain <= 0 else f"cycle {max(0.0, spent / gain):,.0f}"
            peak = peaks["bf16" if VARIANTS[name].bf16 else result.precision]
            yield (
                f"| {result.network} | {name} | {1000 * reading.seconds():.2f} | {1000 * reading.seconds('cpu'):.2f} "
                f"| {CRITIC_STEPS * result.batch / reading.seconds():,.0f} | {least / reading.operations:.3f} "
                f"| {100 * least / reading.seconds() / peak:.0f} % | {reading.preparation:.1f} s | {ahead} |"
            )


def render(head: Sequence[str], results: Sequence[Result], variants: Sequence[Variant], record: Any) -> str:
    """The whole page in Markdown: equal precision and best setting apart, because they answer different questions."""
    clock = record["clock"]
    lines = [*head, "", f"Equal precision, {record['precision']}: times faster than {BASELINE}.", ""]
    lines += [*ratio_table(results, [v for v in variants if not v.bf16], clock), ""]
    if best := [v for v in variants if v.bf16]:
        lines += [f"Best setting, bf16: times faster than {BASELINE} in {record['precision']}.", ""]
        lines += [*ratio_table(results, best, clock), ""]
    if {"wganx", "bare", "careful"} <= {variant.name for variant in variants}:
        lines += ["What the engine takes longer:", "", *engine_table(results, clock), ""]
    lines += [*detail_table(results, record["peaks"]), ""]
    lines += [f"Relative distance of the parameters from those of {BASELINE} after three cycles in float64 (fp32):", ""]
    for result in results:
        each = [f"{name} {far:.0e} ({result.distances_fp32[name]:.0e})" for name, far in result.distances.items()]
        lines.append(f"- {result.network}: {', '.join(each)}")
    for result in results:
        lines += [f"- {result.network} without {name}: {reason}" for name, reason in result.missing.items()]
    return "\n".join(lines) + "\n"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, metavar="NAME", help="textbook is always among them")
    parser.add_argument("--batch", type=int, help="of every network, in place of its own")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each variant a round, one cycle at least")
    parser.add_argument("--warm-up", type=int, help="cycles before the rounds; default 20 on CUDA, else 2")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=["fp32", "tf32"], help="where not bf16; default tf32 on CUDA, else fp32")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every round of every variant; grows by network")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="what is printed; grows by network")
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    device = choose_device(arguments.device)
    cuda = device.type == "cuda"
    torch.backends.cudnn.benchmark = cuda
    precision = arguments.precision or ("tf32" if cuda else "fp32")
    names = dict.fromkeys((BASELINE, *(arguments.variants or (USUAL_CUDA if cuda else USUAL))))
    variants = [VARIANTS[name] for name in names]
    with multiplying(precision, device):
        peaks = {precision: matmul_peak(device, torch.float32), "bf16": matmul_peak(device, torch.bfloat16)}
    record: dict[str, Any] = {
        "machine": machine(device),
        "precision": precision,
        "clock": "cpu" if not cuda and arguments.threads == 1 else "wall",
        "rounds": arguments.rounds,
        "peaks": peaks,
    }
    tf32 = f" TF32 in products and convolutions: {'on' if precision == 'tf32' else 'off'}." if cuda else ""
    head = [
        describe_machine(record["machine"]) + tf32,
        f"{arguments.rounds} rounds of about {arguments.seconds:g} s; ratios of "
        f"{'process CPU time' if record['clock'] == 'cpu' else 'wall-clock time'}. Fastest matrix product: "
        + ", ".join(f"{name} {peak / 1e12:.2f} TFLOP/s" for name, peak in peaks.items()) + ".",
    ]  # fmt: skip
    results: list[Result] = []
    page = ""
    for name in arguments.networks:
        network = NETWORKS[name]
        batch = arguments.batch or network.batch
        print(describe(network, batch), file=sys.stderr, flush=True)
        setup = Setup(network, batch, device, precision)
        warm_up = arguments.warm_up or (20 if cuda else 2)
        results.append(measure(setup, variants, rounds=arguments.rounds, seconds=arguments.seconds, warm_up=warm_up))
        page = render(head, results, variants, record)
        if arguments.markdown:
            arguments.markdown.parent.mkdir(parents=True, exist_ok=True)
            arguments.markdown.write_text(page, encoding="utf-8")
        if arguments.json:
            kept = {**record, "results": [asdict(result) for result in results]}
            arguments.json.parent.mkdir(parents=True, exist_ok=True)
            arguments.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(page, end="")


if __name__ == "__main__":
    main()

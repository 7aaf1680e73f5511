"""What is asked of a GPU beside the table of `step.py`; each check prints Markdown and exits with 1 when it fails.

    capture    a recorded training ends in the weights of an eager one
    forwards   real and fake samples through the critic together or apart, eagerly and recorded
    feed       what a batch from data on the device takes, beside the step it feeds
    account    where the time of a DCGAN-64 cycle goes: kernels, and gaps between them

Run: python benchmarks/gpu_checks.py account [--device cuda] [--quick]
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable

import torch
from floor import synchronize
from handwritten import Bare
from networks import NETWORKS, Network
from timing import choose_device, describe_machine, machine, ratio, take_turns
from torch import Tensor
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from trainings import VARIANTS, Setup, Training, complaints, distance

from wganx.batch import SampleFormat
from wganx.data import ArrayItems, ResidentFeed

CAPTURE_AGREEMENT = 1e-8
"""Relative distance of parameters that a recorded and an eager training may end apart, in float64."""


def check_capture(device: torch.device, quick: bool) -> bool:
    """Eager against recorded, same seed, deterministic kernels; fp32 is told, float64 decides."""
    if device.type != "cuda":
        print(f"Skipped: CUDA graphs need a CUDA device, and this is {device.type}.")
        return True
    torch.backends.cudnn.deterministic = True
    cycles, passed = (8 if quick else 30), True
    print(f"| network | weights | cycles | relative distance | bit-equal |\n|{'---|' * 5}")
    for (name, network), dtype in itertools.product(NETWORKS.items(), (torch.float32, torch.float64)):
        setup = Setup(network, min(network.batch, 16), device, "fp32", dtype=dtype)
        trainings = []
        for variant in ("wganx", "wganx-graph"):
            training = setup.make(VARIANTS[variant])
            with complaints() as heard, training.active():
                training.run(cycles)
            trainings.append(training)
        apart = distance(*trainings)
        same = all(map(torch.equal, *(training.generator.parameters() for training in trainings)))
        said = f"not recorded: {heard[0]}" if heard else f"{apart:.1e}"
        kind = str(dtype).removeprefix("torch.")
        print(f"| {name} | {kind} | {cycles} | {said} | {'yes' if same else 'no'} |", flush=True)
        passed = passed and not heard and (dtype == torch.float32 or apart <= CAPTURE_AGREEMENT)
    return passed


def time_forwards(device: torch.device, quick: bool) -> bool:
    """The bare step both ways, in bf16."""
    cuda = device.type == "cuda"
    print("Times of the bare cycle in bf16 with separate forward passes over those with joined ones; above 1: join.\n")
    print(f"| network | batch | eager |{' recorded |' if cuda else ''}\n|---|---|---|{'---|' if cuda else ''}")
    for name in ("mlp", "dcgan-32") if quick else ("dcgan-64", "dcgan-32", "mlp", "resnet-32"):
        for batch in (4,) if quick else (64, 256, 1024):
            cells = []
            for recorded in (False, True) if cuda else (False,):
                runs = {
                    joined: bare_run(NETWORKS[name], batch, device, joined=joined, recorded=recorded)
                    for joined in (False, True)
                }
                contestants = {str(joined): run for joined, run in runs.items()}
                times = take_turns(contestants, dict.fromkeys(contestants, 2), 3 if quick else 9, device)
                cells.append(str(ratio(times["False"].wall, times["True"].wall)))
            print(f"| {name} | {batch} | {' | '.join(cells)} |", flush=True)
    return True


def bare_run(
    network: Network, batch: int, device: torch.device, *, joined: bool, recorded: bool
) -> Callable[[int], None]:
    """Some cycles of the bare step, warmed up, and recorded as one CUDA graph if asked."""
    setup = Setup(network, batch, device, "tf32")
    generator, critic = setup.networks(constant_mask=True)
    draws = torch.Generator(device).manual_seed(0)
    image = len(network.sample) == 3
    layout = torch.channels_last if image and device.type == "cuda" else torch.contiguous_format
    bare = Bare(generator, critic, network.noise, draws, bf16=True, joined=joined, layout=layout)
    reals = itertools.cycle(setup.reals())
    if not recorded:
        for _ in range(2):
            bare.cycle(reals)
        return lambda cycles: repeat(lambda: bare.cycle(reals), cycles)
    stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(stream):
        for _ in range(3):
            bare.cycle(reals)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(draws)
    with torch.cuda.graph(graph, stream=stream):
        bare.cycle(reals)
    return lambda cycles: repeat(graph.replay, cycles)


def repeat(work: Callable[[], None], times: int) -> None:
    for _ in range(times):
        work()


def time_feed(device: torch.device, quick: bool) -> bool:
    """Five batches of a cycle from a resident feed of uint8 pictures, beside the cycle."""
    items, batch = (256, 8) if quick else (20_000, 64)
    print("| pictures | batch | ms for the batches of a cycle | ms a cycle | share |\n|---|---|---|---|---|")
    for name in ("dcgan-32",) if quick else ("dcgan-32", "dcgan-64"):
        network = NETWORKS[name]
        pixels = torch.randint(0, 256, (items, *network.sample), dtype=torch.uint8)
        form = SampleFormat(axes=("channel", "height", "width"), shape=network.sample)
        feed = ResidentFeed(ArrayItems({"sample": pixels}, {"sample": form}), batch_size=batch, seed=0, device=device)

        def take(cycles: int, feed: ResidentFeed = feed) -> None:
            for _ in range(5 * cycles):
                normalised(feed.next()["sample"])

        setup = Setup(network, batch, device, "tf32" if device.type == "cuda" else "fp32")
        training = setup.make(VARIANTS["wganx-graph-bf16" if device.type == "cuda" else "wganx"])
        with training.active():
            training.run(1 if quick else 20)
            take(1)
            contestants = {"feed": take, "cycle": training.run}
            times = take_turns(contestants, dict.fromkeys(contestants, 1 if quick else 10), 3 if quick else 15, device)
        medians = {key: 1000 * sorted(found.wall)[len(found.wall) // 2] for key, found in times.items()}
        share = medians["feed"] / medians["cycle"]
        print(
            f"| {items:,} of {network.sample} | {batch} | {medians['feed']:.3f} | {medians['cycle']:.3f} "
            f"| {100 * share:.1f} % |",
            flush=True,
        )
    return True


def normalised(pixels: Tensor) -> Tensor:
    """``uint8 [0, 255]`` to ``float [-1, 1]``, every other picture mirrored: what a task does to a batch."""
    mirror = torch.rand(len(pixels), 1, 1, 1, device=pixels.device) < 0.5
    scaled = pixels.float() / 127.5 - 1
    return torch.where(mirror, scaled.flip(-1), scaled)


def account(device: torch.device, quick: bool) -> bool:
    """Profiles a few cycles of DCGAN-64 (of DCGAN-32 to see that it runs), eager and recorded."""
    cuda = device.type == "cuda"
    network, batch, cycles = (NETWORKS["dcgan-32"], 4, 1) if quick else (NETWORKS["dcgan-64"], 64, 5)
    names = ("textbook", "wganx-bf16", "wganx-graph-bf16") if cuda else ("textbook", "wganx")
    for name in names:
        training = Setup(network, batch, device, "tf32" if cuda else "fp32").make(VARIANTS[name])
        with training.active():
            training.run(1 if quick else 12)
            synchronize(device)
            report_profile(f"{name} on {network.name}, batch {batch}", training, cycles, device)
    return True


def report_profile(what: str, training: Training, cycles: int, device: torch.device) -> None:
    """Time on the device by kernel (on the CPU: by operator), and how much of the wall-clock time it leaves idle."""
    cuda = device.type == "cuda"
    activities = [ProfilerActivity.CPU, ProfilerActivity.CUDA] if cuda else [ProfilerActivity.CPU]
    with profile(activities=activities, acc_events=True) as recorded:
        training.run(cycles)
        synchronize(device)
    if cuda:
        events = [event for event in recorded.events() if event.device_type == DeviceType.CUDA]
        spans = sorted((event.time_range.start, event.time_range.end) for event in events)
        rows = [(event.key, event.self_device_time_total, event.count) for event in recorded.key_averages()
                if event.device_type == DeviceType.CUDA]  # fmt: skip
    else:
        rows = [(event.key, event.self_cpu_time_total, event.count) for event in recorded.key_averages()]
        spans = sorted((event.time_range.start, event.time_range.end) for event in recorded.events())
    busy, last = 0.0, spans[0][0]
    for start, end in spans:
        busy += max(0.0, end - max(start, last))
        last = max(last, end)
    whole = last - spans[0][0]
    calls = sum(row[2] for row in rows) / cycles
    print(
        f"\n{what}: {whole / cycles / 1000:.2f} ms a cycle, {calls:,.0f} "
        f"{'kernels' if cuda else 'operators'}; nothing running {100 * (1 - busy / whole):.0f} % of the time.\n"
    )
    total = sum(row[1] for row in rows)
    print("| share | calls a cycle | us a call | what |\n|---|---|---|---|")
    for key, spent, times in sorted(rows, key=lambda row: -row[1])[:12]:
        print(f"| {100 * spent / total:.1f} % | {times / cycles:.0f} | {spent / times:.1f} | `{key[:90]}` |")


CHECKS = {"capture": check_capture, "forwards": time_forwards, "feed": time_feed, "account": account}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = choose_device(arguments.device)
    torch.backends.cudnn.benchmark = device.type == "cuda" and arguments.check != "capture"
    print(describe_machine(machine(device)) + "\n")
    sys.exit(0 if CHECKS[arguments.check](device, arguments.quick) else 1)


if __name__ == "__main__":
    main()

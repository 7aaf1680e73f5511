"""The sum that a training cycle on several ranks is predicted by, and its tables; see `scaling`."""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handwritten import CRITIC_STEPS
from networks import NETWORKS
from timing import quantile

PREDICTED = "dcgan-64"
BATCHES = (512, 4096)
GPUS = (1, 8, 64)


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
    for batch in BATCHES:
        one = predict(rates, batch, 1, sizes)["all"]
        for gpus in GPUS:
            p = predict(rates, batch, gpus, sizes)
            parts = [f"{1e3 * p[name]:.2f}" for name in ("compute", "assemble", "latency", "bytes", "all")]
            speed = one / p["all"]
            yield f"| {batch} | {gpus} | {' | '.join(parts)} | {speed:.1f} | {speed / gpus:.0%} |"
    yield ""
    for batch in BATCHES:
        counts = [2**k for k in range(1, 13) if 2**k <= batch]
        limit = next((w for w in counts if _talk(p := predict(rates, batch, w, sizes)) > p["all"] / 2), None)
        best = min([1, *counts], key=lambda w: predict(rates, batch, w, sizes)["all"])
        over = "never more than half of a cycle" if limit is None else f"more than half of a cycle from {limit} GPUs on"
        yield f"Batch {batch}: collectives take {over}; of powers of two, {best} GPUs are the fastest."


def _talk(parts: Mapping[str, float]) -> float:
    return parts["latency"] + parts["bytes"]

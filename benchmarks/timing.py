"""Times of things that take turns in one process, and the machine they were taken on."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from floor import synchronize


@dataclass
class Times:
    """Seconds a unit of work of one contestant, one entry a round: wall clock, and CPU time of this process."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def of(self, clock: str) -> list[float]:
        return self.wall if clock == "wall" else self.cpu


def take_turns(
    contestants: Mapping[str, Callable[[int], object]], units: Mapping[str, int], rounds: int, device: torch.device
) -> dict[str, Times]:
    """Every contestant in every round, so that whatever else the machine does meets all alike.

    A contestant is called with the number of units of work it is to do, ``units[name]``. Each round starts with
    another contestant. The device is waited for before and after a turn, not within.
    """
    times = {name: Times() for name in contestants}
    names = list(contestants)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            synchronize(device)
            wall, cpu = time.perf_counter(), time.process_time()
            contestants[name](units[name])
            synchronize(device)
            times[name].wall.append((time.perf_counter() - wall) / units[name])
            times[name].cpu.append((time.process_time() - cpu) / units[name])
    return times


@dataclass(frozen=True)
class Ratio:
    """How many times as long one takes as another: ratio of medians, and where 80 % of the rounds' ratios lie."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}-{self.high:.2f})"


def ratio(numerator: Sequence[float], denominator: Sequence[float]) -> Ratio:
    """Of two lists of seconds, one entry a round each."""
    each = [a / b for a, b in zip(numerator, denominator, strict=True)]
    low, high = quantile(each, 0.1), quantile(each, 0.9)
    return Ratio(statistics.median(numerator) / statistics.median(denominator), low, high)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of `values` lie, between the two nearest."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def choose_device(name: str) -> torch.device:
    """The device of that name; of several GPUs the first, by its number."""
    device = torch.device(name)
    return torch.device(device.type, device.index or 0) if device.type == "cuda" else device


def machine(device: torch.device) -> dict[str, Any]:
    """What figures taken here depend on: processor, threads, versions, date, load, and the GPU as it is now."""
    found: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
    if device.type == "cuda":
        found |= {
            "gpu": torch.cuda.get_device_name(device),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            **_nvidia_smi(device),
        }
    return found


def describe_machine(found: Mapping[str, Any]) -> str:
    """One line of Markdown."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in found.items()) + "."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _nvidia_smi(device: torch.device) -> dict[str, str]:
    """Driver, clocks and power, where `nvidia-smi` answers."""
    fields = ["driver_version", "clocks.sm", "clocks.mem", "clocks.max.sm", "power.draw", "power.limit"]
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader", "-i", str(device.index or 0)]
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(zip((name.replace(".", "_") for name in fields), (value.strip() for value in answer.split(","))))

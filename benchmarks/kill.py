"""Kills a run at random moments until it is done, and compares its end with that of a run never killed.

Run: python benchmarks/kill.py --kills 20
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from wganx.engine import read_checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugin", default="image")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--kills", type=int, default=20, help="how often to kill")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    moments = random.Random(arguments.seed)
    settings = {"train.steps": arguments.steps, "checkpoint.every": 3, "log.every": 2, "preview.every": 40}
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            sys.executable, "-m", "wganx.cli", "train", "--plugin", arguments.plugin, "--device", "cpu", "--resume",
            *(f"--set={name}={value}" for name, value in settings.items()), "--out",
        ]  # fmt: skip
        whole, killed = Path(scratch, "whole"), Path(scratch, "killed")
        subprocess.run([*command, str(whole)], check=True, stdout=subprocess.DEVNULL)
        kills: list[int | None] = []
        while len(kills) < arguments.kills:
            process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            # One in five at any moment of the start; the others once training has moved on, and then at any moment.
            if moments.random() < 0.2:
                wait(process, moments.uniform(0, 10), lambda: False)
            else:
                before = newest(killed)
                wait(process, 120, partial(moved_on, killed, before))
                wait(process, moments.uniform(0, 1.5), lambda: False)
            process.kill()
            if process.wait() != -signal.SIGKILL:
                break
            kills.append(newest(killed))
        subprocess.run([*command, str(killed)], check=True, stdout=subprocess.DEVNULL)
        print(f"{len(kills)} kills, with the newest checkpoint then at step {', '.join(map(str, kills))}")
        compare(whole, killed, arguments.steps)


def wait(process: subprocess.Popen[bytes], seconds: float, reached: Callable[[], bool]) -> None:
    """Until it is reached, the time is over, or the process has ended."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline and not reached():
        time.sleep(0.001)


def moved_on(run: Path, before: int | None) -> bool:
    return newest(run) not in (None, 0, before)


def newest(run: Path) -> int | None:
    steps = [int(path.name.removeprefix("step-")) for path in run.glob("checkpoints/step-*")]
    return max(steps, default=None)


def compare(one: Path, other: Path, step: int) -> None:
    left, right = (read_checkpoint(run / "checkpoints" / f"step-{step:06d}") for run in (one, other))
    for part in ("weights", "training"):
        ours, theirs = getattr(left, part), getattr(right, part)
        equal = sum(name in theirs and torch.equal(tensor, theirs[name]) for name, tensor in ours.items())
        print(f"{part}: {equal} of {len(ours)} tensors bit-equal")
    same = (one / "metrics.jsonl").read_bytes() == (other / "metrics.jsonl").read_bytes()
    print(f"metrics.jsonl: {'the same bytes' if same else 'DIFFERENT'}")
    pictures = sorted(path.name for path in (one / "samples").glob("step-*.png"))
    alike = sum((one / "samples" / name).read_bytes() == (other / "samples" / name).read_bytes() for name in pictures)
    print(f"previews: {alike} of {len(pictures)} the same bytes")


if __name__ == "__main__":
    main()

"""One of several processes that train scenarios in float64; run by test_several_processes.py."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import Tensor

from wganx.batch import Batch
from wganx.config import resolve
from wganx.runs.assembly import Assembly


def in_double(batch: Batch) -> Batch:
    def cast(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: x.double() if x.is_floating_point() else x for name, x in tensors.items()}

    return Batch(batch.real.double(), cast(batch.context), cast(batch.condition))


class Doubled:
    """The scenario's own stream, in float64."""

    def __init__(self, stream: Iterator[Batch]) -> None:
        self.stream = stream

    def __iter__(self) -> "Doubled":
        return self

    def __next__(self) -> Batch:
        return in_double(next(self.stream))


def train(plugin: str, scenario: str) -> dict[str, Tensor]:
    resolved = resolve(plugin=plugin, scenario=scenario, settings=["train.batch_size=9"])
    assembly = Assembly(resolved)
    trainer = assembly.trainer
    for player in (trainer.steps.generator, trainer.steps.critic):
        # Some gradients are zero but for rounding (of a bias that moves all scores alike); at Adam's 1e-8 it would
        # make steps of that rounding.
        player.optimizer.param_groups[0]["eps"] = 1e-4
    trainer.fit(Doubled(assembly.stream), steps=20, log_every=20)
    checkpoint = trainer.checkpoint()
    tensors = {**checkpoint.weights, **{f"training/{name}": value for name, value in checkpoint.training.items()}}
    assert any(value.dtype == torch.float64 for value in tensors.values())
    return {name: value.contiguous().clone() for name, value in tensors.items()}


def main(number: int, count: int, meeting: str, out: Path, scenarios: list[str]) -> None:
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    if count > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=number, world_size=count)
    for named in scenarios:
        save_file(train(*named.split("/")), out / f"{named.replace('/', '-')}-{number}-of-{count}.safetensors")
    if count > 1:
        dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], Path(sys.argv[4]), sys.argv[5:])

"""Where people take their batches from, each as an endless iterator, and wganx's two feeds among them."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from timing import quantile, take_turns
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset
from torchvision import transforms
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.tasks.generate import Generate

from wganx import Formats
from wganx.data import BatchStream, FileItems, choose_feed, load

BATCH = 64


def draw_pictures(folder: Path, count: int, width: int, height: int) -> Path:
    """JPEG files of smooth noise in ten class folders."""
    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / "train" / str(number % 10) / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((width, height), Image.Resampling.BICUBIC).save(path, quality=90)
        if number < 20:
            held_out = folder / "test" / path.relative_to(folder / "train")
            held_out.parent.mkdir(parents=True, exist_ok=True)
            held_out.write_bytes(path.read_bytes())
    return folder


class Pictures(Dataset[Tensor]):
    """One picture at a time, as most examples do it."""

    def __init__(self, items: FileItems) -> None:
        self.paths = [items.tree.root / path for path in items.paths]
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.RandomHorizontalFlip(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Tensor:
        picture: Tensor = self.transform(Image.open(self.paths[index]).convert("RGB"))
        return picture


def endless(dataset: Dataset[Any], workers: int) -> Iterator[Any]:
    sampler = RandomSampler(dataset, replacement=True, num_samples=10**9)  # type: ignore[arg-type]
    return iter(DataLoader(dataset, batch_size=BATCH, sampler=sampler, num_workers=workers))


def mirrored(pixels: Tensor) -> Tensor:
    real = pixels.float() / 127.5 - 1
    return torch.where(torch.rand(len(real), 1, 1, 1) < 0.5, real.flip(3), real)


def sources(items: FileItems) -> dict[str, Iterator[Any]]:
    pictures, pixels = Pictures(items), load(items).tensors["sample"]
    game = Generate(GenerateConfig(flip=True), Formats(items.formats))
    rng = torch.Generator().manual_seed(0)

    def feed(kind: Any) -> BatchStream:
        opened = choose_feed(items, batch_size=BATCH, seed=0, device="cpu", requested=kind, pack="always")
        return BatchStream(opened, lambda rows: game.batch(rows, rng, training=True))

    tensors = TensorDataset(pixels)
    return {
        "files, DataLoader, 0 workers": endless(pictures, 0),
        "files, DataLoader, 2 workers": endless(pictures, 2),
        "tensor dataset, DataLoader, 0 workers": (mirrored(rows) for (rows,) in endless(tensors, 0)),
        "tensor dataset, DataLoader, 2 workers": (mirrored(rows) for (rows,) in endless(tensors, 2)),
        "wganx, resident": feed("resident"),
        "wganx, stream from a pack": feed("stream"),
    }


def measure_sources(items: FileItems, rounds: int, batches: int) -> list[dict[str, Any]]:
    def turn(source: Iterator[Any], count: int) -> None:
        for _ in itertools.islice(source, count):
            pass

    opened = sources(items)
    turns: dict[str, Callable[[int], object]] = {name: partial(turn, source) for name, source in opened.items()}
    for start in turns.values():
        start(3)
    times = take_turns(turns, dict.fromkeys(turns, batches), rounds, torch.device("cpu"))
    for source in opened.values():
        if isinstance(source, BatchStream):
            source.close()
    return [
        {
            "source": name,
            "ms": 1e3 * statistics.median(taken.wall),
            "low": 1e3 * quantile(taken.wall, 0.1),
            "high": 1e3 * quantile(taken.wall, 0.9),
            "cpu_ms": 1e3 * statistics.median(taken.cpu),
        }
        for name, taken in times.items()
    ]

"""Everything of films that needs torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from numpy.lib import format as npy
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import (
    Baseline,
    Batch,
    BuildContext,
    Config,
    DataContext,
    DataError,
    Formats,
    Game,
    Items,
    Make,
    Preview,
    SampleFormat,
    Sink,
    Source,
    Split,
)
from wganx.data import FileTree, WindowItems
from wganx_tones.films import BrightenConfig, FilmsConfig

AXES = ("frame", "height", "width")


def header(file: BinaryIO) -> tuple[tuple[int, int, int], int]:
    """Shape of a film and where its frames begin."""
    try:
        version = npy.read_magic(file)
        shape, _, dtype = (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)
    except ValueError as error:
        raise DataError(f"it is no film: {error}") from error
    if len(shape) != 3 or dtype != np.uint8:
        raise DataError(f"a film is uint8 (T, H, W), and this is {dtype} {shape}")
    return shape, file.tell()


def frames_of(file: BinaryIO, start: int, count: int) -> Tensor:
    """`count` frames from `start` on; nothing else is read."""
    file.seek(0)
    (length, high, wide), begin = header(file)
    count = min(count, length - start)
    file.seek(begin + start * high * wide)
    content = bytearray(file.read(count * high * wide))
    return torch.frombuffer(content, dtype=torch.uint8).reshape(-1, high, wide)


def stored(frames: int | None, high: int, wide: int) -> SampleFormat:
    return SampleFormat(axes=AXES, shape=(frames, high, wide), value_range=(0.0, 255.0), rate_hz=25.0)


def count_windows(file: BinaryIO, path: str, frames: int) -> int:
    (length, _, _), _ = header(file)
    if length < frames:
        raise DataError(f"it has {length} frames, and a window has {frames}")
    return length // frames


def read_window(file: BinaryIO, path: str, window: int, frames: int) -> Mapping[str, Tensor]:
    return {"sample": frames_of(file, window * frames, frames)}


def scene(path: str) -> str | None:
    name = path.rpartition("/")[2]
    return name.partition("_")[0] if "_" in name else None


def open_films(config: FilmsConfig, split: Split, context: DataContext) -> Items:
    tree = FileTree(config.root, (".npy",))
    with tree.open(tree.paths[0]) as file:
        (_, high, wide), _ = header(file)
    windows, decode = partial(count_windows, frames=config.frames), partial(read_window, frames=config.frames)
    formats = {"sample": stored(config.frames, high, wide)}
    return WindowItems(tree, split, windows, decode, formats, group=scene, label=None)


class Brighten(Game):
    """Frames in [0, 1] from darker ones."""

    def __init__(self, config: BrightenConfig, formats: Formats) -> None:
        self.dark = config.dark
        self.sample = replace(formats.need("sample", "task.name=brighten"), value_range=(0.0, 1.0))
        self.context = {"given": self.sample}

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        film = items["sample"].float() / 255
        return Batch(film, context={"given": self.dark * film})

    def baselines(self) -> Mapping[str, Baseline]:
        return {"given": lambda batch, rng: batch.context["given"]}

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        """Windows that share half of their frames, each faded into the next."""
        frames = self.sample.sizes[0]
        half = frames // 2
        fade = torch.linspace(0, 1, half).reshape(-1, 1, 1)
        tail: Tensor | None = None
        for start in range(0, source.length, half):
            film = source.read(start, frames)
            given = len(film)
            padded = torch.cat([film, film[-1:].expand(frames - given, -1, -1)]).float() / 255
            made = make({"given": padded[None]})[0].cpu()
            head = made[:half] if tail is None else tail * (1 - fade) + made[:half] * fade
            sink.write((head[: min(half, given)] * 255).round().to(torch.uint8))
            tail = made[half:]


class NpySource:
    """A film, frame by frame."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        try:
            (self.length, high, wide), _ = header(self.file)
        except DataError as error:
            self.file.close()
            raise DataError(f"{path}: {error}") from error
        self.format = stored(None, high, wide)

    def read(self, start: int, count: int) -> Tensor:
        return frames_of(self.file, start, count)

    def close(self) -> None:
        self.file.close()


class NpySink:
    """A film of as many frames as the source has; fewer or more are a fault."""

    def __init__(self, path: Path, like: Source) -> None:
        self.missing = like.length
        self.file = path.open("wb")
        shape = (like.length, *like.format.shape[1:])
        npy.write_array_header_1_0(self.file, {"descr": "|u1", "fortran_order": False, "shape": shape})

    def write(self, chunk: Tensor) -> None:
        self.missing -= len(chunk)
        self.file.write(chunk.contiguous().numpy().tobytes())

    def close(self) -> None:
        self.file.close()
        if self.missing:
            raise DataError(f"{self.missing} frames are missing")


class Brightener(nn.Module):
    def __init__(self, config: Config, context: BuildContext) -> None:
        super().__init__()
        self.layer = nn.Conv3d(1, 1, 3, padding=1)

    def forward(self, given: Tensor) -> Tensor:
        return torch.sigmoid(self.layer(given[:, None])[:, 0])


class FilmCritic(nn.Module):
    def __init__(self, config: Config, context: BuildContext) -> None:
        super().__init__()
        self.layer, self.score = nn.Conv3d(1, 8, 3, padding=1), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.score(F.leaky_relu(self.layer(x[:, None]), 0.2).square().mean(dim=(2, 3, 4)))[:, 0]
        return scores


def write_films(batch: Batch, format: SampleFormat, folder: Path, stem: str) -> list[Path]:
    paths = [folder / f"{stem}-{index:04d}.npy" for index in range(len(batch))]
    for path, film in zip(paths, batch.real.cpu()):
        np.save(path, (film * 255).round().to(torch.uint8).numpy())
    return paths


def preview_films(samples: Tensor, reference: Batch, format: SampleFormat, folder: Path, stem: str) -> Preview:
    rows = samples.detach().cpu().permute(0, 2, 1, 3).flatten(2).flatten(0, 1)
    return Preview((rows * 255).round().to(torch.uint8)[None])

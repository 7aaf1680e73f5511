"""A plugin of one file whose task makes something of files: ribbons, which are rows of four numbers in ``.npy``."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

import wganx
from wganx import SampleFormat

WGANX_API = 1
ROW = SampleFormat(axes=("place",), shape=(4,), value_range=(-1.0, 1.0))


class Rows:
    formats = {"sample": ROW}  # noqa: RUF012

    def __init__(self, config, split, context):
        self.rows = torch.rand(64, 4, generator=torch.Generator().manual_seed(context.seed + (split == "train")))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return {"sample": self.rows[index]}


class Options(wganx.Config):
    width: int = 4
    repeat: int = 1
    by_piece: int | None = None


class Louden(wganx.Game):
    """Writes every row `repeat` times; a piece is what is read at once."""

    def __init__(self, config, formats):
        self.config, self.sample = config, ROW
        self.context = self.condition = {"soft": ROW}

    def batch(self, items, rng, *, training):
        soft = {"soft": items["sample"] / 2}
        return wganx.Batch(items["sample"], context=soft, condition=soft)

    def baselines(self):
        return {"soft": lambda batch, rng: batch.context["soft"]}

    def apply(self, source, make, sink):
        assert source.shelf == "seen through"
        piece = self.config.by_piece or 10
        for start in range(0, source.length, piece):
            rows = source.read(start, piece)
            self.made = make({"soft": rows}, draw=0 if self.config.width == 5 else None)
            sink.write(rows.repeat_interleave(self.config.repeat, 0))


class RibbonSource:
    shelf = "seen through"

    def __init__(self, path):
        parts = sorted(path.glob("*.npy")) if path.is_dir() else [path]
        try:
            self.rows = torch.from_numpy(np.concatenate([np.load(part) for part in parts]))
        except ValueError as error:
            raise wganx.DataError(f"{path}: no ribbon") from error
        self.length = len(self.rows)
        self.format = SampleFormat(axes=("row", "place"), shape=(None, 4), value_range=None)

    def read(self, start, count):
        return self.rows[start : start + count]


class RibbonSink:
    def __init__(self, path, like):
        assert isinstance(like, RibbonSource)
        self.path, self.chunks = path, []

    def write(self, chunk):
        self.chunks.append(chunk)

    def close(self):
        with self.path.open("wb") as file:
            np.save(file, torch.cat(self.chunks).numpy())


class Generator(nn.Module):
    def __init__(self, config, context):
        super().__init__()
        self.layer = nn.Linear(4 + sum(context.noise), 4)

    def forward(self, noise, soft):
        return torch.tanh(self.layer(torch.cat([noise, soft], 1)))


class Critic(nn.Module):
    def __init__(self, config, context):
        super().__init__()
        self.layer = nn.Sequential(nn.Linear(8, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))

    def forward(self, x, soft):
        return self.layer(torch.cat([x, soft], 1))[:, 0]


def write(batch, format, folder, stem):
    path = folder / f"{stem}-0000.npy"
    np.save(path, batch.real.numpy())
    return [path]


def preview(samples, reference, format, folder, stem):
    return wganx.Preview(torch.zeros(1, 8, 8, dtype=torch.uint8))


def in_pieces(folder: Path) -> bool:
    return folder.suffix == ".pieces"


@wganx.hookimpl
def wganx_modalities():
    return [
        wganx.Modality(
            name="ribbon", summary="rows", axes=("place",), write=write, preview=preview,
            open=RibbonSource, create=RibbonSink, folder_is_one=in_pieces,
        )
    ]  # fmt: skip


@wganx.hookimpl
def wganx_datasets():
    card = wganx.DataCard(source="drawn", licence="CC0", offline=True)
    return [wganx.Dataset(name="rows", modality="ribbon", summary="drawn rows", open=Rows, card=card)]


@wganx.hookimpl
def wganx_tasks():
    return [
        wganx.Task(
            name="louden", modality="ribbon", summary="louder rows", build=Louden, config=Options,
            applied=("repeat", "by_piece"),
        )
    ]  # fmt: skip


@wganx.hookimpl
def wganx_architectures():
    made = {"modality": "ribbon", "summary": "small"}
    return [
        wganx.Architecture(name="small", role="generator", build=Generator, **made),
        wganx.Architecture(name="small", role="critic", build=Critic, **made),
    ]


@wganx.hookimpl
def wganx_scenarios():
    config = {
        "dataset": {"name": "rows"},
        "task": {"name": "louden"},
        "generator": {"name": "small", "noise": 2},
        "critic": {"name": "small"},
        "constraint": {"name": "gradient-penalty"},
        "train": {"steps": 1, "batch_size": 4},
    }
    return [wganx.Scenario(name="loud", modality="ribbon", summary="louder", config=config)]

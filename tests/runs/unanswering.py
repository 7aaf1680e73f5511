"""A plugin of one file whose dataset reads for itself, from what gives no answer where the environment says so.

``STANDS`` is where: ``open``, ``fit``, ``first``, ``train`` or ``heldout``, with ``STANDS_RANK`` of that rank alone.
``PIPE`` is a pipe to which nobody writes. ``LONGEST`` are the seconds after which the wait for it ends.
"""

import os
from pathlib import Path

import torch
import wganx_points as points

import wganx
from wganx import SampleFormat
from wganx.data import patience

WGANX_API = 1
ROW = SampleFormat(axes=("coordinate",), shape=(2,), value_range=None)
for _hook in ("modalities", "tasks", "architectures", "metrics"):
    globals()[f"wganx_{_hook}"] = getattr(points, f"wganx_{_hook}")
if "LONGEST" in os.environ:
    patience.LONGEST = float(os.environ["LONGEST"])
    patience.TELL = patience.LONGEST / 2


def read(place):
    stands = os.environ.get("STANDS") == place
    if stands and os.environ.get("STANDS_RANK", os.environ.get("RANK", "0")) == os.environ.get("RANK", "0"):
        Path(os.environ["PIPE"]).read_bytes()


class Rows:
    formats = {"sample": ROW}  # noqa: RUF012

    def __init__(self, split):
        self.split, self.asked = split, 0
        self.rows = torch.rand(64, 2, generator=torch.Generator().manual_seed(int(split == "train")))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        self.asked += 1
        if self.split == "train":
            read("first")
        if self.split != "train" or self.asked > 400:
            read(self.split)
        return {"sample": self.rows[index]}


def fit(config, context):
    read("fit")
    return {}


def open_rows(config, split, context):
    read("open")
    return Rows(split)


@wganx.hookimpl
def wganx_datasets():
    card = wganx.DataCard(source="", licence="", offline=True)
    return [wganx.Dataset(name="rows", modality="points", summary="", open=open_rows, fit=fit, card=card)]


@wganx.hookimpl
def wganx_scenarios():
    config = {
        "dataset": {"name": "rows", "feed": "stream"}, "task": {"name": "generate"},
        "generator": {"name": "mlp", "noise": 2, "width": 8}, "critic": {"name": "mlp", "width": 8},
        "constraint": {"name": "gradient-penalty"},
        "train": {"steps": 24, "batch_size": 16, "critic_steps": 2}, "log": {"every": 2}, "checkpoint": {"every": 2},
        "preview": {"every": 1000, "count": 4}, "evaluate": {"n": 16},
    }  # fmt: skip
    return [wganx.Scenario(name="rows", modality="points", summary="", config=config)]

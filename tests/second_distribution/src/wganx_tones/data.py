"""Sine tones, drawn when the dataset is opened."""

from __future__ import annotations

import math

import torch

from wganx import DataContext, Items, SampleFormat, Split
from wganx.data import ArrayItems
from wganx_tones.configs import SinesConfig

_SPLITS: dict[Split, int] = {"train": 0, "heldout": 1}


def open_sines(config: SinesConfig, split: Split, context: DataContext) -> Items:
    """Items ``{"sample": int16 (1, T), "label": int64 ()}``; the seed and the split fix every one of them."""
    rng = torch.Generator().manual_seed(2 * context.seed + _SPLITS[split])
    label_N = torch.randint(len(config.pitches), (config.count,), generator=rng)
    phase_N = torch.rand(config.count, generator=rng)
    loudness_N = torch.empty(config.count).uniform_(0.3, 0.9, generator=rng)
    seconds_T = torch.arange(config.length) / config.rate_hz
    turns_NT = torch.tensor(config.pitches)[label_N, None] * seconds_T + phase_N[:, None]
    wave_NT = loudness_N[:, None] * torch.sin(2 * math.pi * turns_NT)
    formats = {
        "sample": SampleFormat(
            axes=("channel", "time"),
            shape=(1, config.length),
            value_range=(-32768.0, 32767.0),
            rate_hz=config.rate_hz,
        ),
        "label": SampleFormat.label(tuple(f"{pitch:g} Hz" for pitch in config.pitches)),
    }
    sound_N1T = (wave_NT * 32767).round().to(torch.int16)[:, None]
    return ArrayItems({"sample": sound_N1T, "label": label_N}, formats)

"""Sine tones drawn when the dataset is opened, and windows of WAV files; both stored as int16."""

from __future__ import annotations

import math
import wave
from collections.abc import Mapping
from functools import partial
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from wganx import DataContext, Items, SampleFormat, Split
from wganx.data import ArrayItems, FileTree, WindowItems
from wganx_tones.configs import SinesConfig, WavConfig
from wganx_tones.spectra import log_spectrum

_SPLITS: dict[Split, int] = {"train": 0, "heldout": 1}
LOUDNESS = {"soft": 0.25, "loud": 0.8}


def stored(length: int | None, rate_hz: float, **signal: int | float) -> SampleFormat:
    """Format of a sound as it is stored: int16, one channel."""
    return SampleFormat(
        axes=("channel", "time"),
        shape=(1, length),
        value_range=(-32768.0, 32767.0),
        rate_hz=rate_hz,
        signal=signal,
    )


def open_sines(config: SinesConfig, split: Split, context: DataContext) -> Items:
    """Items of a sound int16 ``(1, T)`` and two labels; the seed and the split fix every one of them."""
    rng = torch.Generator().manual_seed(2 * context.seed + _SPLITS[split])
    pitch_N = torch.randint(len(config.pitches), (config.count,), generator=rng)
    loudness_N = torch.randint(len(LOUDNESS), (config.count,), generator=rng)
    phase_N = torch.rand(config.count, generator=rng)
    seconds_T = torch.arange(config.length) / config.rate_hz
    turns_NT = torch.tensor(config.pitches)[pitch_N, None] * seconds_T + phase_N[:, None]
    wave_NT = torch.tensor(list(LOUDNESS.values()))[loudness_N, None] * torch.sin(2 * math.pi * turns_NT)
    sound_N1T = (wave_NT * 32767).round().to(torch.int16)[:, None]
    formats = {
        "sample": stored(config.length, config.rate_hz, window=config.window, hop=config.hop),
        "pitch": SampleFormat.label(tuple(f"{pitch:g} Hz" for pitch in config.pitches)),
        "loudness": SampleFormat.label(tuple(LOUDNESS)),
    }
    return ArrayItems({"sample": sound_N1T, "pitch": pitch_N, "loudness": loudness_N}, formats)


def fit_spectrum(config: SinesConfig, context: DataContext) -> Mapping[str, Tensor]:
    """Mean and deviation of the log spectrum, per bin, over the training tones."""
    items = open_sines(config, "train", context)
    sound_NT = torch.stack([items[index]["sample"][0] for index in range(len(items))]).float() / 32768
    log_NFT = log_spectrum(sound_NT, config.window, config.hop)
    return {"mean": log_NFT.mean(dim=(0, 2)), "deviation": log_NFT.std(dim=(0, 2)).clamp_min(0.1)}


def open_wav(config: WavConfig, split: Split, context: DataContext) -> Items:
    """Windows of the files' sound int16 ``(1, length)``, with the class folders, if any, as label ``pitch``."""
    tree = FileTree(config.root, (".wav",))
    with tree.open(tree.paths[0]) as source, wave.open(source) as file:
        rate = file.getframerate()
    return WindowItems(
        tree,
        split,
        partial(count_windows, length=config.length),
        partial(read_window, length=config.length, rate=rate),
        {"sample": stored(config.length, float(rate))},
        group=speaker,
        label="pitch",
    )


def count_windows(source: BinaryIO, path: str, length: int) -> int:
    """How many windows of `length` samples a WAV file has, half a window apart."""
    with wave.open(source) as file:
        found: int = file.getnframes()
        if found < length:
            raise ValueError(f"it has {found} samples, and a window has {length}")
        return 1 + (found - length) // (length // 2)


def read_window(source: BinaryIO, path: str, window: int, length: int, rate: int) -> Mapping[str, Tensor]:
    """One window; a file of another rate is refused, since it would be heard at another pitch."""
    with wave.open(source) as file:
        if file.getframerate() != rate:
            raise ValueError(f"it has {file.getframerate()} samples a second, and the others {rate}")
        file.setpos(window * (length // 2))
        return {"sample": torch.from_numpy(np.frombuffer(file.readframes(length), "<i2").copy())[None]}


def speaker(path: str) -> str | None:
    """Who speaks in a file: the first part of ``anna_01.wav``."""
    name = path.rpartition("/")[2]
    return name.partition("_")[0] if "_" in name else None

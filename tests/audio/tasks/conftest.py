"""Games of conversion on a few sounds, and files that are no files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from wganx_audio.configs.tasks import ConvertConfig
from wganx_audio.tasks.convert import Convert, fit_conversion

from wganx import Formats, SampleFormat

LENGTH, RATE = 2048, 8000
SPEAKERS, WORDS = ("anna", "boris", "clara"), ("yes", "no")
SMALL = {"window": 128, "hop": 32, "bands": 16, "representation": "mel", "classifier": 4, "iterations": 4}


class Sounds:
    """Harmonics of a pitch that the speaker has, in one of two bands of the word's."""

    def __init__(self, rows: int = 12) -> None:
        rng = torch.Generator().manual_seed(0)
        self.speaker, self.word = torch.arange(rows) % 3, torch.arange(rows) // 3 % 2
        time_L = torch.arange(LENGTH) / RATE
        pitch_N = torch.tensor([100.0, 160.0, 220.0])[self.speaker]
        harmonics_H = 1 + torch.arange(8)
        gain_NH = torch.where((harmonics_H < 5) == (self.word[:, None] == 0), 0.1, 0.02)
        wave_NHL = torch.sin(2 * torch.pi * pitch_N[:, None, None] * harmonics_H[:, None] * time_L)
        wave_NL = (gain_NH[..., None] * wave_NHL).sum(1) + 0.001 * torch.randn(rows, LENGTH, generator=rng)
        self.sample = (wave_NL * 32767).round().to(torch.int16)[:, None]
        self.formats: Mapping[str, SampleFormat] = {
            "sample": SampleFormat(
                axes=("channel", "time"), shape=(1, LENGTH), value_range=(-32768.0, 32767.0), rate_hz=float(RATE)
            ),
            "speaker": SampleFormat.label(SPEAKERS),
            "word": SampleFormat.label(WORDS),
        }

    def __len__(self) -> int:
        return len(self.sample)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"sample": self.sample[index], "speaker": self.speaker[index], "word": self.word[index]}

    @property
    def all(self) -> dict[str, Tensor]:
        return {"sample": self.sample, "speaker": self.speaker, "word": self.word}


@pytest.fixture(scope="session")
def sounds() -> Sounds:
    return Sounds()


@pytest.fixture(scope="session")
def convert(sounds: Sounds) -> Callable[..., Convert]:
    """``convert(**options)``: a game whose moments are fitted to the sounds."""

    def build(**options: Any) -> Convert:
        config = ConvertConfig(**{**SMALL, **options})
        return Convert(config, Formats(sounds.formats, fit_conversion(config, Formats(sounds.formats), sounds)))

    return build

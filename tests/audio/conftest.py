"""Sounds that several tests of the audio plugin share; each fixture is a function that makes one."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import pytest
import soundfile
import torch
from torch import Tensor


def _tone(hertz: float, seconds: float, rate: int, level: float = 0.5) -> Tensor:
    """A sine ``(1, L)``."""
    return level * torch.sin(2 * math.pi * hertz * torch.arange(round(seconds * rate)) / rate)[None]


def _voice(seconds: float = 1.0, rate: int = 8000, pitch: float = 120.0, seed: int = 0) -> Tensor:
    """What resembles a voice ``(1, L)``: gliding harmonics through two resonances, in syllables, with some breath."""
    rng = torch.Generator().manual_seed(seed)
    time_L = torch.arange(round(seconds * rate)) / rate
    turns_L = torch.cumsum(pitch * (1 + 0.15 * torch.sin(2 * math.pi * 1.5 * time_L)), 0) / rate
    wave_L = torch.zeros_like(time_L)
    for harmonic in range(1, int(0.45 * rate / pitch / 1.15) + 1):
        hertz = harmonic * pitch
        gain = sum(1 / (1 + ((hertz - centre) / width) ** 2) for centre, width in ((600.0, 150.0), (1500.0, 250.0)))
        wave_L += gain * torch.sin(2 * math.pi * harmonic * turns_L)
    syllables_L = torch.sin(math.pi * 3 * time_L).abs()
    wave_L = wave_L * syllables_L + 0.02 * torch.randn(time_L.shape, generator=rng)
    return (0.5 * wave_L / wave_L.abs().max())[None]


def _encoded(sound_CL: Tensor, rate: int, container: str = "WAV", subtype: str | None = None, **how: object) -> bytes:
    """The content of a file."""
    content = io.BytesIO()
    soundfile.write(content, sound_CL.T.numpy(), rate, format=container, subtype=subtype, **how)
    return content.getvalue()


@pytest.fixture(scope="session")
def tone() -> Callable[..., Tensor]:
    return _tone


@pytest.fixture(scope="session")
def voice() -> Callable[..., Tensor]:
    return _voice


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    return _encoded

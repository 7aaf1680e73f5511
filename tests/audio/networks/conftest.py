"""What networks of sounds are built for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor

from wganx import BuildContext, SampleFormat

INPUTS = {
    "word": SampleFormat.label(("yes", "no", "up")),
    "speaker": SampleFormat.label(("anna", "boris")),
    "intensity": SampleFormat.number(0, 1.5, usual=1),
    "text": SampleFormat.text(tuple("abcd"), 5),
}


@pytest.fixture
def spectrogram() -> Callable[..., BuildContext]:
    """``spectrogram(bins, frames, *names of inputs, noise=, channels=)``: what a network is built for."""

    def make(bins: int, frames: int, *names: str, noise: int = 0, channels: int = 1) -> BuildContext:
        sample = SampleFormat(axes=("channel", "frequency", "frame"), shape=(channels, bins, frames), rate_hz=8000)
        return BuildContext(
            sample=sample, noise=(noise,) if noise else (), inputs={name: INPUTS[name] for name in names}
        )

    return make


@pytest.fixture
def waveform() -> Callable[..., BuildContext]:
    """``waveform(length, *names of inputs, noise=, channels=)``."""

    def make(length: int, *names: str, noise: int = 0, channels: int = 1) -> BuildContext:
        sample = SampleFormat(axes=("channel", "time"), shape=(channels, length), rate_hz=8000)
        return BuildContext(
            sample=sample, noise=(noise,) if noise else (), inputs={name: INPUTS[name] for name in names}
        )

    return make


@pytest.fixture
def given() -> Callable[..., Mapping[str, Tensor]]:
    """``given(rows, *names)``: values of inputs, other ones in every row."""

    def make(rows: int, *names: str) -> Mapping[str, Tensor]:
        values = {
            "word": torch.arange(rows) % 3,
            "speaker": torch.arange(rows) % 2,
            "intensity": torch.arange(rows) / rows,
            "text": torch.tensor([[1, 2, 3, 0, 0], [4, 1, 0, 0, 0], [2, 2, 3, 4, 1]])[torch.arange(rows) % 3],
        }
        return {name: values[name] for name in names}

    return make

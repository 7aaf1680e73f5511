"""Representations that are fitted to a few voices, once for all tests of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import Tensor
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import Representation, describe, fit_moments, representation_of

from wganx import Formats, SampleFormat
from wganx.data import ArrayItems

RATE = 8000


def _stored(channels: int = 1, length: int | None = 8192) -> SampleFormat:
    return SampleFormat(
        axes=("channel", "time"), shape=(channels, length), value_range=(-32768.0, 32767.0), rate_hz=float(RATE)
    )


@pytest.fixture(scope="session")
def stored() -> Callable[..., SampleFormat]:
    return _stored


@pytest.fixture(scope="session")
def voices(voice) -> Tensor:
    """``(6, 1, 8192)`` at six pitches, the last of them short and padded."""
    waves = torch.stack([voice(1.024, RATE, 90.0 + 20 * number, seed=number) for number in range(6)])
    waves[5, :, 4000:] = 0
    return waves


@pytest.fixture(scope="session")
def fitted(voices) -> Callable[..., Representation]:
    """The representation of options, fitted to the voices."""

    @cache
    def representation(**options: object) -> Representation:
        config = RepresentationConfig(**options)
        items = ArrayItems({"sample": (voices * 32767).round().to(torch.int16)}, {"sample": _stored()})
        moments = fit_moments(config, Formats(items.formats), items)
        return representation_of(describe(config, _stored(), dict(moments) or None))

    return representation


@pytest.fixture(scope="session")
def convergence() -> Callable[..., float]:
    """Spectral convergence: norm of the difference of two magnitude spectrograms over that of the wanted one."""

    def measure(found_NCL: Tensor, wanted_NCL: Tensor, window: int = 512, hop: int = 128) -> float:
        def magnitude(wave_NCL: Tensor) -> Tensor:
            hann = torch.hann_window(window)
            return torch.stft(wave_NCL.flatten(0, 1), window, hop, window=hann, return_complex=True).abs()

        wanted = magnitude(wanted_NCL)
        return float((magnitude(found_NCL) - wanted).norm() / wanted.norm())

    return measure

"""Pitch and level that are read off spectrograms."""

from __future__ import annotations

import math

import pytest
import torch
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.networks.prosody import MIDDLE_HZ, Prosody
from wganx_audio.representations import describe, representation_of

from wganx import SampleFormat

SOUND = SampleFormat(axes=("channel", "time"), shape=(1, 4096), value_range=(-32768.0, 32767.0), rate_hz=8000.0)


def described(kind: str) -> SampleFormat:
    options = {"bands": 80} if kind == "mel" else {}
    config = RepresentationConfig.model_validate({"representation": kind, "window": 512, "hop": 128, **options})
    bins = 80 if kind == "mel" else 256
    return describe(config, SOUND, {"mean": torch.full((bins,), -5.0), "reach": torch.full((bins,), 5.0)})


def buzz(pitch: float, level: float = 0.1) -> torch.Tensor:
    """Harmonics through a resonance at 500 Hz, ``(1, 1, 4096)``."""
    time_L = torch.arange(4096) / 8000
    parts = [
        math.exp(-(((k * pitch - 500) / 600) ** 2)) * torch.sin(2 * math.pi * k * pitch * time_L)
        for k in range(1, int(3500 / pitch))
    ]
    return level * torch.stack(parts).sum(0)[None, None]


@pytest.mark.parametrize("kind", ["linear", "mel"])
@pytest.mark.parametrize("pitch", [95.0, 150.0, 230.0, 320.0])
def test_the_pitch_of_a_voice_is_found(kind, pitch):
    format = described(kind)
    found = Prosody(format)(representation_of(format).encode(buzz(pitch)))[0, :, 4:-4]
    octaves, voiced = found[0], found[1]
    assert (voiced > 0.4).all()
    heard = MIDDLE_HZ * 2 ** (octaves / voiced)
    torch.testing.assert_close(heard, torch.full_like(heard, pitch), rtol=0.12, atol=0)


def test_noise_has_less_of_a_voice_than_a_voice_has():
    format = described("linear")
    noise = 0.1 * torch.randn(1, 1, 4096, generator=torch.Generator().manual_seed(0))
    voiced = [Prosody(format)(representation_of(format).encode(x))[0, 1, 4:-4].mean() for x in (noise, buzz(150.0))]
    assert voiced[0] < 0.6 * voiced[1]


def test_ten_times_the_amplitude_is_a_sixth_of_the_logarithm_more():
    format = described("linear")
    soft, loud = (Prosody(format)(representation_of(format).encode(buzz(150.0, at)))[0, 2, 8] for at in (0.02, 0.2))
    assert float(loud - soft) == pytest.approx(math.log(10) / 6, rel=0.02)


def test_it_is_differentiated_twice_where_there_is_silence_too():
    format = described("linear")
    x = torch.full((1, 1, 256, 32), -1.0, requires_grad=True)
    (first,) = torch.autograd.grad(Prosody(format)(x).square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), x)
    assert torch.isfinite(first).all()
    assert torch.isfinite(second).all()


def test_nothing_of_it_is_trained_or_stored():
    network = Prosody(described("mel"))
    assert not list(network.parameters())
    assert not network.state_dict()

"""Judges hear what a listener would, once."""

import torch
from wganx_audio.judges import hearing
from wganx_audio.judges.hearing import heard, one_channel
from wganx_audio.representations.waveform import Waveform

from wganx import SampleFormat

STEREO = SampleFormat(axes=("channel", "time"), shape=(2, 800), rate_hz=8000.0, signal={"representation": "waveform"})


def test_the_mean_of_the_channels_is_heard():
    wave = torch.rand(3, 2, 800) * 2 - 1
    torch.testing.assert_close(heard(wave + 0.5, STEREO), (wave + 0.5).clamp(-1, 1).mean(1))


def test_opposite_phases_are_no_silence():
    tone = torch.sin(torch.arange(800) / 5)[None]
    torch.testing.assert_close(one_channel(torch.stack([tone, -tone], 1)), tone)


def test_another_rate():
    assert heard(torch.rand(2, 2, 800), STEREO, 16_000).shape == (2, 1600)


def test_what_was_heard_before_is_not_turned_back_again(monkeypatch):
    wave = torch.rand(2, 2, 800)
    first = heard(wave, STEREO)
    monkeypatch.setattr(Waveform, "decode", lambda *_, **__: 1 / 0)
    assert heard(wave.clone(), STEREO) is first


def test_what_is_kept_takes_little_memory(monkeypatch):
    monkeypatch.setattr(hearing, "MOST_BYTES", 20_000)
    for seed in range(8):
        heard(torch.rand(2, 2, 800, generator=torch.Generator().manual_seed(seed)), STEREO)
    assert sum(wave.nbytes for wave in hearing._kept.values()) <= 20_000

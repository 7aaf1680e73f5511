"""Pitch and envelope against voices whose pitch and resonances are known."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from wganx_audio.representations.world import analyse, find_pitch, synthesise

from wganx import MissingExtra

pytest.importorskip("pkg_resources", reason="pyworld asks it for its version", exc_type=ImportError)
pytest.importorskip("pyworld", reason="of the extra world, which needs a compiler", exc_type=ImportError)

RATE, HOP = 16000, 128


@pytest.fixture(scope="module")
def steady() -> torch.Tensor:
    """A voice of 150 Hz with a resonance at 1 kHz, half a second of silence in its middle."""
    time_L = torch.arange(RATE) / RATE
    wave_L = torch.zeros(RATE)
    for number in range(1, 40):
        wave_L += torch.sin(2 * torch.pi * 150 * number * time_L) / (1 + ((150 * number - 1000) / 200) ** 2)
    return torch.cat([wave_L, torch.zeros(RATE // 2), wave_L]) * (0.3 / wave_L.abs().max())


def test_the_pitch_is_found_and_silence_has_none(steady: torch.Tensor) -> None:
    pitch_T = find_pitch(steady, RATE, HOP)
    assert pitch_T.shape == (1 + len(steady) // HOP,)
    voiced, silent = pitch_T[20:100], pitch_T[140:170]
    assert (voiced - 150).abs().max() < 3
    assert not silent.any()


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 48000])
@pytest.mark.parametrize("hop", [64, 100])
def test_frames_are_counted_as_those_of_a_spectrogram(voice, rate: int, hop: int) -> None:
    wave_L = voice(0.4, rate)[0]
    found = analyse(wave_L, rate, hop)
    assert len(found.pitch_T) == len(found.envelope_TF) == len(found.aperiodicity_TF) == 1 + len(wave_L) // hop
    assert synthesise(found).shape == wave_L.shape


@pytest.mark.parametrize("length", [0, 1, 100, 700])
def test_the_shortest_sounds_have_frames(length: int) -> None:
    wave_L = torch.zeros(length)
    assert not find_pitch(wave_L, RATE, HOP).any()
    assert synthesise(analyse(wave_L, RATE, HOP)).shape == (length,)


def test_the_envelope_has_its_top_at_the_resonance(steady: torch.Tensor) -> None:
    envelope_F = analyse(steady, RATE, HOP).envelope_TF[60]
    assert float(envelope_F.argmax()) * RATE / 2 / (len(envelope_F) - 1) == pytest.approx(1000, abs=100)


def test_a_voice_is_made_again_at_the_pitch_that_is_asked_for(steady: torch.Tensor) -> None:
    found = analyse(steady, RATE, HOP)
    same, higher = synthesise(found), synthesise(replace(found, pitch_T=found.pitch_T * 1.25))
    assert find_pitch(same, RATE, HOP)[20:100].median() == pytest.approx(150, abs=3)
    assert find_pitch(higher, RATE, HOP)[20:100].median() == pytest.approx(187.5, abs=4)


def test_the_pitch_of_glides_is_followed(voice) -> None:
    pitch_T = find_pitch(voice(1.0, 8000, 120.0)[0], 8000, 64)
    seconds_T = torch.arange(len(pitch_T)) * 64 / 8000
    wanted_T = 120 * (1 + 0.15 * torch.sin(2 * torch.pi * 1.5 * seconds_T))
    voiced_T = pitch_T > 0
    assert voiced_T.float().mean() > 0.5
    assert ((pitch_T - wanted_T).abs() / wanted_T)[voiced_T].median() < 0.02


def test_a_missing_extra_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyworld", None)
    with pytest.raises(MissingExtra, match=r'^pitch and envelope are found by pyworld: pip install "wganx\[world\]"$'):
        find_pitch(torch.zeros(RATE), RATE, HOP)

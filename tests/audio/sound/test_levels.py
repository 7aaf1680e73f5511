"""Levels against closed forms, and what is left of a sound after its silence."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from wganx_audio.sound.levels import PEAK, SILENT_DB, loudness_db, normalise, rms_db, trim_silence

RATE = 8000


def test_a_full_sine_lies_three_decibels_below_the_full_scale(tone) -> None:
    assert rms_db(tone(100, 1, RATE, 1.0)) == pytest.approx(10 * math.log10(0.5), abs=1e-3)
    assert rms_db(torch.ones(2, 10)) == 0
    assert rms_db(torch.zeros(1, 10)) == rms_db(torch.zeros(1, 0)) == -math.inf


def test_lufs_of_the_tone_that_the_standard_names(tone) -> None:
    """BS.1770-4: a sine of 997 Hz at the full scale in one channel reads -3.01 LKFS."""
    assert loudness_db(tone(997, 2, 48000, 1.0), 48000, "lufs") == pytest.approx(-3.01, abs=0.05)


@pytest.mark.parametrize("seconds", [0.01, 0.1, 0.39])
def test_what_is_too_short_for_lufs_has_its_root_mean_square(tone, seconds: float) -> None:
    sound = tone(400, seconds, RATE)
    assert loudness_db(sound, RATE, "lufs") == rms_db(sound)


def test_what_no_block_of_is_above_the_gate_has_its_root_mean_square(tone) -> None:
    sound = tone(400, 1, RATE, 1e-4)
    assert loudness_db(sound, RATE, "lufs") == rms_db(sound)


@given(
    how=st.sampled_from(["rms", "lufs", "peak"]),
    target=st.floats(-40, -3),
    level=st.floats(0.01, 4.0),
    length=st.integers(1, 6000),
)
def test_no_sample_ever_passes_the_peak(voice, how, target: float, level: float, length: int) -> None:
    sound = level * voice(1.0, RATE)[:, :length]
    assume(rms_db(sound) > SILENT_DB)
    found = normalise(sound, RATE, how, target)
    assert found.shape == sound.shape
    assert found.abs().max() <= PEAK + 1e-6
    if found.abs().max() < PEAK - 1e-3:
        assert loudness_db(found, RATE, how) == pytest.approx(target, abs=0.2)


def test_all_levels_come_to_the_same(voice) -> None:
    levels = [rms_db(normalise(gain * voice(), RATE)) for gain in (0.01, 0.1, 1.0)]
    assert levels == pytest.approx([-20.0] * 3, abs=1e-3)


@pytest.mark.parametrize("how", ["rms", "lufs", "peak", "none"])
@pytest.mark.parametrize("length", [0, 1, 8000])
def test_silence_stays_silence(how, length: int) -> None:
    for sound in (torch.zeros(2, length), torch.full((2, length), 1e-6)):
        assert torch.equal(normalise(sound, RATE, how), sound)


def test_none_leaves_it_alone(voice) -> None:
    assert normalise(voice(), RATE, "none") is not None
    assert torch.equal(normalise(3 * voice(), RATE, "none"), 3 * voice())


def test_silence_at_both_ends_goes_but_for_a_margin(tone) -> None:
    sound = torch.cat([torch.zeros(1, 4000), tone(400, 0.5, RATE), torch.zeros(1, 2000)], 1)
    found = trim_silence(sound + 1e-4 * torch.randn(sound.shape, generator=torch.Generator().manual_seed(0)), RATE)
    assert found.shape[1] == pytest.approx(4000 + 2 * 160, abs=80)


def test_pauses_within_stay(tone) -> None:
    sound = torch.cat([tone(400, 0.1, RATE), torch.zeros(1, 4000), tone(400, 0.1, RATE)], 1)
    assert trim_silence(sound, RATE).shape == sound.shape


@pytest.mark.parametrize("sound", [torch.zeros(1, 500), torch.zeros(2, 0), torch.ones(1, 1)])
def test_there_is_always_something_left(sound: torch.Tensor) -> None:
    assert trim_silence(sound, RATE).shape == sound.shape

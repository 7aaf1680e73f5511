"""Whole recordings through a converter: any rate, length, level and number of channels; no seams; bounded memory."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import Representation, describe, representation_of
from wganx_audio.sound.levels import rms_db
from wganx_audio.sound.reading import resample
from wganx_audio.tasks.whole_files import Resampling, active_level_db, convert_file

from wganx import SampleFormat, UsageError

LEVEL_DB = -20.0
LENGTH = 2048


class Recording:
    """A source that is no file, and counts what is read at once."""

    def __init__(self, sound_CL: Tensor, rate: int) -> None:
        self.sound_CL, self.most = sound_CL * 32768, 0
        self.length = sound_CL.shape[1]
        self.format = SampleFormat(
            axes=("channel", "time"),
            shape=(sound_CL.shape[0], None),
            value_range=(-32768.0, 32767.0),
            rate_hz=float(rate),
        )

    def read(self, start: int, count: int) -> Tensor:
        self.most = max(self.most, count)
        return self.sound_CL[:, start : start + count]

    def close(self) -> None: ...


class Written:
    def __init__(self) -> None:
        self.chunks: list[Tensor] = []

    def write(self, chunk: Tensor) -> None:
        self.chunks.append(chunk)

    def close(self) -> None: ...

    @property
    def sound_CL(self) -> Tensor:
        return torch.cat(self.chunks, 1) / 32768


def known(channels: int = 1) -> Representation:
    """Linear spectrograms at 8 kHz that lose nothing: a floor that nothing lies below."""
    sound = SampleFormat(
        axes=("channel", "time"), shape=(channels, LENGTH), value_range=(-32768.0, 32767.0), rate_hz=8000.0
    )
    config = RepresentationConfig(window=256, hop=64, floor_db=-120.0, iterations=2)
    moments = {"mean": torch.full((128,), -7.0), "reach": torch.full((128,), 8.0)}
    return representation_of(describe(config, sound, moments))


def unchanged(context: dict[str, Tensor]) -> Tensor:
    return context["source"]


def converted(sound_CL: Tensor, rate: int, make=unchanged, channels: int = 1) -> Tensor:
    sink = Written()
    convert_file(Recording(sound_CL, rate), make, sink, known(channels), LEVEL_DB)
    return sink.sound_CL


def apart_db(found: Tensor, truth: Tensor) -> float:
    """How far below the truth the difference lies."""
    return 10 * math.log10(float((found - truth).square().mean() / truth.square().mean()))


@pytest.mark.parametrize("seconds", [0.05, 0.256, 1.0, 7.3])
def test_a_converter_that_changes_nothing_gives_back_the_recording(voice, seconds):
    sound = voice(seconds)
    found = converted(sound, 8000)
    assert found.shape == sound.shape
    assert apart_db(found, sound) < -35


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 44101])
def test_any_rate_comes_back_at_its_own_and_where_it_was(voice, rate):
    sound = resample(voice(1.7), 8000, rate)
    found = converted(sound, rate)
    assert found.shape == sound.shape
    # Near half the training's rate the two filters differ from what was; a shift by a sample would be -15 dB.
    assert apart_db(found, sound) < -25


@pytest.mark.parametrize("gain_db", [-50.0, -20.0, 0.0])
def test_the_level_of_a_recording_is_kept_and_the_converter_hears_the_training_s(voice, gain_db):
    sound = voice(2.0) * 10 ** (gain_db / 20)
    heard: list[Tensor] = []

    def make(context: dict[str, Tensor]) -> Tensor:
        heard.append(known().decode(context["source"]))
        return context["source"]

    found = converted(sound, 8000, make)
    assert rms_db(found) == pytest.approx(rms_db(sound), abs=0.3)
    assert active_level_db(torch.cat([window.flatten() for window in torch.cat(heard)])[None], 8000) == pytest.approx(
        LEVEL_DB, abs=2.0
    )


def test_the_channels_of_a_recording_are_converted_one_by_one(voice):
    sound = torch.cat([voice(1.0), 0.1 * voice(1.0, pitch=200.0, seed=1)])
    found = converted(sound, 8000)
    assert found.shape == sound.shape
    assert apart_db(found[0], sound[0]) < -35
    assert apart_db(found[1], sound[1]) < -25


@pytest.mark.parametrize("channels", [1, 2])
def test_a_converter_of_stereo_takes_mono_and_gives_it_back(voice, channels):
    sound = torch.cat([voice(1.0), voice(1.0, pitch=200.0)])[:channels]
    found = converted(sound, 8000, channels=2)
    assert found.shape == sound.shape
    assert apart_db(found, sound) < -35


def test_a_converter_of_stereo_says_what_it_makes_of_more():
    with pytest.raises(UsageError, match="knows sounds of 2 channels, and this one has 6; mix it down"):
        converted(torch.zeros(6, 8000), 8000, channels=2)


def test_seams_are_not_heard(voice):
    """Where windows answer with other levels the sound fades between them: no step that the source has not."""
    sound = 0.3 * torch.sin(2 * math.pi * 200 * torch.arange(16_000) / 8000)[None]
    calls = 0

    def uneven(context: dict[str, Tensor]) -> Tensor:
        nonlocal calls
        louder = torch.arange(calls, calls + len(context["source"])) % 2  # every other window 10 dB softer
        calls += len(louder)
        return context["source"] - louder[:, None, None, None] * (math.log(10**0.5) / 8)

    found = converted(sound, 8000, uneven)
    loudest_step = float(sound.diff(dim=1).abs().max())
    assert float(found[:, 1:-1].diff(dim=1).abs().max()) < 1.1 * loudest_step
    # Second differences hear a click of a hundredth of the level, which a sine has not.
    assert float(found[:, 64:-64].diff(n=2, dim=1).abs().max()) < 1.3 * float(sound.diff(n=2, dim=1).abs().max())


def test_memory_does_not_grow_with_the_recording(voice):
    """A minute is read a second at a time, and windows go through the generator eight at a time."""
    source, sink = Recording(voice(2.0).repeat(1, 30), 8000), Written()
    most = 0

    def make(context: dict[str, Tensor]) -> Tensor:
        nonlocal most
        most = max(most, len(context["source"]))
        return context["source"]

    convert_file(source, make, sink, known(), LEVEL_DB)
    assert source.most <= 8000
    assert most <= 8
    assert max(chunk.shape[1] for chunk in sink.chunks) <= LENGTH
    assert sink.sound_CL.shape == source.sound_CL.shape


@pytest.mark.parametrize("length", [1, 2, 63, 1024, 1025, 2048])
def test_silence_and_the_shortest_recordings_keep_their_length(length):
    found = converted(torch.zeros(1, length), 44100)
    assert found.shape == (1, length)
    assert not found.any()


def test_what_is_said_last_comes_when_it_was_said():
    """Users of a voice changer found that words drifted over long recordings, a few samples lost at every seam."""
    sound = 0.001 * torch.randn(1, 44_100 * 20, generator=torch.Generator().manual_seed(0))
    sound[0, -30_000:-29_000] += 0.5 * torch.sin(torch.arange(1000) * 0.05)
    found = converted(sound, 44_100)
    late = slice(sound.shape[1] - 40_000, None)
    alike = torch.fft.irfft(torch.fft.rfft(found[0, late]) * torch.fft.rfft(sound[0, late]).conj())
    assert int(alike.argmax()) == 0


def test_the_same_recording_is_converted_alike_the_second_time(voice):
    """Users of another found the second conversion higher and shorter than the first."""
    sound = resample(voice(1.0), 8000, 44_100)
    assert torch.equal(converted(sound, 44_100), converted(sound, 44_100))


def test_silence_between_words_stays_silence_whatever_the_converter_makes_of_it(voice):
    sound = torch.nn.functional.pad(voice(0.5), (0, 24_000))
    found = converted(sound, 8000, lambda context: torch.full_like(context["source"], 0.3))
    assert found[:, :4000].abs().max() > 0.01
    assert not found[:, 4000 + LENGTH : -1].any()


def test_what_becomes_too_loud_is_cut_off_and_does_not_wrap_around(voice):
    loud = voice(0.5) / 0.5
    found = converted(loud, 8000, lambda context: context["source"] + math.log(10) / 8)
    assert found.abs().max() <= 1.0
    assert np.isfinite(found.numpy()).all()


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([(8000, 44100), (44100, 8000), (16000, 8000), (8000, 16000), (22050, 16000), (8000, 8000)]),
    st.lists(st.integers(0, 9000), min_size=1, max_size=6),
)
def test_a_sound_resampled_in_pieces_is_the_sound_resampled_whole(rates: tuple[int, int], sizes: list[int]) -> None:
    sound = torch.randn(2, sum(sizes), generator=torch.Generator().manual_seed(0))
    stream = Resampling(*rates)
    pieces = [stream.push(piece) for piece in sound.split(sizes, 1)]
    found = torch.cat([piece for piece in (*pieces, stream.end()) if piece.shape[1]] or [torch.zeros(2, 0)], 1)
    torch.testing.assert_close(found, resample(sound, *rates), atol=2e-4, rtol=0)


def test_silence_around_a_voice_does_not_change_its_level(voice):
    sound = voice(1.0)
    around = torch.nn.functional.pad(sound, (24_000, 16_000))
    assert active_level_db(around, 8000) == pytest.approx(active_level_db(sound, 8000), abs=0.1)
    assert active_level_db(sound + 0.4, 8000) == pytest.approx(active_level_db(sound, 8000), abs=0.01), "an offset"
    assert active_level_db(torch.zeros(1, 8000), 8000) is None
    assert active_level_db(torch.zeros(1, 0), 8000) is None

"""Every kind of sound file, whole, in pieces, and broken in every way."""

from __future__ import annotations

import io
import struct
from contextlib import closing
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wganx_audio.sound.reading import OpenSound, header, read, resample, to_channels

from wganx import DataError

RATE = 16000


@pytest.fixture(scope="module")
def speech(voice) -> torch.Tensor:
    return voice(1.0, RATE)


def load(content: bytes, **piece: int) -> torch.Tensor:
    return read(io.BytesIO(content), "a sound", **piece)


def error_between(found_CL: torch.Tensor, wanted_CL: torch.Tensor) -> float:
    """Root mean square of the difference over that of the sound."""
    length = min(found_CL.shape[1], wanted_CL.shape[1])
    gap = found_CL[:, :length] - wanted_CL[:, :length]
    return float(gap.square().mean().sqrt() / wanted_CL.square().mean().sqrt())


KINDS = [
    ("WAV", "PCM_U8", 0.1), ("WAV", "PCM_16", 1e-3), ("WAV", "PCM_24", 1e-5), ("WAV", "PCM_32", 1e-6),
    ("WAV", "FLOAT", 1e-7), ("WAV", "DOUBLE", 1e-7), ("WAV", "ULAW", 0.05), ("WAV", "ALAW", 0.05),
    ("WAV", "GSM610", 0.9), ("WAVEX", "PCM_24", 1e-5), ("RF64", "PCM_16", 1e-3), ("W64", "PCM_16", 1e-3),
    ("AIFF", "PCM_16", 1e-3), ("AIFF", "FLOAT", 1e-7), ("AU", "PCM_16", 1e-3), ("CAF", "PCM_16", 1e-3),
    ("FLAC", "PCM_16", 1e-3), ("FLAC", "PCM_24", 1e-5), ("OGG", "VORBIS", 0.3), ("OGG", "OPUS", 0.3),
    ("MP3", "MPEG_LAYER_III", 0.3),
]  # fmt: skip


@pytest.mark.parametrize(("container", "subtype", "most"), KINDS, ids=lambda value: str(value))
def test_every_kind_is_read(encoded, speech, container: str, subtype: str, most: float) -> None:
    content = encoded(speech, RATE, container, subtype)
    known = header(io.BytesIO(content), "a sound")
    assert (known.rate, known.channels, known.subtype) == (RATE, 1, subtype)
    found = load(content)
    assert found.dtype == torch.float32
    assert abs(found.shape[1] - speech.shape[1]) <= 0.02 * RATE
    assert error_between(found, speech) < most


@pytest.mark.parametrize("mode", ["CONSTANT", "AVERAGE", "VARIABLE"])
def test_mp3_of_any_bit_rate_behind_a_tag_is_read(encoded, speech, mode: str) -> None:
    content = encoded(speech, RATE, "MP3", compression_level=0.5, bitrate_mode=mode)
    if not content.startswith(b"ID3"):
        content = b"ID3\x04\0\0" + bytes((0, 0, 8, 0)) + bytes(1024) + content
    assert error_between(load(content), speech) < 0.3


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_stay_apart(encoded, tone, channels: int) -> None:
    sound = torch.cat([tone(200.0 * (1 + channel), 0.1, RATE) for channel in range(channels)])
    assert error_between(load(encoded(sound, RATE, "WAV", "FLOAT")), sound) < 1e-6


@given(start=st.integers(0, 1200), count=st.integers(0, 1200))
def test_a_piece_is_what_the_whole_has_there(encoded, speech, start: int, count: int) -> None:
    content = encoded(speech[:, :1000], RATE, "WAV", "FLOAT")
    assert torch.equal(load(content, start=start, count=count), speech[:, :1000][:, start : start + count])


@pytest.mark.parametrize("container", ["FLAC", "OGG", "MP3"])
def test_pieces_of_what_is_compressed_join(encoded, speech, container: str) -> None:
    content = encoded(speech, RATE, container)
    whole = load(content)
    with closing(OpenSound(io.BytesIO(content), "a sound")) as sound:
        pieces = [sound.read(start, 3000) for start in range(0, sound.header.frames, 3000)]
        again = sound.read(6000, 3000)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-6)
    assert error_between(again, whole[:, 6000:9000]) < 0.02


def test_what_cannot_be_sought_in_says_so(encoded, speech) -> None:
    with closing(OpenSound(io.BytesIO(encoded(speech, RATE, "WAV", "GSM610")), "phone.wav")) as sound:
        assert sound.read(0, 500).shape == (1, 500)
        assert sound.read(500, 500).shape == (1, 500)
        with pytest.raises(DataError, match=r"phone\.wav is GSM610, which can only be read from its begin; convert it"):
            sound.read(0, 500)


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "FLAC", "MP3"])
@pytest.mark.parametrize("share", [0.2, 0.6])
def test_what_is_cut_short_is_found(encoded, speech, container: str, share: float) -> None:
    content = encoded(speech, RATE, container)
    with pytest.raises(DataError, match=r"clip\.x is (cut short: .*there|cut short: it ends|damaged: .*lost)"):
        read(io.BytesIO(content[: int(len(content) * share)]), "clip.x")


def test_a_length_that_a_pipe_left_open_is_no_cut(encoded, speech) -> None:
    content = bytearray(encoded(speech, RATE, "WAV"))
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", 0xFFFFFFFF)
    content[4:8] = struct.pack("<I", 0xFFFFFFFF)
    assert error_between(load(bytes(content)), speech) < 1e-3


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "it stands for a file of Git LFS; fetch that by git lfs pull",
        ),
        (b"<!DOCTYPE html><html>404</html>", "it holds a web page; download it again"),
        (b"\0\0\0\x20ftypM4A isom" + bytes(64), "it holds MPEG-4, whatever its name; convert it to WAV or FLAC"),
        (b"\x1aE\xdf\xa3" + bytes(64), "it holds Matroska or WebM, whatever its name; convert it to WAV or FLAC"),
        (b"RIFF\x10\0\0\0WAVEfmt " + bytes(4), "it is damaged"),
        (b"caff" + bytes(64), "it is damaged"),
        (b"words, and no sound at all: ......", "it holds no kind of sound that is known here; convert it"),
    ],
)
def test_what_is_no_sound_is_said_to_be_what_it_is(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    for source in (io.BytesIO(content), path):
        with pytest.raises(DataError, match=f"^a.wav is no readable sound: {reason}"):
            header(source, "a.wav")


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.wav is no readable sound: .*No such file"):
        read(tmp_path / "gone.wav", "gone.wav")


def test_a_file_without_samples_is_named(encoded, speech) -> None:
    with pytest.raises(DataError, match=r"a sound holds no samples; copy it again, or leave it out"):
        load(encoded(speech[:, :0], RATE))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused(encoded, speech, value: float) -> None:
    sound = speech.clone()
    sound[0, 500] = value
    content = encoded(sound, RATE, "WAV", "FLOAT")
    assert load(content, count=500).isfinite().all()
    with pytest.raises(DataError, match=r"a sound holds values that are no numbers; write it anew, or leave it out"):
        load(content)


def test_one_sample_is_a_sound(encoded, speech) -> None:
    assert load(encoded(speech[:, :1], RATE, "WAV", "FLOAT")).shape == (1, 1)


def test_one_channel_is_the_average_unless_that_is_silence(tone) -> None:
    left, right = tone(300, 0.1, RATE, 0.6), tone(500, 0.1, RATE, 0.2)
    assert torch.allclose(to_channels(torch.cat([left, right]), 1), (left + right) / 2)
    assert torch.equal(to_channels(torch.cat([left, -left]), 1), left)
    assert torch.equal(to_channels(torch.cat([-0.9 * left, left]), 1), left), "the louder one stays"
    assert not to_channels(torch.zeros(2, 8), 1).any()


def test_two_channels_are_one_doubled_or_the_first_of_more(tone) -> None:
    left = tone(300, 0.1, RATE)
    assert torch.equal(to_channels(left, 2), torch.cat([left, left]))
    surround = torch.cat([left * gain for gain in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)])
    assert torch.equal(to_channels(surround, 2), surround[:2])
    assert to_channels(surround[:2], 2) is not None


@pytest.mark.parametrize(("from_hz", "to_hz"), [(48000, 8000), (44100, 16000), (8000, 16000), (11025, 8000)])
def test_a_tone_keeps_its_pitch_at_another_rate(tone, from_hz: int, to_hz: int) -> None:
    found = resample(tone(440, 0.5, from_hz), from_hz, to_hz)
    wanted = tone(440, 0.5, to_hz)
    assert abs(found.shape[1] - wanted.shape[1]) <= 1
    middle = slice(to_hz // 20, wanted.shape[1] - to_hz // 20)
    assert (found[:, middle] - wanted[:, middle]).abs().max() < 5e-3


def test_what_lies_beyond_half_of_the_new_rate_is_gone(tone) -> None:
    assert resample(tone(6000, 0.2, 16000), 16000, 8000)[:, 200:-200].abs().max() < 5e-3


def test_rates_without_a_common_divisor_take_little_memory(tone) -> None:
    found = resample(tone(440, 0.2, 44101), 44101, 16000)
    assert (found[:, 400:-400] - tone(440, 0.2, 16000)[:, 400 : found.shape[1] - 400]).abs().max() < 5e-3


@pytest.mark.parametrize("length", [0, 1, 7])
def test_short_sounds_are_resampled(length: int) -> None:
    assert resample(torch.zeros(2, length), 44100, 8000).shape == (2, -(-length * 8000 // 44100))

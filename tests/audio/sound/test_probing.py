"""What is told of a file before anything learns from it."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
import torch
from wganx_audio.sound import probing

from wganx import DataError

RATE = 8000


def probe(content: bytes, path: str) -> Mapping[str, str]:
    return probing.probe(io.BytesIO(content), path)


def test_a_good_file_is_described_and_nothing_more(tone, encoded) -> None:
    found = probe(encoded(tone(300, 0.7, RATE, 0.1), RATE, "WAV", "PCM_24"), "a.wav")
    assert found == {
        "length": "0.5 to 1 s", "rate": "8,000 Hz", "channels": "1", "format": "WAV PCM_24", "level": "-30 to -20 dB",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("frames", "said"),
    [(1, "less than 0.0625 s"), (400, "less than 0.0625 s"), (500, "0.0625 to 0.125 s"), (8000, "1 to 2 s"),
     (7999, "0.5 to 1 s"), (8001, "1 to 2 s")],
)  # fmt: skip
def test_lengths_lie_between_powers_of_two(encoded, frames: int, said: str) -> None:
    assert probe(encoded(torch.full((1, frames), 0.5), RATE), "a")["length"] == said


def test_what_is_amiss_is_said(tone, voice, encoded) -> None:
    sound = voice(0.5, RATE)

    def look(sound: torch.Tensor, subtype: str = "FLOAT") -> str:
        return probe(encoded(sound, RATE, "WAV", subtype), "a.wav").get("look", "")

    assert look(torch.full((1, 1), 0.5)) == "a single sample"
    assert look(torch.zeros(1, 800)) == look(torch.full((2, 800), 1e-6)) == "silent"
    assert look((sound * 6).clamp(-1, 1), "PCM_16") == "clipped"
    assert look(sound * 6) == "beyond the full scale"
    assert look(torch.cat([sound, -sound])) == "channels that cancel each other"
    assert look(0.2 * sound + 0.5) == "a constant offset, which a high-pass filter takes out"
    assert look(torch.cat([sound, torch.zeros_like(sound)])) == "", "one channel alone is no sign of that"
    assert look(2 * sound, "PCM_16") == "", "a single peak at the full scale is none"


def test_a_tone_that_is_cut_off_in_one_place_only_is_left_alone(encoded) -> None:
    sound = torch.zeros(1, 800)
    sound[0, 100:200] = 1.0
    assert "look" not in probe(encoded(sound, RATE), "a")


@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_an_ogg_stream_without_its_end_is_said_to_be_cut_short(voice, encoded, subtype: str) -> None:
    whole = encoded(voice(3.0, 16000), 16000, "OGG", subtype)
    assert "look" not in probe(whole, "a.ogg")
    assert probe(whole[: int(0.9 * len(whole))], "a.ogg")["look"] == "cut short: its stream has no end"


def test_clipping_across_pieces_of_a_long_file_is_counted_once(monkeypatch, voice, encoded) -> None:
    sound = (voice(2.0, RATE) * 6).clamp(-1, 1)
    monkeypatch.setattr("wganx_audio.sound.probing._PIECE_SECONDS", 1)
    assert probe(encoded(sound, RATE), "a")["look"] == "clipped"


@pytest.mark.parametrize("content", [b"", b"words"])
def test_what_cannot_be_read_is_an_error_that_names_it(content: bytes) -> None:
    with pytest.raises(DataError, match=r"^b\.wav is no readable sound"):
        probe(content, "b.wav")


def test_a_file_that_is_damaged_behind_its_header_is_an_error(voice, encoded) -> None:
    content = encoded(voice(3.0, RATE), RATE, "FLAC")
    with pytest.raises(DataError, match=r"b\.flac is damaged: flac decoder lost sync; copy it again, or leave it out"):
        probe(content[: len(content) // 2], "b.flac")

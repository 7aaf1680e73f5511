"""Files that are written: what is in them, what they say of themselves, and that they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch
from wganx_audio.sound.reading import Header, header, read
from wganx_audio.sound.writing import COMMENTS, SoundWriter, write_sound

from wganx import DataError, UsageError

RATE = 16000
ENDINGS = [".wav", ".WAV", ".flac", ".ogg", ".opus", ".mp3", ".aiff", ".caf", ".rf64"]


def like(sound: torch.Tensor, subtype: str, rate: int = RATE) -> Header:
    return Header(sound.shape[1], rate, sound.shape[0], "", subtype)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("origin", ["synthetic", "recorded"])
def test_a_file_says_where_it_comes_from(tmp_path: Path, voice, ending: str, origin) -> None:
    path = write_sound(tmp_path / f"a{ending}", voice(0.5, RATE), RATE, origin=origin)
    with soundfile.SoundFile(path) as file:
        assert file.comment == COMMENTS[origin]
        assert file.software.startswith(("wganx 0.", "LAME"))  # of MP3 the encoder names itself
    assert ("Synthetic" in COMMENTS[origin]) == (origin == "synthetic")


def test_a_wav_file_holds_the_words_in_its_info_chunk(tmp_path: Path, voice) -> None:
    content = write_sound(tmp_path / "a.wav", voice(0.5, RATE), RATE).read_bytes()
    chunk = content[content.index(b"LIST") :]
    assert chunk[8:12] == b"INFO"
    assert b"ISFT" in chunk
    assert COMMENTS["synthetic"].encode() in chunk[chunk.index(b"ICMT") :]


@pytest.mark.parametrize("ending", [".wav", ".flac", ".aiff", ".caf", ".au", ".w64"])
def test_sixteen_bits_survive(tmp_path: Path, ending: str) -> None:
    stored = torch.randint(-32768, 32768, (2, 999), generator=torch.Generator().manual_seed(0))
    path = write_sound(tmp_path / f"a{ending}", stored / 32768, RATE)
    assert torch.equal((read(path, "a") * 32768).long(), stored)


@pytest.mark.parametrize(
    ("subtype", "ending", "kept"),
    [
        ("PCM_24", ".wav", "PCM_24"), ("FLOAT", ".wav", "FLOAT"), ("ULAW", ".wav", "ULAW"),
        ("PCM_U8", ".wav", "PCM_U8"),
        ("PCM_24", ".flac", "PCM_24"), ("FLOAT", ".flac", "PCM_16"), ("MPEG_LAYER_III", ".wav", "PCM_16"),
        ("OPUS", ".ogg", "OPUS"), ("OPUS", ".wav", "PCM_16"), ("PCM_16", ".ogg", "VORBIS"), ("PCM_16", ".opus", "OPUS"),
        ("PCM_16", ".mp3", "MPEG_LAYER_III"),
    ],
)  # fmt: skip
def test_the_subtype_is_kept_where_the_container_has_it(tmp_path, voice, subtype, ending, kept) -> None:
    path = write_sound(tmp_path / f"a{ending}", voice(0.2, RATE), RATE, subtype=subtype)
    assert header(path, "a").subtype == kept


def test_what_is_too_loud_is_cut_off_and_never_wraps_around(tmp_path: Path) -> None:
    sound = torch.tensor([[-3.0, -1.0, 0.5, 1.0, 3.0]])
    found = read(write_sound(tmp_path / "a.wav", sound, RATE), "a")
    assert found[0].tolist() == pytest.approx([-1, -1, 0.5, 1, 1], abs=1e-4)
    assert torch.equal(read(write_sound(tmp_path / "b.wav", sound, RATE, subtype="FLOAT"), "b"), sound)


def test_values_that_are_no_numbers_become_silence(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", torch.tensor([[0.5, float("nan")]]), RATE, subtype="FLOAT")
    assert read(path, "a")[0].tolist() == [0.5, 0.0]


def test_a_long_piece_of_vorbis_ends_no_process(tmp_path: Path) -> None:
    """libsndfile overflows the stack where it is given some millions of frames at once."""
    path = write_sound(tmp_path / "a.ogg", torch.zeros(1, 6_000_000), 48000)
    assert header(path, "a").frames == 6_000_000


def test_nothing_is_left_of_what_failed(tmp_path: Path, voice, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"as it was")

    def full(self: soundfile.SoundFile, data: object) -> None:
        raise AssertionError

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(DataError, match=r"\.a\.writing\.wav cannot be written; is the disk full\?"):
        write_sound(path, voice(), RATE)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]
    assert path.read_bytes() == b"as it was"


@pytest.mark.parametrize("ending", [".m4a", ".txt", ""])
def test_other_endings_are_refused_with_those_there_are(tmp_path: Path, voice, ending: str) -> None:
    said = ending or "a name without an ending"
    with pytest.raises(UsageError, match=rf"^{said} is no kind of sound that can be written; end the name .* in"):
        write_sound(tmp_path / f"a{ending}", voice(), RATE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".mp3", ".opus"])
def test_a_rate_that_the_container_has_not_is_said(tmp_path: Path, voice, ending: str) -> None:
    message = "takes no sound of 44,099 samples a second in 1 channels; end the name of the file in .wav"
    with pytest.raises(UsageError, match=message):
        write_sound(tmp_path / f"a{ending}", voice(), 44_099)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path, voice) -> None:
    with pytest.raises(DataError, match=r"gone.*cannot be written"):
        write_sound(tmp_path / "gone" / "a.wav", voice(), RATE)


def test_beyond_four_gigabytes_wav_becomes_rf64(tmp_path: Path, voice) -> None:
    hours = Header(7 * 3600 * 48000, 48000, 2, "WAV", "PCM_24")
    writer = SoundWriter(tmp_path / "a.wav", hours)
    writer.write(voice().expand(2, -1))
    writer.close()
    assert header(tmp_path / "a.wav", "a").container == "RF64"

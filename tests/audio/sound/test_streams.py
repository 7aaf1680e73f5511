"""Files as streams: in the units that are stored, with what the source has, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
import torch
from wganx_audio.sound.reading import header, read
from wganx_audio.sound.streams import SoundSink, SoundSource

from wganx import DataError, UsageError


def copied(source: Path, target: Path, piece: int = 1000) -> Path:
    stream = SoundSource(source)
    sink = SoundSink(target, stream)
    for start in range(0, stream.length, piece):
        sink.write(stream.read(start, piece))
    sink.close()
    stream.close()
    return target


@pytest.fixture
def stereo(tmp_path: Path, tone, encoded) -> Path:
    path = tmp_path / "stereo.wav"
    path.write_bytes(encoded(torch.cat([tone(300, 0.2, 44100), tone(500, 0.2, 44100)]), 44100, "WAV", "PCM_24"))
    return path


def test_a_source_says_what_it_holds(stereo: Path) -> None:
    source = SoundSource(stereo)
    assert (source.format.axes, source.format.shape) == (("channel", "time"), (2, None))
    assert (source.format.rate_hz, source.length) == (44100.0, 8820)
    assert source.format.value_range == (-32768.0, 32767.0)
    assert torch.equal(source.read(100, 50), read(stereo, "a")[:, 100:150] * 32768)
    assert source.read(8800, 50).shape == (2, 20)
    assert source.read(9000, 50).shape == (2, 0)
    source.close()


def test_a_copy_is_the_source_to_the_last_bit(stereo: Path, tmp_path: Path) -> None:
    copy = copied(stereo, tmp_path / "copy.wav")
    assert torch.equal(read(copy, "copy"), read(stereo, "stereo"))
    assert header(copy, "copy") == header(stereo, "stereo")


def test_whole_numbers_are_taken_as_well(stereo: Path, tmp_path: Path) -> None:
    source = SoundSource(stereo)
    sink = SoundSink(tmp_path / "a.wav", source)
    sink.write(torch.tensor([[16384, -32768], [1, 0]], dtype=torch.int16))
    sink.close()
    source.close()
    assert torch.equal(read(tmp_path / "a.wav", "a"), torch.tensor([[0.5, -1.0], [1 / 32768, 0.0]]))


@pytest.mark.parametrize("ending", [".flac", ".ogg", ".mp3"])
def test_another_ending_is_another_container(stereo: Path, tmp_path: Path, ending: str) -> None:
    found = header(copied(stereo, tmp_path / f"a{ending}"), "a")
    assert (found.rate, found.channels) == (44100, 2)
    assert abs(found.frames - 8820) < 3000


def test_what_cannot_be_written_is_said_before_anything_is_made(stereo: Path, tmp_path: Path) -> None:
    source = SoundSource(stereo)
    with pytest.raises(UsageError, match="OGG takes no sound of 44,100 samples a second in 2 channels; end the name"):
        SoundSink(tmp_path / "a.opus", source)
    source.close()


def test_what_is_no_sound_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"words")
    with pytest.raises(DataError, match=r"a\.wav is no readable sound"):
        SoundSource(tmp_path / "a.wav")


def test_a_source_of_another_kind_gives_rate_and_channels(tmp_path: Path, stereo: Path) -> None:
    class Plain:
        format = SoundSource(stereo).format
        length = 8820

        def read(self, start: int, count: int) -> torch.Tensor:
            raise NotImplementedError

        def close(self) -> None:
            pass

    sink = SoundSink(tmp_path / "a.wav", Plain())
    sink.write(torch.zeros(2, 10))
    sink.close()
    found = header(tmp_path / "a.wav", "a")
    assert (found.rate, found.channels, found.subtype) == (44100, 2, "PCM_16")


@pytest.mark.parametrize("minutes", [2, 8])
def test_memory_does_not_grow_with_the_length(tmp_path: Path, encoded, minutes: int) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(encoded(torch.zeros(1, minutes * 60 * 8000), 8000))
    copied(path, tmp_path / "warm.wav", piece=480_000)
    tracemalloc.start()
    copied(path, tmp_path / "copy.wav", piece=8000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert header(tmp_path / "copy.wav", "copy").frames == minutes * 60 * 8000

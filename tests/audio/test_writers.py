"""What people see and hear of samples."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor
from wganx_audio.configs.tasks import RepresentationConfig
from wganx_audio.representations import describe, representation_of
from wganx_audio.sheet import CELL, draw_sheet
from wganx_audio.sound.reading import read
from wganx_audio.sound.writing import COMMENTS
from wganx_audio.writers import preview_sounds, write_sounds

from wganx import Batch, DataError, SampleFormat

RATE = 8000
STORED = SampleFormat(axes=("channel", "time"), shape=(1, 4096), value_range=(-32768.0, 32767.0), rate_hz=float(RATE))


@pytest.fixture
def waves(voice) -> Tensor:
    return torch.stack([voice(0.512, RATE, 100.0 + 30 * number, seed=number) for number in range(3)])


def waveform(stored: SampleFormat = STORED) -> SampleFormat:
    return describe(RepresentationConfig(representation="waveform"), stored, None)


def test_every_sample_is_a_file_that_says_it_is_synthetic(tmp_path: Path, waves: Tensor) -> None:
    paths = write_sounds(Batch(waves), waveform(), tmp_path, "sample")
    assert [path.name for path in paths] == ["sample-0000.wav", "sample-0001.wav", "sample-0002.wav"]
    assert sorted(tmp_path.iterdir()) == paths
    for path, wave in zip(paths, waves):
        assert (read(path, "a") - wave).abs().max() < 1e-4
        with soundfile.SoundFile(path) as file:
            assert (file.samplerate, file.subtype, file.comment) == (RATE, "PCM_16", COMMENTS["synthetic"])


def test_spectra_are_written_as_what_they_sound_like(tmp_path: Path, waves: Tensor) -> None:
    format = describe(RepresentationConfig(reach=8.0), STORED, None)
    representation = representation_of(format)
    samples = representation.encode(waves)
    paths = write_sounds(Batch(samples), format, tmp_path, "sample")
    for path, wave in zip(paths, representation.decode(samples)):
        assert (read(path, "a") - wave).abs().max() < 1e-4


def test_stereo_is_written_as_stereo(tmp_path: Path, waves: Tensor) -> None:
    stored = SampleFormat(axes=("channel", "time"), shape=(2, 4096), value_range=(-32768.0, 32767.0), rate_hz=44100.0)
    stereo = torch.cat([waves, -0.5 * waves], 1)
    (path, *_) = write_sounds(Batch(stereo), waveform(stored), tmp_path, "x")
    assert (read(path, "a") - stereo[0]).abs().max() < 1e-4
    assert soundfile.info(path).samplerate == 44100


def test_a_preview_tells_real_from_synthetic(tmp_path: Path, waves: Tensor) -> None:
    made = preview_sounds(waves * 0.5, Batch(waves), waveform(), tmp_path, "step-000100")
    real = preview_sounds(waves, Batch(waves), waveform(), tmp_path, "real")
    assert [path.name for path in real.files] == ["real-0000.wav", "real-0001.wav", "real-0002.wav"]
    for preview, origin in ((made, "synthetic"), (real, "recorded")):
        assert preview.picture.dtype == torch.uint8
        with soundfile.SoundFile(preview.files[0]) as file:
            assert file.comment == COMMENTS[origin]


def test_of_many_samples_sixteen_are_heard_and_all_are_seen(tmp_path: Path, waves: Tensor) -> None:
    many = waves.repeat(7, 1, 1)
    preview = preview_sounds(many, Batch(many[:0]), waveform(), tmp_path, "x")
    assert len(preview.files) == 16
    assert preview.picture.shape[1] > 6 * CELL[1]


def test_samples_may_carry_a_graph_half_precision_and_no_numbers(tmp_path: Path, waves: Tensor) -> None:
    broken = waves.to(torch.bfloat16).requires_grad_()
    broken = torch.where(torch.arange(4096) == 9, float("nan"), broken)
    preview = preview_sounds(broken, Batch(waves[:0]), waveform(), tmp_path, "x")
    assert read(preview.files[0], "x").isfinite().all()


def test_the_classes_asked_for_stand_above_each(tmp_path: Path, waves: Tensor) -> None:
    asked = {"digit": torch.tensor([3, 4, 5]), "speaker": torch.tensor([0, 1, 2]), "intensity": torch.rand(3)}
    with_classes = preview_sounds(waves, Batch(waves, context=asked), waveform(), tmp_path, "x").picture
    without = preview_sounds(waves, Batch(waves), waveform(), tmp_path, "x").picture
    assert with_classes.shape == without.shape
    assert not torch.equal(with_classes, without)


def test_samples_of_no_known_kind_are_an_error(tmp_path: Path, waves: Tensor) -> None:
    with pytest.raises(DataError, match="does not say how it becomes a sound"):
        write_sounds(Batch(waves), STORED, tmp_path, "x")


def column_means(sheet: Tensor) -> Tensor:
    """Mean brightness of each row of the first cell."""
    left, top = 46, 20
    return sheet[:, top : top + CELL[1], left : left + CELL[0]].float().mean((0, 2))


@pytest.mark.parametrize("hertz", [500, 1000, 3000])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_a_tone_stands_at_its_place_on_the_axis(tone, hertz: int, rate: int) -> None:
    bright = column_means(draw_sheet([tone(hertz, 0.5, rate)], rate, ["0"])).argmax()
    assert float(bright) == pytest.approx(CELL[1] * (1 - hertz / (rate / 2)), abs=3)


def test_a_short_sound_ends_where_the_time_axis_says(tone) -> None:
    sheet = draw_sheet([tone(1000, 0.25, RATE), tone(1000, 1.0, RATE)], RATE, ["0", "1"])
    row = 20 + round(CELL[1] * (1 - 1000 / 4000))
    assert (sheet[0, row, 46 + 5 : 46 + CELL[0] // 4 - 5] > 150).all()
    assert (sheet[0, row, 46 + CELL[0] // 4 + 5 : 46 + CELL[0] - 5] > 250).all(), "paper, where there is no sound"


@pytest.mark.parametrize("length", [1, 10, 300])
def test_the_shortest_sounds_are_drawn(length: int) -> None:
    assert draw_sheet([torch.zeros(1, length)], RATE, ["0"]).dtype == torch.uint8


def test_an_empty_sheet_is_a_sheet() -> None:
    assert draw_sheet([], RATE, []).shape[0] == 3


def test_long_sounds_are_drawn_quickly_and_no_wider(tone) -> None:
    short, long = (draw_sheet([tone(500, seconds, RATE)], RATE, ["0"]) for seconds in (1, 60))
    assert short.shape == long.shape


@pytest.mark.parametrize(("caption", "drawn"), [("1: Müller", "1: Muller"), ("2: 王 x", "2: ? x"), ("é\u0301", "e")])
def test_a_picture_has_letters_and_no_boxes(caption, drawn):
    sounds = [torch.linspace(-1, 1, 800)[None]]
    assert torch.equal(draw_sheet(sounds, 8000.0, [caption]), draw_sheet(sounds, 8000.0, [drawn]))

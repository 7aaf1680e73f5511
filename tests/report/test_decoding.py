"""Looking into sounds and clips, whole ones and damaged ones."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wganx.report.decoding import COLUMNS, DEPTH, as_mp3, as_strip, loudness


def sound(samples: np.ndarray, rate: int = 16_000) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes((32_767 * samples).astype(np.int16).tobytes())
    return content.getvalue()


def clip(frames: int, side: int = 8) -> bytes:
    content = io.BytesIO()
    pictures = [Image.new("RGB", (side, side), (10 * index, 0, 0)) for index in range(frames)]
    pictures[0].save(content, "GIF", save_all=True, append_images=pictures[1:], duration=40)
    return content.getvalue()


def test_loudness_follows_the_peaks() -> None:
    path, seconds = loudness(sound(np.linspace(0, 1, 32_000)))
    assert seconds == 2.0
    strokes = path.split("M")[1:]
    assert len(strokes) == COLUMNS
    assert strokes[-1] == f"{COLUMNS - 1} 0V{DEPTH}"
    heights = [int(stroke.partition("V")[2]) - int(stroke.split()[1].partition("V")[0]) for stroke in strokes]
    assert heights == sorted(heights)
    assert heights[0] < 2


@pytest.mark.parametrize("count", [1, 3, COLUMNS, COLUMNS + 1])
def test_a_short_sound_has_a_picture_too(count: int) -> None:
    path, seconds = loudness(sound(np.full(count, 0.5)))
    assert path.count("M") == COLUMNS
    assert seconds == count / 16_000


@pytest.mark.parametrize("data", [b"", b"RIFF\x00\x00\x00\x00WAVE", b"RIFF" + bytes(200), sound(np.zeros(0))])
def test_what_cannot_be_decoded_has_none(data: bytes, tmp_path: Path) -> None:
    assert loudness(data) == ("", 0.0)
    (tmp_path / "a.wav").write_bytes(data)
    assert as_mp3(tmp_path / "a.wav") is None


def test_an_mp3_is_a_smaller_sound_of_the_same_length(tmp_path: Path) -> None:
    original = sound(np.sin(np.arange(32_000) / 9) / 2)
    (tmp_path / "a.wav").write_bytes(original)
    smaller = as_mp3(tmp_path / "a.wav")
    assert smaller is not None
    assert len(smaller) < len(original) / 4
    assert loudness(smaller)[1] == pytest.approx(2.0, abs=0.15)


def test_a_rate_that_mp3_has_not_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(sound(np.zeros(1_000), rate=12_345))
    assert as_mp3(tmp_path / "a.wav") is None


def test_a_strip_holds_every_frame_in_order() -> None:
    strip = as_strip(clip(7), most=64)
    assert strip is not None
    assert (strip.frames, strip.columns, strip.milliseconds) == (7, 3, 40)
    with Image.open(io.BytesIO(strip.data)) as opened:
        picture = np.asarray(opened)[..., 0]
    assert picture.shape == (24, 24)
    seen = [int(picture[8 * (index // 3) + 4, 8 * (index % 3) + 4]) for index in range(7)]
    np.testing.assert_allclose(seen, [10 * index for index in range(7)], atol=6)


def test_a_long_clip_is_thinned_and_keeps_its_length() -> None:
    strip = as_strip(clip(20), most=8)
    assert strip is not None
    assert strip.frames == 7
    assert strip.frames * strip.milliseconds == pytest.approx(20 * 40, rel=0.01)


@pytest.mark.parametrize("data", [b"", b"GIF89a", clip(1), clip(4)[:60], bytes(100)])
def test_what_has_no_frames_is_no_strip(data: bytes) -> None:
    assert as_strip(data, most=64) is None


def test_a_clip_that_is_too_large_stays_as_it_is() -> None:
    assert as_strip(clip(4, side=2_100), most=64) is None

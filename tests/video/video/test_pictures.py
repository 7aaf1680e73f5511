"""GIF, WebP, APNG and AVIF as films, and folders of pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from wganx_video.video.frames import natural
from wganx_video.video.pictures import read_picture
from wganx_video.video.reading import open_video
from wganx_video.video.writing import write_video

from wganx import DataError


@pytest.fixture
def clip(numbered) -> torch.Tensor:
    return torch.stack([torch.from_numpy(numbered(number)).permute(2, 0, 1) for number in range(12)])


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_any_frame_is_reached_back_and_forth(tmp_path: Path, clip: torch.Tensor, numbers_in, ending: str) -> None:
    path = write_video(tmp_path / f"a.{ending}", clip, 10).rename(tmp_path / "a.bin")
    with open_video(path) as film:
        assert film.header.kind == ("apng" if ending == "png" else ending)
        assert (film.header.frames, film.header.channels, film.header.rate) == (12, 3, 10)
        assert numbers_in(film.read(0, 99)) == list(range(12))
        for start in (7, 3, 11, 0):
            assert numbers_in(film.read(start, 3, 2)) == list(range(start, 12, 2))[:3]


def test_frames_of_a_gif_keep_their_times_and_none_is_left_out(tmp_path: Path, numbered) -> None:
    clip = torch.from_numpy(numbered(5)).permute(2, 0, 1).expand(4, -1, -1, -1)
    times = [Fraction(0), Fraction(1, 10), Fraction(15, 100), Fraction(5, 10)]
    with open_video(write_video(tmp_path / "a.gif", clip, 20, times=times)) as film:
        assert film.header.frames == 4, "they are all the same, and still four"
        assert list(film.times) == times


def test_hundredths_of_a_second_do_not_add_up(tmp_path: Path, clip: torch.Tensor) -> None:
    with open_video(write_video(tmp_path / "a.gif", clip, Fraction(30000, 1001))) as film:
        assert float(film.times[11]) == pytest.approx(11 * 1.001 / 30, abs=0.01)


def test_a_frame_without_a_duration_is_shown_as_browsers_do(tmp_path: Path) -> None:
    frames = [Image.new("L", (8, 8), level) for level in (0, 100, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=0)
    with open_video(tmp_path / "a.gif") as film:
        assert film.header.rate == 10


def test_a_colour_that_only_saves_room_is_no_transparency(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), (200, 10, 10)) for _ in range(3)]
    for number, frame in enumerate(frames):
        frame.putpixel((number, 0), (0, 0, 255))
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=50, optimize=True)
    with open_video(tmp_path / "a.gif") as film:
        assert film.header.channels == 3
        assert film.read(2, 1)[0, :, 0, 2].tolist() == [0, 0, 255]


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_what_is_cut_short_is_named(tmp_path: Path, clip: torch.Tensor, ending: str) -> None:
    path = write_video(tmp_path / f"a.{ending}", clip)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(
        DataError, match=rf"a\.{ending} (is damaged: \d+ of its frames are there|is no readable picture)"
    ):
        open_video(path)


def test_a_still_picture_is_a_film_of_one_frame(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6), (9, 8, 7)).save(tmp_path / "a.gif")
    with open_video(tmp_path / "a.gif") as film:
        assert (film.header.frames, film.read(0, 5).shape) == (1, (1, 3, 6, 8))


def test_a_folder_is_read_in_natural_order(tmp_path: Path, numbered, numbers_in) -> None:
    for number in range(12):
        Image.fromarray(numbered(number)).save(tmp_path / f"Frame{number}.PNG")
    (tmp_path / ".hidden.png").write_bytes(b"words")
    (tmp_path / "notes.txt").write_text("words")
    with open_video(tmp_path) as film:
        assert (film.header.kind, film.header.frames, film.header.rate) == ("frames", 12, None)
        assert numbers_in(film.read(0, 99)) == list(range(12))
        assert numbers_in(film.read(9, 2)) == [9, 10]
        assert float(film.times[2]) == pytest.approx(2 / 25)


def test_natural_order() -> None:
    names = ["b2", "a10.png", "a9.png", "A1.png", "a010.png", "10", "9", "a"]
    assert sorted(names, key=natural) == ["9", "10", "a", "A1.png", "a9.png", "a010.png", "a10.png", "b2"]


@pytest.mark.parametrize(
    ("mode", "channels"), [("1", 1), ("L", 1), ("LA", 2), ("P", 3), ("RGB", 3), ("RGBA", 4), ("I;16", 1), ("CMYK", 3)]
)
def test_pictures_have_as_many_channels_as_they_have(tmp_path: Path, mode: str, channels: int) -> None:
    picture = Image.new("I;16", (8, 6), 65535) if mode == "I;16" else Image.new("RGB", (8, 6), "white").convert(mode)
    path = tmp_path / ("0.tif" if mode == "CMYK" else "0.png")
    picture.save(path)
    with open_video(tmp_path) as film:
        assert film.header.channels == channels
        assert film.header.depth == (16 if mode == "I;16" else 8)
        assert (film.read(0, 1) >= 254).all()


def test_an_orientation_is_honoured(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=exif)
    assert read_picture(tmp_path / "a.jpg", "a").shape == (8, 6, 3)


def test_frames_of_several_sizes_are_no_film(tmp_path: Path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "1.png")
    Image.new("RGB", (9, 6)).save(tmp_path / "2.png")
    with (
        open_video(tmp_path) as film,
        pytest.raises(DataError, match=r"2\.png is 9x6 with 3 channels, and the first .* 8x6"),
    ):
        film.read(0, 2)


@pytest.mark.parametrize("content", [b"", b"words", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_frame_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_bytes(content)
    with open_video(tmp_path) as film, pytest.raises(DataError, match=r"2\.png is no readable picture"):
        film.read(0, 2)


def test_floating_point_pictures_say_how_to_mend_them(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((6, 8), np.float32)).save(tmp_path / "1.tif")
    with pytest.raises(DataError, match="floating-point values of unknown range; convert it to 8 or 16 bit"):
        open_video(tmp_path)


def test_an_empty_folder_is_no_film(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no frames; a film of pictures has files such as 0001\.png"):
        open_video(tmp_path)

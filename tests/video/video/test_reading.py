"""Films of any kind, told by their content: sizes, colours, turns, depths, and what is amiss."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from wganx_video.video.header import Colour, Sound, Times
from wganx_video.video.reading import open_video

from wganx import DataError, MissingExtra

av = pytest.importorskip("av", reason="needs the extra video")


@pytest.fixture(scope="module")
def mp4(tmp_path_factory: pytest.TempPathFactory, film: Callable[..., Path]) -> Path:
    return film(tmp_path_factory.mktemp("films") / "a.mp4", frames=20, options={"bf": "2", "g": "8"})


@pytest.mark.parametrize(("ending", "codec"), [("mp4", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")])
def test_the_name_means_nothing(tmp_path: Path, film, numbers_in, ending: str, codec: str) -> None:
    misnamed = film(tmp_path / f"a.{ending}", codec, frames=5).rename(tmp_path / "a.jpg")
    with open_video(misnamed) as opened:
        assert opened.header.kind == ending
        assert numbers_in(opened.read(0, 9)) == [0, 1, 2, 3, 4]


def test_content_in_memory_and_in_an_archive_is_a_film(mp4: Path, tmp_path: Path, numbers_in) -> None:
    with open_video(io.BytesIO(mp4.read_bytes()), "a.mp4") as film:
        assert numbers_in(film.read(18, 5)) == [18, 19]
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(mp4, "a.mp4")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive, open_video(archive.open("a.mp4"), "a.mp4") as film:
        assert numbers_in(film.read(3, 2)) == [3, 4]


def test_a_header_says_what_is_in_a_file(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mp4", frames=12, rate=Fraction(30000, 1001), sound="aac", colour=(1, 1, 1, 1))
    with open_video(path) as opened:
        header = opened.header
    assert (header.frames, header.channels, header.height, header.width) == (12, 3, 48, 64)
    assert header.rate == Fraction(30000, 1001)
    assert (header.kind, header.codec, header.depth, header.rotation) == ("mp4", "h264", 8, 0)
    assert header.sound == (Sound("aac", 48_000, 1),)
    assert header.colour == Colour(1, 1, 1, 1)


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(24), Fraction(30000, 1001), Fraction(60)])
def test_the_rounding_of_times_does_not_change_the_rate(tmp_path: Path, film, rate: Fraction) -> None:
    with open_video(film(tmp_path / "a.mkv", frames=10, rate=rate)) as opened:
        assert opened.header.rate == rate
        assert not opened.times.vary(rate)


@pytest.mark.parametrize("degrees", [90, -90, 180])
def test_what_a_phone_noted_is_honoured(tmp_path: Path, film, numbered, degrees: int) -> None:
    with open_video(film(tmp_path / "a.mp4", frames=2, rotation=degrees, pixels="yuv444p")) as opened:
        expected = np.rot90(numbered(1), degrees // 90).copy()
        assert opened.header.rotation == -degrees % 360
        assert (opened.header.height, opened.header.width) == expected.shape[:2]
        shown = opened.read(1, 1)[0].permute(1, 2, 0)
        assert (shown.float() - torch.from_numpy(expected).float()).abs().mean() < 4


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64)])
def test_odd_sizes_are_read_as_they_are(tmp_path: Path, film, size: tuple[int, int]) -> None:
    with open_video(film(tmp_path / "a.webm", "libvpx-vp9", frames=3, size=size)) as opened:
        assert (opened.header.height, opened.header.width) == size
        assert opened.read(0, 9).shape == (3, 3, *size)


@pytest.mark.parametrize(
    ("ending", "codec", "pixels", "channels", "depth"),
    [
        ("mkv", "ffv1", "gray", 1, 8),
        ("mkv", "ffv1", "gray10le", 1, 10),
        ("mkv", "ffv1", "ya8", 2, 8),
        ("mkv", "ffv1", "bgra", 4, 8),
        ("mp4", "libx264", "yuv420p10le", 3, 10),
        ("mp4", "libx264", "yuv422p", 3, 8),
        ("webm", "libvpx-vp9", "yuva420p", 4, 8),
        ("mov", "prores_ks", "yuva444p10le", 4, 12),
        ("mov", "png", "rgb48be", 3, 16),
    ],
)
def test_channels_and_depths(
    tmp_path: Path, film, numbered, ending: str, codec: str, pixels: str, channels: int, depth: int
) -> None:
    def draw(number: int) -> np.ndarray:
        colour_HWC = numbered(number)
        if channels == 1:
            return colour_HWC[..., :1]
        alpha_HW1 = np.full((48, 64, 1), 128, dtype=np.uint8)
        return np.concatenate([colour_HWC, alpha_HW1], 2) if channels in (2, 4) else colour_HWC

    options = {"auto-alt-ref": "0", "cpu-used": "8"} if codec == "libvpx-vp9" else {}
    path = film(tmp_path / f"a.{ending}", codec, frames=4, pixels=pixels, draw=draw, options=options)
    with open_video(path) as opened:
        assert (opened.header.channels, opened.header.depth) == (channels, depth)
        read = opened.read(3, 1)[0].float()
    assert read.shape == (channels, 48, 64)
    if channels == 4:
        assert (read[3] - 128).abs().mean() < 2
    shown = torch.from_numpy(draw(3)).permute(2, 0, 1).float()
    if channels == 2:
        assert (read[1] - 128).abs().mean() < 2
    elif channels == 1:
        assert (read - shown).abs().max() <= 1
    else:
        assert (read[:3] - shown[:3]).abs().mean() < 5


@pytest.mark.parametrize("colour", [(1, 1, 1, 1), (2, 1, 1, 1), (1, 6, 6, 6), (2, 5, 6, 5), (1, 9, 16, 9)])
def test_colours_are_what_the_description_makes_of_them(tmp_path: Path, film, colour: tuple[int, ...]) -> None:
    def draw(number: int) -> np.ndarray:
        return np.broadcast_to(np.array([200, 40, 90], dtype=np.uint8), (48, 64, 3)).copy()

    path = film(tmp_path / "a.mkv", frames=2, pixels="yuv444p", colour=colour, draw=draw, options={"crf": "1"})
    with open_video(path) as opened:
        assert opened.header.colour == Colour(*colour)
        assert (opened.read(0, 1)[0].float().mean((1, 2)) - torch.tensor([200.0, 40, 90])).abs().max() < 2.5


def test_a_film_that_changes_its_size_is_refused_there(tmp_path: Path, film) -> None:
    small, large = film(tmp_path / "a.ts", frames=6), film(tmp_path / "b.ts", frames=6, size=(96, 128))
    (tmp_path / "c.ts").write_bytes(small.read_bytes() + large.read_bytes())
    with open_video(tmp_path / "c.ts") as opened:
        assert opened.read(0, 6).shape == (6, 3, 48, 64)
        with pytest.raises(DataError, match=r"c\.ts changes its size at frame 6, from 64x48 to 128x96; cut it there"):
            opened.read(0, 12)


def cut_short(path: Path, share: float) -> Path:
    content = path.read_bytes()
    short = path.with_name("short" + path.suffix)
    short.write_bytes(content[: int(share * len(content))])
    return short


@pytest.mark.parametrize(("ending", "codec"), [("mkv", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4")])
def test_what_is_cut_short_says_how_much_is_there(tmp_path: Path, film, ending: str, codec: str) -> None:
    short = cut_short(film(tmp_path / f"a.{ending}", codec, frames=30), 0.9)
    with pytest.raises(
        DataError,
        match=rf"short\.{ending} is cut short: its last [\d,]+ bytes or more are missing; \d+( of 30)? frames are",
    ):
        open_video(short)


def test_an_mp4_without_its_index_says_that_nothing_is_left(mp4: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(mp4.read_bytes()[:-1500])
    with pytest.raises(DataError, match=r"its last \d+ bytes or more are missing"):
        open_video(tmp_path / "a.mp4")
    with pytest.raises(DataError, match=r"is cut short: .* nothing of it can be decoded"):
        open_video(cut_short(mp4, 0.5))


def test_an_mp4_with_its_index_first_says_how_many_frames_are_left(tmp_path: Path, mp4: Path) -> None:
    with av.open(str(mp4)) as whole, av.open(str(tmp_path / "a.mp4"), "w", options={"movflags": "faststart"}) as fast:
        copy = fast.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.size:
                packet.stream = copy
                fast.mux(packet)
    with pytest.raises(DataError, match=r"bytes or more are missing; \d+ of 20 frames are there"):
        open_video(cut_short(tmp_path / "a.mp4", 0.8))


def test_a_damaged_frame_is_named_and_those_before_are_read(tmp_path: Path, film, numbers_in) -> None:
    path = film(tmp_path / "a.mp4", "png", frames=10, pixels="rgb24")
    with av.open(str(path)) as container:
        place = [packet.pos for packet in container.demux(video=0) if packet.size][6]
    content = bytearray(path.read_bytes())
    content[place : place + 40] = bytes(40)
    path.write_bytes(content)
    with open_video(path) as opened:
        assert numbers_in(opened.read(0, 6)) == [0, 1, 2, 3, 4, 5]
        with pytest.raises(DataError, match=r"a\.mp4 is damaged: frame 6 of 10 cannot be decoded, 0 to 5 can; copy it"):
            opened.read(4, 4)
        assert numbers_in(opened.read(7, 3)) == [7, 8, 9]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("ending", "codec"), [("mp4", "libx264"), ("webm", "libvpx"), ("avi", "mpeg4"), ("gif", "")])
def test_no_damage_is_worse_than_a_named_file(
    tmp_path: Path, film, numbered, ending: str, codec: str, seed: int
) -> None:
    path = tmp_path / f"a.{ending}"
    if codec:
        film(path, codec, frames=12, options={"g": "5"})
    else:
        from wganx_video.video.writing import write_video

        write_video(path, torch.stack([torch.from_numpy(numbered(n)).permute(2, 0, 1) for n in range(12)]))
    rng, content = np.random.default_rng(seed), bytearray(path.read_bytes())
    for place in rng.integers(len(content), size=30):
        content[place] = rng.integers(256)
    path.write_bytes(content)
    told = str(path)
    try:
        with open_video(path) as opened:
            assert opened.read(0, 100).shape[0] == opened.header.frames
    except DataError as error:
        told = str(error)
    assert str(path) in told


def test_sound_alone_is_no_film(tmp_path: Path) -> None:
    for ending, codec in (("m4a", "aac"), ("ogg", "libopus"), ("webm", "libopus")):
        with av.open(str(tmp_path / f"a.{ending}"), "w", format="mp4" if ending == "m4a" else None) as container:
            stream = container.add_stream(codec, rate=48_000, layout="mono")
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 48_000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        with pytest.raises(
            DataError, match=f"a.{ending} is no readable film: it holds sound and no film; leave it out"
        ):
            open_video(tmp_path / f"a.{ending}")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "it is empty; copy it again"),
        (b"<!DOCTYPE html><html>", "it holds a web page; download it again"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it holds a pointer of Git LFS; run: git lfs pull"),
        (b"#EXTM3U\n#EXTINF:10,\na.ts\n", "it holds a play list"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "it holds sound and no film"),
        (b"ID3\x03", "it holds sound and no film"),
        (b"\xff\xd8\xff\xe0", "a film of pictures is a folder of them"),
        (bytes(2000), "it begins with zeros"),
        (b"words and more words", "it holds no kind of film that is known here; convert it to mp4 or webm"),
        (b"ffconcat version 1.0\nfile /etc/hosts\n", "it holds no kind of film"),
    ],
)
def test_what_is_no_film_says_what_it_is(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.mp4 is no readable film: .*" + told):
        open_video(tmp_path / "a.mp4")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.mp4 cannot be read: No such file"):
        open_video(tmp_path / "nowhere.mp4")


def test_a_container_without_a_frame_is_refused(mp4: Path, tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        container.add_stream("libx264", rate=25)
        container.start_encoding()
    with pytest.raises(DataError, match="it ends before its first frame; copy it again"):
        open_video(tmp_path / "a.mkv")


def test_without_pyav_the_command_is_told(mp4: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=r'a\.mp4 is read and written by PyAV: pip install "wganx\[video\]"'):
        open_video(io.BytesIO(mp4.read_bytes()), "a.mp4")


def test_closing_lets_go_of_the_file(mp4: Path) -> None:
    file = mp4.open("rb")
    film = open_video(file, "a.mp4")
    film.read(0, 2)
    film.close()
    film.close()
    assert file.closed
    file = io.BytesIO(b"words")
    with pytest.raises(DataError):
        open_video(file, "a")
    assert file.closed


def test_times_are_exact_and_take_slices() -> None:
    times = Times(np.array([0, 1001, 2002]), Fraction(1, 30000))
    assert times[1] == Fraction(1001, 30000)
    assert times[1:] == [Fraction(1001, 30000), Fraction(2002, 30000)]
    assert len(times) == 3
    assert times.rate() == Fraction(30000, 1001)
    assert Times.steady(1, Fraction(25)).rate() is None
    assert Times.steady(1, Fraction(25)).rate(Fraction(24)) == 24
    with pytest.raises(IndexError):
        times[3]

"""The frame that was asked for, whatever is between the file and it: frame numbers are burnt into the pixels."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from wganx_video.video import index as indexing
from wganx_video.video.reading import open_video

av = pytest.importorskip("av", reason="needs the extra video")

FRAMES = 40
KINDS = {
    "b-frames.mp4": ("libx264", {"bf": "3", "g": "12"}, "yuv420p"),
    "open-gop.mp4": ("libx264", {"bf": "3", "g": "12", "x264-params": "open-gop=1:scenecut=0"}, "yuv420p"),
    "one-key.mov": ("libx264", {"bf": "2", "g": "999"}, "yuv420p"),
    "intra-refresh.mkv": ("libx264", {"bf": "0", "g": "12", "x264-params": "intra-refresh=1"}, "yuv420p"),
    "h264.mkv": ("libx264", {"bf": "3", "g": "12"}, "yuv420p"),
    "hevc.mp4": ("libx265", {"g": "12", "x265-params": "log-level=none:open-gop=1"}, "yuv420p"),
    "vp8.webm": ("libvpx", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "10", "b": "200k"}, "yuv420p"),
    "vp9.webm": ("libvpx-vp9", {"g": "12", "auto-alt-ref": "1", "lag-in-frames": "12", "cpu-used": "8"}, "yuv420p"),
    "av1.mkv": ("libsvtav1", {"g": "12", "preset": "12"}, "yuv420p"),
    "mpeg4.avi": ("mpeg4", {"bf": "2", "g": "12"}, "yuv420p"),
    "mjpeg.avi": ("mjpeg", {}, "yuvj420p"),
    "mpeg2.mpg": ("mpeg2video", {"bf": "2", "g": "12"}, "yuv420p"),
    "h264.ts": ("libx264", {"bf": "3", "g": "12"}, "yuv420p"),
    "flash.flv": ("libx264", {"bf": "3", "g": "12"}, "yuv420p"),
    "windows.wmv": ("wmv2", {"g": "12"}, "yuv420p"),
    "raw.y4m": ("wrapped_avframe", {}, "yuv420p"),
}  # fmt: skip


@pytest.fixture(scope="module", params=KINDS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, film: Callable[..., Path]) -> Path:
    codec, options, pixels = KINDS[request.param]
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    target = tmp_path_factory.mktemp("films") / request.param
    made = film(target, codec, frames=FRAMES, options=options, pixels=pixels)
    if hasattr(os, "sched_setscheduler"):  # SVT-AV1 gives root's thread that opens it the highest priority, for good
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return made


def test_every_frame_is_the_one_that_was_asked_for(path: Path, numbers_in) -> None:
    with open_video(path) as film:
        assert film.header.frames == len(film.times) == FRAMES
        assert numbers_in(film.read(0, 1000)) == list(range(FRAMES))
        rng = random.Random(0)
        for _ in range(25):
            start, count, step = rng.randrange(FRAMES), rng.randrange(1, 6), rng.choice((1, 1, 2, 7))
            assert numbers_in(film.read(start, count, step)) == list(range(start, FRAMES, step))[:count]


def test_times_are_those_of_the_rate(path: Path) -> None:
    with open_video(path) as film:
        assert film.header.rate == 25
        steps = [float(after - before) for before, after in zip(film.times[:], film.times[1:])]
        assert max(abs(step - 0.04) for step in steps) < 0.0015


def cut(source: Path, target: Path, first: int, *, shift: int = 0) -> Path:
    """A stream copy from packet `first` on."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as piece:
        stream = whole.streams.video[0]
        copy = piece.add_stream_from_template(stream)
        for number, packet in enumerate(whole.demux(stream)):
            if packet.size and number >= first:
                packet.stream = copy
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                piece.mux(packet)
    return target


@pytest.fixture(scope="module")
def open_gop(tmp_path_factory: pytest.TempPathFactory, film: Callable[..., Path]) -> Path:
    codec, options, pixels = KINDS["open-gop.mp4"]
    return film(tmp_path_factory.mktemp("films") / "open.mp4", codec, frames=FRAMES, options=options, pixels=pixels)


def second_key(path: Path) -> tuple[int, int]:
    """Number and time of the second key packet."""
    with av.open(str(path)) as container:
        keys = [(number, packet.pts) for number, packet in enumerate(container.demux(video=0)) if packet.is_keyframe]
    return keys[1]


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("early", [0, 4])
def test_a_stream_copy_begins_with_what_can_be_decoded(
    open_gop: Path, tmp_path: Path, numbers_in, ending: str, early: int
) -> None:
    key, _ = second_key(open_gop)
    with open_video(cut(open_gop, tmp_path / f"cut.{ending}", key - early)) as film:
        shown = numbers_in(film.read(0, 1000))
        assert shown == list(range(shown[0], FRAMES)), "whatever was cut off, the rest follows without a gap"
        assert film.header.frames == len(shown)
        with open_video(open_gop) as whole:
            decodable = whole._film.index.shown_K[1]
        assert shown[0] == decodable
        for start in (0, 5, 1, len(shown) - 1):
            assert numbers_in(film.read(start, 2)) == shown[start : start + 2]


def test_what_lies_before_zero_is_left_out_by_the_edit_list(open_gop: Path, tmp_path: Path, numbers_in) -> None:
    key, time = second_key(open_gop)
    with open_video(cut(open_gop, tmp_path / "cut.mp4", key, shift=-time - 1024)) as film:
        shown = numbers_in(film.read(0, 1000))
        assert film.times[0] == 0
        assert shown == list(range(shown[0], FRAMES))
        with open_video(open_gop) as whole:
            assert shown[0] == whole._film.index.shown_K[1] + 2, "two frames of 512 ticks lie before zero"
        assert numbers_in(film.read(3, 2)) == shown[3:5]


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_times_that_vary_are_kept(tmp_path: Path, film, numbers_in, ending: str) -> None:
    rng = random.Random(1)
    times = [0]
    for _ in range(19):
        times.append(times[-1] + rng.choice((20, 33, 34, 100, 250)))
    path = film(tmp_path / f"a.{ending}", frames=20, times=times, options={"bf": "2", "g": "6"})
    with open_video(path) as opened:
        assert [round(1000 * time) for time in opened.times] == times
        assert opened.times.vary(opened.header.rate)
        assert numbers_in(opened.read(7, 5)) == [7, 8, 9, 10, 11]
        assert float(opened.header.rate) == pytest.approx(19 / (times[-1] / 1000), rel=1e-3)


def test_hidden_pictures_are_no_frames() -> None:
    class Packet(bytes):
        size = 10

    assert indexing._is_hidden(Packet(b"\x00" + bytes(9)), "vp8")
    assert not indexing._is_hidden(Packet(b"\x10" + bytes(9)), "vp8")
    assert indexing._is_hidden(Packet(b"\x84" + bytes(9)), "vp9"), "profile 0, no existing one, no key, not shown"
    assert not indexing._is_hidden(Packet(b"\x86" + bytes(9)), "vp9")
    assert not indexing._is_hidden(Packet(b"\x88" + bytes(9)), "vp9"), "an existing one is shown"
    assert not indexing._is_hidden(Packet(b"\x84" + bytes(8) + b"\xc0"), "vp9"), "the last of a superframe is shown"
    assert not indexing._is_hidden(Packet(b"\x84" + bytes(9)), "h264")


def test_reading_on_decodes_no_frame_twice(open_gop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_video(open_gop) as film:
        film.read(0, 4)
        decode, fed = film._decoder.decode, []
        monkeypatch.setattr(
            film._decoder, "decode", lambda packet, number: fed.append(number) or decode(packet, number)
        )
        for start in range(2, FRAMES, 2):
            film.read(start, 4)  # windows that overlap by half
        assert len(fed) == len(set(fed))


def test_several_threads_read_one_film(open_gop: Path, numbers_in) -> None:
    with open_video(open_gop) as film, ThreadPoolExecutor(4) as pool:
        starts = [random.Random(seed).randrange(FRAMES - 3) for seed in range(40)]
        for start, read in zip(starts, pool.map(lambda start: film.read(start, 3), starts)):
            assert numbers_in(read) == [start, start + 1, start + 2]


def test_a_file_that_is_known_is_not_gone_through_again(open_gop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_video(open_gop).close()
    monkeypatch.setattr("wganx_video.video.pyav.build_index", lambda *_: pytest.fail("gone through again"))
    with open_video(open_gop) as film:
        assert film.read(30, 2).shape == (2, 3, 48, 64)


def test_a_place_that_is_none_is_refused(open_gop: Path) -> None:
    with open_video(open_gop) as film:
        assert film.read(FRAMES, 3).shape == (0, 3, 48, 64)
        for wrong in ((-1, 2, 1), (0, -1, 1), (0, 2, 0)):
            with pytest.raises(ValueError, match="frames from 0 on, in steps of at least 1"):
                film.read(*wrong)

"""Films from file to file: the same frames, times, sound and colours, or those that are expected, in bounded memory."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from wganx_video.video.reading import open_video
from wganx_video.video.streams import VideoSink, VideoSource
from wganx_video.video.writing import COMMENTS

from wganx import DataError, SampleFormat, UsageError

av = pytest.importorskip("av", reason="needs the extra video")

FRAMES = 30


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, film: Callable[..., Path]) -> Path:
    """A film with sound."""
    path = tmp_path_factory.mktemp("films") / "heard.mp4"
    return film(path, frames=FRAMES, sound="aac", options={"bf": "2", "g": "12"}, colour=(1, 1, 1, 1))


def copied(source: Path, target: Path, piece: int = 7, change: Callable[[Tensor], Tensor] = lambda film: film) -> Path:
    with closing(VideoSource(source)) as stream:
        sink = VideoSink(target, stream)
        for start in range(0, stream.length, piece):
            sink.write(change(stream.read(start, piece)))
        sink.close()
    return target


def sound_packets(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(round(float(packet.pts * packet.time_base), 4), bytes(packet)) for packet in packets]


def test_a_source_says_what_it_holds(heard: Path) -> None:
    source = VideoSource(heard)
    assert source.format.axes == ("frame", "channel", "height", "width")
    assert source.format.shape == (None, 3, 48, 64)
    assert source.format.value_range == (0.0, 255.0)
    assert (source.format.rate_hz, source.length) == (25.0, FRAMES)
    assert source.read(28, 5).shape == (2, 3, 48, 64)
    source.close()


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm", "avi", "gif", "webp", "png", "npy", ""])
def test_a_copy_shows_the_same_frames_at_the_same_times(
    heard: Path, tmp_path: Path, numbers_in, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    copy = copied(heard, tmp_path / (f"copy.{ending}" if ending else "copy"))
    with open_video(copy) as opened, open_video(heard) as source:
        assert opened.header.frames == FRAMES
        assert (opened.header.height, opened.header.width) == (48, 64)
        assert numbers_in(opened.read(0, 100)) == list(range(FRAMES))
        # Matroska has no times before 0, so that all is later by what the encoder of the sound put before its begin.
        shown, wanted = ([float(time - film.times[0]) for time in film.times] for film in (opened, source))
        assert shown == pytest.approx(wanted, abs=1.5e-3)
        lost = (opened.read(0, 100).float() - source.read(0, 100).float()).abs().mean()
        assert lost < (0.01 if ending in ("png", "npy", "") else 2)
    holds_sound = ending in ("mp4", "mov", "mkv", "webm", "avi")
    assert ("has no room for it" in caplog.text) == (not holds_sound)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_sound_is_copied_packet_by_packet(heard: Path, tmp_path: Path, ending: str) -> None:
    packets, source = sound_packets(copied(heard, tmp_path / f"copy.{ending}")), sound_packets(heard)
    assert [content for _, content in packets] == [content for _, content in source]
    with open_video(heard) as before, open_video(tmp_path / f"copy.{ending}") as after:
        offset = float(after.times[0] - before.times[0])
    assert [time - offset for time, _ in packets] == pytest.approx([time for time, _ in source], abs=2e-3)


def test_sound_that_a_container_lacks_is_encoded_anew(
    heard: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = copied(heard, tmp_path / "copy.webm")
    assert "webm holds no aac, so the sound of" in caplog.text
    with av.open(str(copy)) as container:
        track = container.streams.audio[0]
        assert track.codec_context.name in ("opus", "libopus")
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    assert samples.shape[1] / 48_000 == pytest.approx(FRAMES / 25, abs=0.05)
    assert np.abs(samples).max() > 0.2, "it is the tone, and no silence"


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm", "mov"])
@pytest.mark.parametrize("colour", [(1, 1, 1, 1), (2, 1, 1, 1), (1, 6, 6, 6), (1, 9, 16, 9), (1, 2, 2, 1)])
def test_the_description_of_colours_is_kept_and_true(
    tmp_path: Path, film, ending: str, colour: tuple[int, ...]
) -> None:
    path = film(tmp_path / "a.mkv", frames=4, pixels="yuv444p", colour=colour)
    with open_video(path) as source, open_video(copied(path, tmp_path / f"b.{ending}")) as copy:
        assert copy.header.colour == source.header.colour
        both = zip(copy.read(0, 4).float().mean((0, 2, 3)), source.read(0, 4).float().mean((0, 2, 3)))
        assert all(abs(after - before) < 2 for after, before in both)


def test_a_copy_says_that_its_frames_are_synthetic(heard: Path, tmp_path: Path) -> None:
    from PIL import Image

    comment = COMMENTS["synthetic"]
    for ending in ("mp4", "mkv", "webm", "mov"):
        with av.open(str(copied(heard, tmp_path / f"a.{ending}"))) as container:
            assert comment in {value for key, value in container.metadata.items() if key.lower() == "comment"}
    with Image.open(copied(heard, tmp_path / "a.gif")) as picture:
        assert picture.info["comment"] == comment.encode()
    with Image.open(copied(heard, tmp_path / "a.webp")) as picture:
        assert picture.getexif()[0x010E] == comment
    with Image.open(copied(heard, tmp_path / "a.png")) as picture:
        assert picture.text["Comment"] == comment
    with Image.open(copied(heard, tmp_path / "a") / "000001.png") as picture:
        assert picture.text["Comment"] == comment


@pytest.mark.parametrize("ending", ["mp4", "webm", "mkv", "mov", "gif", "avi"])
@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64)])
def test_odd_sizes_stay_as_they_are(
    tmp_path: Path, film, numbers_in, ending: str, size: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    path = film(tmp_path / "a.webm", "libvpx-vp9", frames=4, size=size)
    with open_video(copied(path, tmp_path / f"b.{ending}")) as copy:
        assert (copy.header.height, copy.header.width) == size
        assert numbers_in(copy.read(0, 9)) == [0, 1, 2, 3]
    assert ("is odd, and kept by colours in full resolution" in caplog.text) == (ending in ("mp4", "mkv", "mov"))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_times_that_vary_are_kept(tmp_path: Path, film, ending: str) -> None:
    rng = random.Random(2)
    times = [80]
    for _ in range(11):
        times.append(times[-1] + rng.choice((20, 33, 100, 250)))
    path = film(tmp_path / "a.mkv", frames=12, times=times)
    with open_video(copied(path, tmp_path / f"b.{ending}")) as copy:
        assert [round(1000 * time) for time in copy.times] == times


def expecting(source: Path, target: Path, count: int, *, rate: float | None = None, times: float = 1) -> list[Fraction]:
    """When the frames of a film are shown that has another rate, or so many times that of its source."""
    stream = VideoSource(source)
    sink = VideoSink(target, stream)
    sink.expect(replace(stream.format, rate_hz=rate or times * stream.format.rate_hz))
    for number in range(count):
        sink.write(stream.read(min(number, stream.length - 1), 1))
    sink.close()
    stream.close()
    with open_video(target) as film:
        assert film.header.frames == count
        return list(film.times)


def test_of_another_rate_the_frames_lie_between_those_of_the_source(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mkv", frames=4, times=[0, 40, 140, 180])
    found = expecting(path, tmp_path / "b.mp4", 8, times=2)
    assert [round(1000 * time) for time in found] == [0, 20, 40, 90, 140, 160, 180, 200]


@pytest.mark.parametrize(("rate", "count"), [(60.0, 24), (50.0, 20), (12.5, 5), (59.94005994, 24)])
def test_another_rate_is_that_rate_exactly(tmp_path: Path, film, rate: float, count: int) -> None:
    path = film(tmp_path / "a.mp4", frames=10, rate=Fraction(25))
    found = expecting(path, tmp_path / "b.mp4", count, rate=rate)
    assert [float(time) for time in found] == pytest.approx([number / rate for number in range(count)], abs=1e-5)


def test_sixty_a_second_of_what_cameras_call_24_stays_beside_its_sound(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mp4", frames=48, rate=Fraction(24000, 1001), sound="aac")
    found = expecting(path, tmp_path / "b.mp4", round(48 * 60 * 1001 / 24000), rate=60.0)
    assert float(found[-1]) == pytest.approx((len(found) - 1) / 60, abs=2e-5)
    sound, source = sound_packets(tmp_path / "b.mp4"), sound_packets(path)
    assert [time for time, _ in sound] == pytest.approx([time for time, _ in source], abs=2e-4)


def test_memory_does_not_grow_with_the_length(tmp_path: Path, film) -> None:
    short, long = (film(tmp_path / f"{frames}.mp4", frames=frames, sound="aac") for frames in (50, 500))
    peaks = []
    for path in (short, short, long):
        tracemalloc.start()
        copied(path, tmp_path / "copy.mp4")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 500_000


def test_larger_frames_are_expected_or_refused(heard: Path, tmp_path: Path) -> None:
    stream = VideoSource(heard)
    sink = VideoSink(tmp_path / "a.mp4", stream)
    with pytest.raises(ValueError, match=r"frames \(2, 3, 96, 128\) came where frame any x .* was expected; say so by"):
        sink.write(torch.zeros(2, 3, 96, 128))
    sink.expect(replace(stream.format, shape=(None, 3, 96, 128)))
    sink.write(torch.full((2, 3, 96, 128), 100.4))
    with pytest.raises(ValueError, match="before the first frame is written"):
        sink.expect(stream.format)
    sink.close()
    stream.close()
    with open_video(tmp_path / "a.mp4") as film:
        assert film.read(0, 9).shape == (2, 3, 96, 128)
        assert (film.read(0, 1).float() - 100).abs().max() <= 2


def test_floating_point_is_rounded_and_kept_within_bounds(heard: Path, tmp_path: Path) -> None:
    stream = VideoSource(heard)
    sink = VideoSink(tmp_path / "a.npy", stream)
    sink.expect(replace(stream.format, shape=(None, 3, 1, 5)))
    sink.write(torch.tensor([-3.0, 0.4, 0.6, 300.0, float("nan")]).expand(1, 3, 1, 5))
    sink.close()
    stream.close()
    assert np.load(tmp_path / "a.npy")[0, 0, 0].tolist() == [0, 0, 1, 255, 0]


def test_frames_beyond_the_end_go_on_as_the_film_does(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mp4", frames=5, times=[0, 40, 80, 120, 3120])
    found = expecting(path, tmp_path / "b.mp4", 7)
    assert [round(1000 * time) for time in found] == [0, 40, 80, 120, 3120, 3160, 3200], "and not three seconds each"


def test_a_turned_film_is_written_upright(tmp_path: Path, film) -> None:
    path = film(tmp_path / "a.mp4", frames=3, rotation=-90)
    with open_video(copied(path, tmp_path / "b.mp4")) as copy, open_video(path) as source:
        assert copy.header.rotation == 0
        assert source.header.rotation == 90
        assert copy.read(0, 3).shape == source.read(0, 3).shape == (3, 3, 64, 48)
        assert (copy.read(0, 3).float() - source.read(0, 3).float()).abs().mean() < 3


@pytest.mark.parametrize("ending", ["webm", "mkv", "mov", "gif", "webp", "png", ""])
def test_what_is_see_through_stays_so(tmp_path: Path, ending: str) -> None:
    films = torch.full((3, 16, 16, 4), 200, dtype=torch.uint8)
    films[:, :8, :, 3], films[:, 8:, :, 3] = 0, 255
    films[1, :, :, 0], films[2, :, :, 1] = 10, 30
    np.save(tmp_path / "a.npy", films.numpy())
    with open_video(copied(tmp_path / "a.npy", tmp_path / (f"b.{ending}" if ending else "b"))) as copy:
        read = copy.read(0, 3).float()
        assert read.shape == (3, 4, 16, 16)
        assert (read[:, 3] - films[..., 3].float()).abs().max() < 4
        assert (read[:, :3, 10:] - films.permute(0, 3, 1, 2)[:, :3, 10:].float()).abs().mean() < 6


def test_what_a_container_cannot_hold_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    np.save(tmp_path / "rgba.npy", np.zeros((2, 16, 16, 4), np.uint8))
    copied(tmp_path / "rgba.npy", tmp_path / "a.mp4")
    assert ".mp4 cannot hold what is transparent, so it becomes opaque; .webm, .mov and .mkv can" in caplog.text
    np.save(tmp_path / "many.npy", np.zeros((2, 7, 16, 16), np.uint8))
    with pytest.raises(UsageError, match=r"\.mp4 holds no 7 channels; end the name in \.npy"):
        copied(tmp_path / "many.npy", tmp_path / "b.mp4")
    with open_video(copied(tmp_path / "many.npy", tmp_path / "b.npy")) as copy:
        assert copy.header.channels == 7


def test_grey_becomes_three_channels_in_containers_and_stays_grey_elsewhere(tmp_path: Path) -> None:
    grey_THW = np.random.default_rng(0).integers(0, 255, (3, 16, 16)).astype(np.uint8)
    np.save(tmp_path / "a.npy", grey_THW)
    for ending, channels in (("mp4", 3), ("gif", 1), ("png", 1), ("npy", 1), ("", 1)):
        with open_video(copied(tmp_path / "a.npy", tmp_path / (f"b.{ending}" if ending else "b"))) as copy:
            assert copy.header.channels == channels
            if channels == 1:
                assert torch.equal(copy.read(0, 3)[:, 0], torch.from_numpy(grey_THW))


def test_an_ending_that_cannot_be_written_is_refused_before_anything_is_made(heard: Path, tmp_path: Path) -> None:
    stream = VideoSource(heard)
    with pytest.raises(
        UsageError, match=r"\.xyz is no kind of film that can be written; end .* in one of \.apng, \.avi"
    ):
        VideoSink(tmp_path / "a.xyz", stream)
    empty = VideoSink(tmp_path / "a.mp4", stream)
    with pytest.raises(DataError, match=r"a\.mp4: no frame was written"):
        empty.close()
    stream.close()
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(heard: Path, tmp_path: Path) -> None:
    stream = VideoSource(heard)
    for name in ("a.mp4", "a.gif", "a.webp", "a.npy"):
        with pytest.raises(DataError, match=rf"nowhere/{name} cannot be written: [Nn]o such file"):
            VideoSink(tmp_path / "nowhere" / name, stream).write(stream.read(0, 1))
    stream.close()


def test_a_source_of_another_kind_gives_rate_and_size(tmp_path: Path) -> None:
    class Plain:
        format = SampleFormat(
            axes=("frame", "channel", "height", "width"),
            shape=(None, 3, 16, 16),
            value_range=(0.0, 255.0),
            rate_hz=10.0,
        )
        length = 2

        def read(self, start: int, count: int) -> Tensor:
            raise NotImplementedError

        def close(self) -> None:
            pass

    sink = VideoSink(tmp_path / "a.mp4", Plain())
    sink.write(torch.zeros(4, 3, 16, 16, dtype=torch.uint8))
    sink.close()
    sink.close()
    with open_video(tmp_path / "a.mp4") as film:
        assert (film.header.frames, film.header.rate) == (4, 10)


def test_the_shape_of_a_pixel_is_kept(tmp_path: Path, film, heard: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(16, 11)
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with open_video(copied(tmp_path / "a.mkv", tmp_path / "b.mp4")) as copy:
        assert copy.header.pixel_aspect == Fraction(16, 11)


@pytest.mark.parametrize(
    ("ending", "codec", "crf", "found"),
    [
        ("mp4", "h265", 40, "hevc"), ("mp4", "vp9", 50, "vp9"), ("mkv", "ffv1", None, "ffv1"),
        ("mov", "h264", 0, "h264"), ("mp4", None, 45, "h264"), ("webm", None, 60, "vp9"),
    ],
)  # fmt: skip
def test_codec_and_quality_are_chosen(
    heard: Path, tmp_path: Path, numbers_in, ending: str, codec: str | None, crf: int | None, found: str
) -> None:
    lost = {}
    with closing(VideoSource(heard)) as stream:
        for name, chosen in (("usual", None), ("chosen", crf)):
            sink = VideoSink(tmp_path / f"{name}.{ending}", stream)
            sink.encode(codec, chosen)
            sink.write(stream.read(0, FRAMES))
            sink.close()
            with open_video(tmp_path / f"{name}.{ending}") as copy:
                assert (copy.header.codec, copy.header.frames) == (found, FRAMES)
                assert numbers_in(copy.read(0, FRAMES)) == list(range(FRAMES))
                lost[name] = (copy.read(0, FRAMES).float() - stream.read(0, FRAMES).float()).abs().mean()
    if crf is not None:
        assert (lost["chosen"] > 1.5 * lost["usual"]) == (crf > 0), "the larger, the more is lost"
    if found == "hevc":
        with av.open(str(tmp_path / "chosen.mp4")) as container:
            assert container.streams.video[0].codec_context.codec_tag == "hvc1"


@pytest.mark.parametrize(
    ("name", "codec", "crf", "message"),
    [
        (
            "a.webm",
            "h264",
            None,
            r"\.webm has vp9, not h264; leave codec out, or end the name in \.m4v, \.mkv, \.mov, ",
        ),
        ("a.avi", "h265", None, r"\.avi has one of its own, not h265"),
        ("a.gif", None, 20, r"the quality of \.gif is fixed, so crf has no meaning there; leave it out"),
        ("a", None, 20, "the quality of a folder of frames is fixed"),
        ("a.mkv", "ffv1", 20, "ffv1 loses nothing, so crf has no meaning there"),
        ("a.mp4", None, 60, "crf goes from 0 to 51 in h264, and 60 is beyond"),
    ],
)
def test_a_codec_or_quality_that_a_kind_lacks_is_refused_at_once(
    heard: Path, tmp_path: Path, name: str, codec: str | None, crf: int | None, message: str
) -> None:
    with closing(VideoSource(heard)) as stream, pytest.raises(UsageError, match=message):
        VideoSink(tmp_path / name, stream).encode(codec, crf)
    assert not list(tmp_path.iterdir())


def test_a_quality_of_what_is_transparent_is_refused_where_it_is_kept_without_loss(tmp_path: Path) -> None:
    np.save(tmp_path / "rgba.npy", np.zeros((2, 16, 16, 4), np.uint8))
    with closing(VideoSource(tmp_path / "rgba.npy")) as stream:
        for ending, kept in (("mkv", "ffv1"), ("mov", "ProRes")):
            sink = VideoSink(tmp_path / f"a.{ending}", stream)
            sink.encode(None, 30)
            with pytest.raises(
                UsageError, match=rf"what is transparent is kept by {kept} in \.{ending}, whose quality"
            ):
                sink.write(stream.read(0, 1))
        opaque = VideoSink(tmp_path / "b.mkv", stream)
        opaque.encode("h264", 30)
        opaque.write(stream.read(0, 2))
        opaque.close()
    with open_video(tmp_path / "b.mkv") as copy:
        assert copy.header.channels == 3

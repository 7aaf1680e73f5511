"""What lies beside the pictures of a film goes along with them, or is said to be left out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wganx_video.video.streams import VideoSink, VideoSource

av = pytest.importorskip("av", reason="needs the extra video")

SUBTITLES = "1\n00:00:00,100 --> 00:00:00,300\nHello\n\n2\n00:00:00,400 --> 00:00:00,700\nGood bye\n"
CHAPTERS = [
    {"id": 1, "start": 0, "end": 400, "time_base": Fraction(1, 1000), "metadata": {"title": "One"}},
    {"id": 2, "start": 400, "end": 800, "time_base": Fraction(1, 1000), "metadata": {"title": "Two"}},
]


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory, numbered: Callable[[int], Any]) -> Path:
    """A Matroska film of two languages with subtitles, chapters, a font, and a title."""
    folder = tmp_path_factory.mktemp("rich")
    (folder / "a.srt").write_text(SUBTITLES)
    with av.open(str(folder / "rich.mkv"), "w") as container, av.open(str(folder / "a.srt")) as texts:
        container.metadata.update({"title": "A day out", "artist": "Ada", "comment": "by the sea"})
        film = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        tracks = []
        for language, title in (("eng", "As spoken"), ("jpn", "Dubbed")):
            track = container.add_stream("aac", rate=48_000, layout="mono")
            track.metadata.update({"language": language, "title": title})
            tracks.append(track)
        shown = container.add_stream_from_template(texts.streams[0])
        shown.metadata["language"] = "fra"
        container.add_attachment("font.ttf", "font/ttf", b"glyphs")
        container.set_chapters(CHAPTERS)
        container.start_encoding()
        for packet in texts.demux():
            if packet.size:
                packet.stream = shown
                container.mux(packet)
        for pitch, track in enumerate(tracks, 1):
            for start in range(0, 38_400, 1024):
                wave = (np.sin(np.arange(start, start + 1024) * 0.05 * pitch) * 0.3).astype(np.float32)[None]
                samples = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
                samples.sample_rate, samples.pts, samples.time_base = 48_000, start, Fraction(1, 48_000)
                container.mux(track.encode(samples))
            container.mux(track.encode(None))
        for number in range(20):
            container.mux(film.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(film.encode(None))
    return folder / "rich.mkv"


def copied(source: Path, target: Path) -> Path:
    with closing(VideoSource(source)) as stream:
        sink = VideoSink(target, stream)
        sink.write(stream.read(0, stream.length))
        sink.close()
    return target


def packets(path: Path, kind: str) -> list[tuple[int, float, bytes]]:
    """Track, time and content of every packet."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        found = [packet for packet in container.demux(streams) if packet.size]
        return sorted(
            (streams.index(each.stream), round(float(each.pts * each.time_base), 2), bytes(each)) for each in found
        )


def told(path: Path) -> list[tuple[str, str | None, str | None]]:
    """Kind, language and title of every track but the pictures."""
    with av.open(str(path)) as container:
        return [
            (each.type, each.metadata.get("language"), each.metadata.get("title", each.metadata.get("name")))
            for each in container.streams
            if each.type in ("audio", "subtitle")
        ]


def test_matroska_keeps_all_of_it(rich: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    copy = copied(rich, tmp_path / "copy.mkv")
    assert told(copy) == [("audio", "eng", "As spoken"), ("audio", "jpn", "Dubbed"), ("subtitle", "fra", None)]
    assert packets(copy, "audio") == packets(rich, "audio")
    assert [text for *_, text in packets(copy, "subtitle")] == [b"Hello", b"Good bye"]
    with av.open(str(copy)) as container:
        assert [each["metadata"]["title"] for each in container.chapters()] == ["One", "Two"]
        (font,) = [each for each in container.streams if each.type == "attachment"]
        assert (font.name, font.mimetype, font.data) == ("font.ttf", "font/ttf", b"glyphs")
        named = {name.lower(): value for name, value in container.metadata.items()}
        assert (named["title"], named["artist"]) == ("A day out", "Ada")
        assert "No camera saw this" in named["comment"], "what it says of itself is no longer true of the frames"
    assert not caplog.text


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_mp4_keeps_languages_titles_and_chapters_and_says_what_is_left_out(
    rich: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    copy = copied(rich, tmp_path / f"copy.{ending}")
    assert told(copy)[:2] == [("audio", "eng", "As spoken"), ("audio", "jpn", "Dubbed")]
    assert [content for *_, content in packets(copy, "audio")] == [content for *_, content in packets(rich, "audio")]
    assert f"has no room for the subtitles and attachments of {rich}, which are left out; .mkv" in caplog.text
    caplog.clear()
    again = copied(copy, tmp_path / "again.mkv")
    assert told(again) == told(copy)[:2]
    with av.open(str(again)) as container:
        assert [each["metadata"]["title"] for each in container.chapters()] == ["One", "Two"]
        assert container.metadata["title"] == "A day out"
    assert not caplog.text, "the names of chapters are no other track"


def test_webm_encodes_each_track_anew(rich: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    copy = copied(rich, tmp_path / "copy.webm")
    assert told(copy) == [("audio", "eng", "As spoken"), ("audio", "jpn", "Dubbed")]
    assert caplog.text.count("is encoded anew, as opus") == 2
    assert "webm has no room for the subtitles" in caplog.text


def test_subtitles_that_cannot_be_copied_do_not_end_the_film(
    rich: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wganx_video.video import tracks

    class Target:
        def __init__(self, container: Any) -> None:
            self._container = container

        def mux(self, packet: Any) -> None:
            if getattr(packet, "stream", None) is not None and packet.stream.type == "subtitle":
                raise av.InvalidDataError(22, "Invalid argument")
            self._container.mux(packet)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._container, name)

    begin = tracks.OtherTracks.__init__
    monkeypatch.setattr(
        tracks.OtherTracks, "__init__", lambda self, source, target, film: begin(self, source, Target(target), film)
    )
    copy = copied(rich, tmp_path / "copy.mkv")
    assert len(packets(copy, "audio")) == len(packets(rich, "audio"))
    assert packets(copy, "subtitle") == []
    assert caplog.text.count("cannot be copied, and end: invalid argument") == 1


@pytest.mark.parametrize(
    ("ending", "decoder", "held"),
    [("mkv", "dca", True), ("mkv", "pgssub", True), ("mkv", "dvdsub", True), ("webm", "dca", False)],
)
def test_a_codec_is_known_by_either_of_its_names(tmp_path: Path, ending: str, decoder: str, held: bool) -> None:
    """FFmpeg's decoders of DTS and of the subtitles of discs have other names than the codecs."""
    from wganx_video.video.tracks import holds

    with av.open(str(tmp_path / f"a.{ending}"), "w") as container:
        assert holds(container, av.Codec(decoder, "r")) == held
        container.add_stream("libvpx-vp9", rate=25)


def test_what_is_not_like_the_result_is_said(tmp_path: Path, film, caplog: pytest.LogCaptureFixture) -> None:
    fine = film(tmp_path / "fine.mkv", "ffv1", pixels="yuv420p10le", frames=3)
    copied(fine, tmp_path / "a.mp4")
    assert caplog.text.count("fine.mkv has 10 bits a value; what is made of it has 8") == 1
    woven = film(tmp_path / "woven.mp4", frames=3, options={"flags": "+ildct+ilme", "x264-params": "tff=1"})
    copied(woven, tmp_path / "b.mp4")
    assert caplog.text.count("woven.mp4 is interlaced: each frame is two half frames of different times") == 1


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm", "avi"])
@pytest.mark.parametrize("sound", ["aac", "libopus", "flac", "libmp3lame", "pcm_s16le"])
def test_every_sound_goes_into_every_container(tmp_path: Path, film, ending: str, sound: str) -> None:
    source = film(tmp_path / f"in.{'mov' if sound == 'pcm_s16le' else 'mkv'}", frames=5, sound=sound)
    with closing(VideoSource(source)) as opened:
        sink = VideoSink(tmp_path / f"out.{ending}", opened)
        sink.write(opened.read(0, 5))
        sink.close()
    with av.open(str(tmp_path / f"out.{ending}")) as written:
        assert sum(frame.samples for frame in written.decode(audio=0)) > 8000

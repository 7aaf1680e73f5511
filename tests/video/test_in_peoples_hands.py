"""What people reported of tools that predict, interpolate or enlarge films, tried on tiny films through networks.

Each test says what was seen elsewhere: sound that drifts, shapes that are lost, names that are taken for protocols.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wganx
from wganx.runs import Run

av = pytest.importorskip("av", reason="needs the extra video")

SMALL = {
    "train.steps": 1, "train.batch_size": 2, "optimizer.lr": 1e-9, "generator.width": 4, "generator.blocks": 1,
    "critic.width": 4, "preview.every": 1000, "dataset.count": 32,
}  # fmt: skip
NTSC, CINEMA, ODD = Fraction(30000, 1001), Fraction(24000, 1001), Fraction(2985767, 100000)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Run]:
    """Trained by next to nothing: the linear blend, bicubic enlargement, a blank frame."""
    changes: dict[str, dict[str, Any]] = {
        "interpolation": {"task.kept": [0, 2]},
        "super-resolution": {},
        "prediction": {},
    }
    return {
        scenario: wganx.train(
            "video", scenario, overrides={**SMALL, **own}, out=tmp_path_factory.mktemp("runs") / "run", device="cpu",
            progress=False,
        )
        for scenario, own in changes.items()
    }  # fmt: skip


def times(path: Path) -> list[float]:
    with av.open(str(path.absolute())) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def sound(path: Path) -> list[tuple[float, bytes]]:
    with av.open(str(path.absolute())) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(float(packet.pts * packet.time_base), bytes(packet)) for packet in packets]


@pytest.mark.parametrize(
    ("rate", "options", "wanted"),
    [
        (CINEMA, {"fps": 60}, Fraction(60)), (CINEMA, {"factor": 3}, 3 * CINEMA), (NTSC, {"fps": 59.94}, 2 * NTSC),
        (Fraction(24), {"fps": 60}, Fraction(60)), (ODD, {"factor": 2}, 2 * ODD),
    ],
)  # fmt: skip
def test_sound_does_not_drift_at_odd_rates(
    runs, tmp_path, film: Callable[..., Path], rate: Fraction, options: dict[str, float], wanted: Fraction
) -> None:
    """By the end of an episode sound was seconds off at 23.976 frames a second, and 24 to 60 was not possible."""
    source = film(tmp_path / "in.mp4", frames=30, rate=rate, sound="aac")
    runs["interpolation"].apply(source, tmp_path / "out.mp4", **options)
    found = times(tmp_path / "out.mp4")
    assert len(found) == round(30 * wanted / rate)
    assert found == pytest.approx([number / float(wanted) for number in range(len(found))], abs=1e-4)
    before, after = sound(source), sound(tmp_path / "out.mp4")
    assert [content for _, content in after] == [content for _, content in before]
    assert [time for time, _ in after] == pytest.approx([time for time, _ in before], abs=2e-4)


@pytest.mark.parametrize("scenario", ["interpolation", "super-resolution", "prediction"])
@pytest.mark.parametrize("kind", ["one", "two", "silent"])
@pytest.mark.filterwarnings("ignore")
def test_very_short_films_and_those_without_sound(runs, tmp_path, film, scenario: str, kind: str, capsys) -> None:
    """A film of one frame was an index out of range, and one without sound failed at its end."""
    frames = {"one": 1, "two": 2, "silent": 9}[kind]
    runs[scenario].apply(film(tmp_path / "in.mp4", frames=frames), tmp_path / "out.mp4")
    made = {"interpolation": 2 * frames, "super-resolution": frames, "prediction": frames + 5}[scenario]
    assert len(times(tmp_path / "out.mp4")) == made


def test_cuts_and_frames_shown_twice_change_no_length(runs, tmp_path, film, numbered) -> None:
    """Results were slightly shorter than their sources, by a frame at every cut."""

    def draw(number: int):
        return numbered(number // 3) if number % 10 < 5 else np.full((48, 64, 3), 250, np.uint8)

    source = film(tmp_path / "in.mp4", frames=40, draw=draw)
    runs["interpolation"].apply(source, tmp_path / "out.mp4", factor=4)
    found = times(tmp_path / "out.mp4")
    assert len(found) == 160
    assert found == pytest.approx([number / 100 for number in range(160)], abs=1e-4)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "mov", "webm", "avi"])
def test_pixels_that_are_no_squares_stay_so(runs, tmp_path, numbered, ending: str, caplog) -> None:
    """DVDs of 4:3 and 16:9 came out 3:2, without a word."""
    with av.open(str(tmp_path / "in.mkv"), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(32, 27)
        for number in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(stream.encode(None))
    runs["super-resolution"].apply(tmp_path / "in.mkv", tmp_path / f"out.{ending}")
    with av.open(str(tmp_path / f"out.{ending}")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (128, 96)
        assert (stream.sample_aspect_ratio == Fraction(32, 27)) == (ending != "webm")
    assert ("does not keep that pixels are 32/27 times as wide as high" in caplog.text) == (ending == "webm")


@pytest.mark.parametrize("scenario", ["interpolation", "super-resolution"])
def test_a_recording_of_a_screen_keeps_its_varying_times(runs, tmp_path, film, scenario: str) -> None:
    """Sound ran away from pictures that come at varying times."""
    shown = [0, 33, 66, 500, 533, 566, 1600, 1633, 3000]
    source = film(tmp_path / "in.mp4", frames=9, times=shown, sound="aac", rate=30)
    runs[scenario].apply(source, tmp_path / "out.mp4")
    found = times(tmp_path / "out.mp4")
    step = 2 if scenario == "interpolation" else 1
    assert found[::step] == pytest.approx([time / 1000 for time in shown], abs=1e-3)
    assert found[-1] < 3.1, "the last one is not shown as long as the still part before it"
    assert all(later > earlier for earlier, later in pairwise(found))


@pytest.mark.parametrize("late", ["pictures", "sound"])
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_what_begins_later_still_does(runs, tmp_path, numbered, late: str, ending: str) -> None:
    """Pictures were ahead of sound where one of them begins later."""
    path = tmp_path / f"in.{ending}"
    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=25)
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        tone = container.add_stream("aac", rate=48_000, layout="mono")
        for start in range(0, 24_000, 1024):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            samples.sample_rate, samples.time_base = 48_000, Fraction(1, 48_000)
            samples.pts = start + (24_000 if late == "sound" else 0)
            container.mux(tone.encode(samples))
        container.mux(tone.encode(None))
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(numbered(number), format="rgb24")
            frame.pts, frame.time_base = number + (25 if late == "pictures" else 0), Fraction(1, 25)
            container.mux(film.encode(frame))
        container.mux(film.encode(None))
    runs["super-resolution"].apply(path, tmp_path / f"out.{ending}")
    apart = [found[0] - sound(each)[0][0] for each in (path, tmp_path / f"out.{ending}") for found in [times(each)]]
    assert abs(apart[0]) > 0.4
    assert apart[1] == pytest.approx(apart[0], abs=2e-3)


@pytest.mark.parametrize(
    "name", ["über alles - 映画 (1).mp4", "talk: part 1.mp4", "it's 100%06d #2.mp4", "http:x.mp4", "-x.MP4", "a.b.mkv"]
)
def test_names_are_names(runs, tmp_path, film, monkeypatch, name: str) -> None:
    """Names with other letters, quotes, colons and per cent signs were taken for options, protocols and patterns."""
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "base.mp4", frames=3, sound="aac").rename(name)
    out = f"{Path(name).stem} 2{Path(name).suffix}"
    assert runs["super-resolution"].apply(name, out) == [Path(out)]
    assert len(times(Path(out))) == 3
    assert len(sound(Path(out))) > 0


def test_a_file_is_known_by_what_it_holds(runs, tmp_path, film) -> None:
    """Files without an ending, or with a wrong one, were refused."""
    film(tmp_path / "a.mp4", frames=3)
    for name in ("plain", "wrong.avi"):
        shutil.copy(tmp_path / "a.mp4", tmp_path / name)
        runs["super-resolution"].apply(tmp_path / name, tmp_path / f"{name}-out.mp4")
        assert len(times(tmp_path / f"{name}-out.mp4")) == 3


def test_where_nothing_can_be_written_is_said_in_a_line(runs, tmp_path, film) -> None:
    """Hours of work ended in a folder that cannot be written to; and a result replaced its source."""
    source = film(tmp_path / "a.mp4", frames=3)
    before = source.read_bytes()
    run = runs["super-resolution"]
    for out, options, message in (
        (source, {}, "is there already; give another --out"),
        (tmp_path / "x" / ".." / "a.mp4", {"overwrite": True}, "is the source itself; give another --out"),
        (source / "x.mp4", {}, "cannot make the folder .*a.mp4: File exists; give another --out"),
        (source / "y" / "x.mp4", {}, "cannot make the folder .*: Not a directory; give another --out"),
    ):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(wganx.UsageError, match=message):
            run.apply(source, out, **options)
    with pytest.raises(wganx.UsageError, match="cannot make the folder"):
        run.apply(tmp_path, source / "out")
    assert source.read_bytes() == before


def test_of_a_folder_of_everything_the_films_are_done_and_the_rest_is_named(runs, tmp_path, film, capsys) -> None:
    """One stray file ended the whole folder."""
    folder = tmp_path / "in"
    folder.mkdir()
    film(folder / "b.mp4", frames=3)
    (folder / "Thumbs.db").write_bytes(bytes(99))
    (folder / "notes.txt").write_text("of the day")
    (folder / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    shutil.copy(folder / "b.mp4", folder / "half.mp4")
    (folder / "half.mp4").write_bytes((folder / "b.mp4").read_bytes()[:900])
    written = runs["super-resolution"].apply(folder, tmp_path / "out")
    assert [path.name for path in written] == ["b.mp4"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.mp4"]


def test_a_damaged_middle_is_named_with_what_is_there(runs, tmp_path, film) -> None:
    """A film with a damaged part ended in a traceback, and a half file."""
    source = film(tmp_path / "a.mp4", frames=120, options={"g": "9999"})
    content = bytearray(source.read_bytes())
    middle = (
        content.find(b"mdat") + int.from_bytes(content[content.find(b"mdat") - 4 : content.find(b"mdat")], "big") // 2
    )
    content[middle : middle + 200] = np.random.default_rng(0).bytes(200)
    source.write_bytes(content)
    with pytest.raises(wganx.DataError, match=r"is damaged: frame \d+ of 120 cannot be decoded, 0 to \d+ can; copy it"):
        runs["super-resolution"].apply(source, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_codec_and_quality_are_flags_of_every_task(runs, tmp_path, film) -> None:
    """Encoders and their quality were fixed, so that results were ten times as large, or spoilt."""
    source = film(tmp_path / "a.mp4", frames=6)
    for scenario, run in runs.items():
        run.apply(source, tmp_path / f"{scenario}.mp4", codec="h265", crf=35)
        with av.open(str(tmp_path / f"{scenario}.mp4")) as container:
            assert container.streams.video[0].codec_context.name == "hevc"
        with pytest.raises(wganx.UsageError, match=r"\.webm has vp9, not h265"):
            run.apply(source, tmp_path / "x.webm", codec="h265")
        with pytest.raises(wganx.UsageError, match="--crf -1: Input should be greater than or equal to 0"):
            run.apply(source, tmp_path / "x.mp4", crf=-1)

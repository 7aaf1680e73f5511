from __future__ import annotations

import base64
import io
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wganx.report.media import Media, embed_media, recognise
from wganx.report.reading import read_run


def sound(count: int = 400) -> bytes:
    """A WAV of `count` bytes of silence and a header of 44."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(count))
    return buffer.getvalue()


def clip(kind: str) -> bytes:
    frames = [Image.new("RGB", (20, 10), (shade, 0, 0)) for shade in (0, 255)]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], duration=100)
    return buffer.getvalue()


MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(64)
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webmB\x87\x81\x04" + bytes(64)
MATROSKA = WEBM.replace(b"B\x82\x84webm", b"B\x82\x88matroska")
HTML = b"<!doctype html><script>alert(1)</script>"
WAV = sound()


def written(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]


def numbered(folder: Path, stem: str, count: int, content: bytes = WAV) -> list[Path]:
    return written(folder, {f"{stem}-{index:04d}.wav": content for index in range(count)})


def of_one_step(files: Sequence[Path], budget: int = 10**6) -> Media:
    return embed_media({500: files}, [500], budget)


@pytest.mark.parametrize(
    ("head", "player", "media_type"),
    [
        (WAV, "audio", "audio/wav"),
        (b"fLaC\x00\x00\x00\x22" + bytes(56), "audio", "audio/flac"),
        (b"OggS\x00\x02" + bytes(58), "audio", "audio/ogg"),
        (b"ID3\x04\x00" + bytes(59), "audio", "audio/mpeg"),
        (b"\xff\xfb\x90\x64" + bytes(60), "audio", "audio/mpeg"),  # MPEG-1, layer III
        (b"\xff\xf3\x48\xc4" + bytes(60), "audio", "audio/mpeg"),  # MPEG-2, layer III
        (MP4, "video", "video/mp4"),
        (WEBM, "video", "video/webm"),
        (clip("GIF"), "image", "image/gif"),
        (clip("WEBP"), "image", "image/webp"),
    ],
)
def test_every_kind_is_known_by_its_first_bytes(head: bytes, player: str, media_type: str) -> None:
    assert recognise(head[:64]) == (player, media_type)


@pytest.mark.parametrize(
    "head",
    [
        b"", b"R", b"RIFF", b"RIFF\x00\x00\x00\x00AVI LIST", b"\xff", b"\xff\xd8\xff\xe0JFIF", b"\xff\xfe<\x00h\x00",
        b"\xff\xff\xff\xff", b"\xff\xfb\xf0\x00", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b"PK\x03\x04", MATROSKA, HTML,
        b"<svg xmlns='x' onload='alert(1)'>", bytes(64), b" RIFF....WAVE",
    ],
)  # fmt: skip
def test_what_no_player_plays_is_not_known(head: bytes) -> None:
    assert recognise(head[:64]) is None


def test_sounds_as_they_are_written_in_earnest_are_known(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    numpy = pytest.importorskip("numpy")
    found = {}
    for kind in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(tmp_path / f"a.{kind}", numpy.zeros(1600, dtype="float32"), 16_000)
        found[kind] = recognise((tmp_path / f"a.{kind}").read_bytes()[:64])
    types = {"wav": "wav", "flac": "flac", "ogg": "ogg", "mp3": "mpeg"}
    assert found == {kind: ("audio", f"audio/{name}") for kind, name in types.items()}


def test_what_is_embedded_is_the_file_as_it_lies_there(tmp_path: Path) -> None:
    (medium,) = of_one_step(numbered(tmp_path, "step-000500", 1)).chosen[500]
    head, _, data = medium.source.partition(",")
    assert (medium.player, medium.name, head) == ("audio", "sample 1", "data:audio/wav;base64")
    assert base64.b64decode(data) == WAV


def test_the_content_and_not_the_suffix_says_what_a_file_is(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        {
            "step-000500-0000.wav": clip("GIF"),
            "step-000500-0001.wav": HTML,
            "step-000500-0002.gif": WAV,
            "step-000500-0003.mp4": MATROSKA,
            "step-000500-0004.gif": b"GIF89a",
            "step-000500-0005.mp3": b"",
        },
    )
    media = of_one_step(files)
    assert [(medium.name, medium.player) for medium in media.chosen[500]] == [
        ("sample 1", "strip"), ("sample 3", "audio"),
    ]  # fmt: skip
    assert media.available == 2
    assert media.unreadable == (
        "samples/step-000500-0001.wav, samples/step-000500-0003.mp4, samples/step-000500-0004.gif are left out: "
        "no sound or clip by what is in it.",
        "samples/step-000500-0005.mp3 is left out: nothing in it.",
    )


def test_many_bad_files_are_told_in_one_sentence(tmp_path: Path) -> None:
    media = of_one_step(numbered(tmp_path, "step-000500", 9, b""))
    assert media.unreadable[0].endswith("samples/step-000500-0002.wav and 6 more are left out: nothing in it.")
    assert (media.chosen, media.available, media.left_out) == ({}, 0, {500: 0})


def test_a_file_that_has_gone_is_named(tmp_path: Path) -> None:
    media = of_one_step([tmp_path / "step-000500-0000.wav"])
    assert media.unreadable == ("samples/step-000500-0000.wav is left out: cannot be read.",)


def test_a_clip_is_shown_at_a_whole_multiple_of_its_pixels(tmp_path: Path) -> None:
    (medium,) = of_one_step(written(tmp_path, {"step-000500-0000.gif": clip("GIF")})).chosen[500]
    assert (medium.width, medium.height) == (160, 80)


def test_at_most_sixteen_of_a_step_are_shown(tmp_path: Path) -> None:
    media = embed_media(
        {500: numbered(tmp_path, "step-000500", 20), None: numbered(tmp_path, "real", 17)}, [500], 10**6
    )
    assert (len(media.chosen[500]), len(media.chosen[None])) == (16, 16)
    assert (media.count, media.available, media.left_out) == (32, 37, {500: 4, None: 1})


def test_over_budget_the_latest_and_the_real_come_first_and_the_rest_is_evenly_spread(tmp_path: Path) -> None:
    files: dict[int | None, list[Path]] = {step: numbered(tmp_path, f"step-{step}", 2) for step in range(10)}
    files[None] = numbered(tmp_path, "real", 2)
    one = len(of_one_step(files[0][:1]).chosen[500][0].source)

    def chosen(room: int) -> dict[int | None, int]:
        media = embed_media(files, range(10), room * one)
        assert sum(len(medium.source) for some in media.chosen.values() for medium in some) <= room * one
        return {step: len(some) for step, some in media.chosen.items()}

    assert chosen(22) == {**dict.fromkeys(range(10), 2), None: 2}
    assert chosen(10) == {0: 2, 3: 2, 6: 2, 9: 2, None: 2}
    assert chosen(6) == {0: 2, 9: 2, None: 2}
    assert chosen(5) == {9: 2, None: 2}, "a step's files are shown all or not at all"
    assert chosen(3) == {9: 2, None: 1}, "the sides take turns"
    assert chosen(1) == {9: 1}
    assert chosen(0) == {}
    assert embed_media(files, range(10), -5).count == 0


def test_one_file_over_the_budget_leaves_room_to_the_others(tmp_path: Path) -> None:
    files = written(tmp_path, {"step-000500-0000.mp4": MP4 + bytes(9_000), "step-000500-0001.wav": WAV})
    media = of_one_step(files, 2_000)
    assert [medium.name for medium in media.chosen[500]] == ["sample 2"]
    assert media.left_out == {500: 1}
    assert media.unreadable == ()


def test_a_step_that_the_page_does_not_show_is_counted_and_not_embedded(tmp_path: Path) -> None:
    files = {step: numbered(tmp_path, f"step-{step}", 1) for step in (1, 2, 3)}
    media = embed_media(files, [1, 3], 10**6)
    assert (set(media.chosen), media.available) == ({1, 3}, 3)


def test_reading_finds_what_lies_beside_the_previews(tmp_path: Path) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    names = (
        "step-000500.png", "step-000500-0010.wav", "step-000500-0002.wav", "step-000500-anna.ogg", "step-000500.gif",
        "step-000600-0000.webm", "real.png", "real-0000.wav", "step-000500-0000.txt", "step-x.wav", "other-0000.wav",
        "step-000500-0000.png", "unreal.png",
    )  # fmt: skip
    written(samples, dict.fromkeys(names, WAV))
    (samples / "step-000500-0003.wav").mkdir()
    (samples / "step-000500-0004.wav").symlink_to(samples / "real-0000.wav")
    run = read_run(tmp_path)
    assert {step: [path.name for path in paths] for step, paths in run.media.items()} == {
        500: ["step-000500-0002.wav", "step-000500-0010.wav", "step-000500-anna.ogg", "step-000500.gif"],
        600: ["step-000600-0000.webm"],
        None: ["real-0000.wav"],
    }
    assert [step for step, _ in run.previews] == [500]
    assert run.real_picture == samples / "real.png"
    assert [medium.name for medium in of_one_step(run.media[500][:2]).chosen[500]] == ["sample 3", "sample 11"]


def test_a_name_that_is_no_number_names_the_sample(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        {
            "step-000500-<img src=x onerror=alert(1)>.wav": WAV, "step-000500.wav": WAV, "real-anna.wav": WAV,
            "step-000500-0001-real.wav": WAV,
        },
    )  # fmt: skip
    names = [medium.name for medium in of_one_step(files).chosen[500]]
    assert names == ["<img src=x onerror=alert(1)>", "all samples", "anna", "sample 2, real"]


def test_clips_of_noise_and_of_several_films_stay_in_step(tmp_path: Path) -> None:
    """Frames by themselves are larger than a clip that tells their changes; alone in an <img> it would run away."""
    rng = np.random.default_rng(0)
    still = rng.integers(0, 255, (60, 300, 3), dtype=np.uint8)
    frames = [still.copy() for _ in range(4)]
    for frame in frames:
        frame[:, :200] = rng.integers(0, 255, (60, 200, 3), dtype=np.uint8)
    pictures = [Image.fromarray(frame) for frame in frames]
    path = tmp_path / "step-000500-0000.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100, lossless=True)
    (medium,) = of_one_step([path]).chosen[500]
    assert medium.player == "strip"
    assert (medium.width, medium.wide) == (300, True)
    assert medium.strip is not None
    assert medium.strip.milliseconds == 100

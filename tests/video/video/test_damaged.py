"""Films with bytes that are gone or wrong: frames, or one line that names the film; never a traceback, never a hang."""

from __future__ import annotations

import functools
import io
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from wganx_video.video.probing import probe
from wganx_video.video.reading import open_video
from wganx_video.video.streams import VideoSource

import wganx
from wganx import DataError
from wganx.cli import main

pytest.importorskip("av", reason="needs the extra video")

FRAMES = 6
CODECS = {
    "a.mp4": ("libx264", {"options": {"bf": "2", "g": "4"}, "sound": "aac"}),
    "turned.mp4": ("libx264", {"rotation": 90}),
    "a.mov": ("libx264", {}),
    "a.mkv": ("libx264", {}),
    "vp8.webm": ("libvpx", {"options": {"deadline": "realtime", "cpu-used": "8"}}),
    "vp9.webm": ("libvpx-vp9", {"options": {"deadline": "realtime", "cpu-used": "8"}}),
    "a.avi": ("mpeg4", {}),
    "mjpeg.avi": ("mjpeg", {"pixels": "yuvj420p"}),
    "a.ts": ("libx264", {}),
}
PICTURES = {"a.gif": "GIF", "a.webp": "WEBP", "a.png": "PNG"}
ARRAYS = ("a.npy", "fortran.npy", "a.npz", "packed.npz")
KINDS = (*CODECS, *PICTURES, *ARRAYS)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, film, numbered) -> Callable[[str], bytes]:
    """The content of a film of a kind, written once."""
    folder = tmp_path_factory.mktemp("whole")
    film_THWC = np.stack([numbered(number) for number in range(FRAMES)])

    def write(path: Path) -> None:
        if path.name in CODECS:
            codec, how = CODECS[path.name]
            film(path, codec, frames=FRAMES, **how)
        elif path.name in PICTURES:
            first, *rest = map(Image.fromarray, film_THWC)
            first.save(path, PICTURES[path.name], save_all=True, append_images=rest, duration=40)
        elif path.suffix == ".npy":
            np.save(path, np.asfortranarray(film_THWC) if path.stem == "fortran" else film_THWC)
        else:
            (np.savez_compressed if path.stem == "packed" else np.savez)(path, frames=film_THWC)

    def content(kind: str) -> bytes:
        write(folder / kind)
        return (folder / kind).read_bytes()

    return functools.cache(content)


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Cuts a content short, or not; then some of its bytes become others, zeros or the largest numbers there are, at
    any place or among the first hundred, where headers lie."""
    kept = draw(st.one_of(st.just(1.0), st.just(1.0), st.floats(0, 1)))
    place = st.tuples(st.booleans(), st.floats(0, 1, exclude_max=True))
    wrong = st.one_of(
        st.binary(min_size=1, max_size=1),
        st.sampled_from([bytes(4), bytes(200), b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\1"]),
    )
    changes = draw(st.lists(st.tuples(place, wrong), max_size=5))

    def damage(content: bytes) -> bytes:
        left = bytearray(content[: round(kept * len(content))])
        for (early, share), bytes_ in changes:
            reach = min(len(left), 100) if early else len(left)
            begin = int(share * reach)
            left[begin : begin + len(bytes_)] = bytes_[: len(left) - begin]
        return bytes(left)

    return damage


def told_by(read: Callable[[], object]) -> str:
    """What is said of a film that cannot be read; nothing of one that can be."""
    try:
        read()
    except DataError as error:
        return str(error)
    return ""


def look_into(source: Path | io.BytesIO, name: str) -> None:
    """Reads here and there, as a training does."""
    with open_video(source, name) as film:
        known = film.header
        assert known.frames > 0
        for start in (0, known.frames // 2, max(known.frames - 2, 0), 1):
            assert film.read(start, 2).shape[1:] == (known.channels, known.height, known.width)
        assert known.rate is None or film.times.vary(known.rate) in (True, False)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(damage=damages(), probed=st.booleans())
def test_a_damaged_film_is_frames_or_one_line_that_names_it(whole, kind: str, damage, probed: bool) -> None:
    content = damage(whole(kind))
    reading = probe if probed else look_into
    told = told_by(lambda: reading(io.BytesIO(content), "holiday/film"))
    assert not told or told.startswith("holiday/film ")
    assert "\n" not in told


@pytest.mark.parametrize("shape", [(10**9, 48, 64, 3), (2, 10**6, 10**6), (2**62, 2**62, 2**62)])
@pytest.mark.parametrize("fortran", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_a_heading_that_promises_more_than_memory_holds_is_one_of_a_film_cut_short(
    shape: tuple[int, ...], fortran: bool, packed: bool
) -> None:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": fortran, "shape": shape})
    content.write(bytes(1000))
    if packed:
        array, content = content.getvalue(), io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("frames.npy", array)
    with pytest.raises(DataError, match=f"a.film is cut short: 0 of {shape[0]:,} frames are there; copy it again"):
        look_into(content, "a.film")


def test_a_negative_number_of_frames_is_nothing() -> None:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": (-5, 4, 6)})
    with pytest.raises(DataError, match=r"a\.npy cannot be read .* its shape is said to be \(-5, 4, 6\); save it"):
        look_into(content, "a.npy")


def test_an_archive_that_is_damaged_behind_its_heading_is_told_where_it_is_read(whole) -> None:
    content = bytearray(whole("a.npz"))
    content[len(content) // 3] ^= 1
    film = open_video(io.BytesIO(bytes(content)), "a.npz")
    with pytest.raises(DataError, match=r"a\.npz is damaged: Bad CRC-32 for file 'frames\.npy'; copy it again"):
        film.read(0, FRAMES)


def test_an_archive_behind_a_password_is_told() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("frames.npy", b"secret")
    locked = bytearray(content.getvalue())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(header) + flags] |= 1
    with pytest.raises(DataError, match=r"a\.npz is no readable array: File 'frames\.npy' is encrypted, password requ"):
        look_into(io.BytesIO(bytes(locked)), "a.npz")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_few_bytes_do_not_ask_for_canvases_without_end(whole) -> None:
    content = bytearray(whole("a.gif"))
    content[6:10] = (13_000).to_bytes(2, "little") * 2
    with pytest.raises(DataError, match=r"a\.gif has frames of 13000x13000, and of pictures that move those of up to"):
        look_into(io.BytesIO(bytes(content)), "a.gif")


@settings(max_examples=20)
@given(damage=damages(), number=st.integers(0, 2))
def test_a_damaged_frame_of_a_folder_is_named(tmp_path_factory, numbered, damage, number: int) -> None:
    folder = tmp_path_factory.mktemp("frames")
    for place in range(3):
        Image.fromarray(numbered(place)).save(folder / f"{place}.png")
    path = folder / f"{number}.png"
    path.write_bytes(damage(path.read_bytes()))
    told = told_by(lambda: look_into(folder, str(folder)))
    assert not told or str(path) in told
    assert "\n" not in told
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def litter(whole, tmp_path_factory) -> Path:
    """A folder of whole films and of as many that are cut short or changed, of every kind."""
    folder, rng = tmp_path_factory.mktemp("litter"), random.Random(0)
    for number in range(2 * len(KINDS)):
        kind = KINDS[number % len(KINDS)]
        content = bytearray(whole(kind))
        if number >= len(KINDS):
            del content[rng.randrange(len(content)) :]
            for place in rng.choices(range(len(content)), k=rng.randrange(4)) if content else ():
                content[place] ^= rng.randrange(1, 256)
        (folder / f"{number}.{'webp' if kind == 'a.webp' else kind.rpartition('.')[2]}").write_bytes(content)
    return folder


def test_a_scan_lists_what_is_damaged_and_a_training_names_it(litter: Path) -> None:
    told = CliRunner().invoke(main, ["data", "scan", str(litter), "--plugin=video"])
    assert told.exit_code == 0, told.output
    assert "Traceback" not in told.output
    assert int(told.output.split("unreadable: ")[1].split()[0]) > len(KINDS) // 2
    with pytest.raises(DataError, match="cannot be read") as failed:
        wganx.train("video", "prediction-tiny", data=litter, out=litter / "run", progress=False,
                    overrides={"dataset.frames": 6})  # fmt: skip
    assert str(litter) in str(failed.value)


def test_a_damaged_film_is_no_source(litter: Path) -> None:
    for path in litter.iterdir():
        if path.is_file():
            told = told_by(lambda path=path: VideoSource(path).close())
            assert not told or told.startswith(str(path))

"""Films as arrays: any number of channels, any order of axes, no more read than is asked for."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from wganx_video.video.reading import open_video

from wganx import DataError


def saved(array: np.ndarray) -> io.BytesIO:
    content = io.BytesIO()
    np.save(content, array)
    return content


@given(
    frames=st.integers(1, 6),
    channels=st.integers(1, 9),
    layout=st.permutations("TCHW").map("".join),
    fortran=st.booleans(),
    data=st.data(),
)
def test_every_order_of_axes_is_the_same_film(
    frames: int, channels: int, layout: str, fortran: bool, data: st.DataObject
) -> None:
    film_TCHW = np.random.default_rng(0).integers(0, 256, (frames, channels, 5, 7), dtype=np.uint8)
    stored = film_TCHW.transpose(["TCHW".index(axis) for axis in layout])
    with open_video(saved(np.asarray(stored, order="F" if fortran else "C")), "a.npy", layout=layout) as film:
        assert (film.header.frames, film.header.channels) == (frames, channels)
        assert (film.header.height, film.header.width) == (5, 7)
        start, step = data.draw(st.integers(0, frames)), data.draw(st.integers(1, 3))
        assert np.array_equal(film.read(start, 4, step).numpy(), film_TCHW[start::step][:4])


@pytest.mark.parametrize(
    ("shape", "read"),
    [
        ((3, 5, 7), (3, 1, 5, 7)),
        ((3, 2, 5, 7), (3, 2, 5, 7)),
        ((3, 5, 7, 2), (3, 2, 5, 7)),
        ((9, 1, 5, 7), (9, 1, 5, 7)),
    ],
)
def test_the_shorter_axis_is_that_of_the_channels(shape: tuple[int, ...], read: tuple[int, ...]) -> None:
    with open_video(saved(np.zeros(shape, np.uint8)), "a.npy") as film:
        assert film.read(0, 99).shape == read


@pytest.mark.parametrize("shape", [(5,), (5, 5), (2, 3, 4, 3), (2, 3, 4, 5, 6)])
def test_axes_that_are_not_plain_have_to_be_said(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"a\.npy has the shape .* of which the axes are not plain; say its layout"):
        open_video(saved(np.zeros(shape, np.uint8)), "a.npy")
    with pytest.raises(DataError, match="which the layout 'TCH' does not name"):
        open_video(saved(np.zeros(shape, np.uint8)), "a.npy", layout="TCH")


@pytest.mark.parametrize(
    ("stored", "wanted", "value_range"),
    [
        (np.array([0, 1], bool), [0, 255], None),
        (np.array([0, 32896, 65535], np.uint16), [0, 128, 255], None),
        (np.array([-1.0, 0.0, 1.0, 2.0], np.float32), [0, 128, 255, 255], (-1, 1)),
        (np.array([0, 128, 300], np.int16), [0, 64, 150], (0, 510)),
    ],
)
def test_other_types_become_bytes_by_their_range(stored, wanted: list[int], value_range) -> None:
    with open_video(saved(stored.reshape(-1, 1, 1)), "a.npy", value_range=value_range) as film:
        assert film.read(0, 9).flatten().tolist() == wanted


def test_a_range_that_is_not_known_has_to_be_said_and_can_be_found() -> None:
    values = np.array([3.0, -2.5, np.nan, 7.0], np.float32).reshape(4, 1, 1)
    with pytest.raises(DataError, match="values of type float32, whose range is not known; say what is black"):
        open_video(saved(values), "a.npy")
    with open_video(saved(values), "a.npy", value_range=(0, 1)) as film:
        assert film.extremes() == (-2.5, 7.0)
        with pytest.raises(DataError, match="values that are no numbers in frame 2; fill them in first"):
            film.read(0, 4)


def test_an_archive_of_arrays(tmp_path: Path) -> None:
    frames = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", frames)
        with open_video(tmp_path / "a.npz") as film:
            assert film.header.kind == "npz"
            assert film.read(1, 1)[0, 0].tolist() == frames[1].tolist()
            assert film.read(0, 1)[0, 0].tolist() == frames[0].tolist()
        save(tmp_path / "b.npz", labels=np.zeros(3), frames=frames)
        with open_video(tmp_path / "b.npz") as film:
            assert film.read(0, 9).shape == (2, 1, 3, 4)
    np.savez(tmp_path / "c.npz", x=frames, y=frames)
    with pytest.raises(DataError, match="holds x, y; name the array that is the film 'frames'"):
        open_video(tmp_path / "c.npz")
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("a.txt", "words")
    with pytest.raises(DataError, match="is a zip archive without arrays; unpack it"):
        open_video(tmp_path / "d.npz")


def test_what_is_cut_short_says_how_many_frames_are_there() -> None:
    content = saved(np.zeros((10, 4, 5), np.uint8)).getvalue()
    with pytest.raises(DataError, match=r"a\.npy is cut short: 7 of 10 frames are there; copy it again"):
        open_video(io.BytesIO(content[:-55]), "a.npy")
    with pytest.raises(DataError, match=r"a\.npy cannot be read as an array of numbers: .*; save it anew"):
        open_video(io.BytesIO(content[:20]), "a.npy")


def test_objects_are_never_loaded() -> None:
    content = io.BytesIO()
    np.save(content, np.array([[[{}]]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"a\.npy holds object values, and numbers of at most 64 bit are wanted; save"):
        open_video(content, "a.npy")


def test_a_form_of_arrays_that_is_not_known_is_refused() -> None:
    with pytest.raises(DataError, match=r"a\.npy is an array in a form 4\.0 that is not known; save it anew"):
        open_video(io.BytesIO(b"\x93NUMPY\x04\x00"), "a.npy")


def test_nothing_in_an_array_is_said() -> None:
    with pytest.raises(DataError, match=r"has the shape \(0, 4, 4\), so nothing is in it"):
        open_video(saved(np.zeros((0, 4, 4), np.uint8)), "a.npy")


def test_no_more_is_read_than_is_asked_for(tmp_path: Path) -> None:
    import tracemalloc

    np.save(tmp_path / "a.npy", np.zeros((2000, 64, 64), np.uint8))
    tracemalloc.start()
    with open_video(tmp_path / "a.npy") as film:
        assert torch.equal(film.read(1990, 5), torch.zeros(5, 1, 64, 64, dtype=torch.uint8))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 500_000

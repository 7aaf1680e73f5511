"""What is seen in films before they are learnt from, and what is told of it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.video.datasets.conftest import film, write_array, write_frames
from wganx.data.telling import found_in


def shades(frames: int = 30, coloured_from: int | None = None) -> np.ndarray:
    """Grey frames in three channels, that nearly agree, as a codec leaves them; red from a frame on."""
    film_THWC = np.repeat(np.linspace(0, 255, 16 * 16).reshape(1, 16, 16, 1).astype(np.uint8), 3, 3)
    film_THWC = np.repeat(film_THWC, frames, 0)
    film_THWC[..., 2] = film_THWC[..., 2] // 2 * 2
    if coloured_from is not None:
        film_THWC[coloured_from:, :, :, 0] = 200
    return film_THWC


@pytest.mark.parametrize(
    ("coloured_from", "options", "wanted", "said"),
    [
        (None, {}, 1, True),
        (None, {"channels": 3}, 3, False),
        (0, {}, 3, False),
        (20, {}, 3, False),
    ],
)
def test_films_in_which_nothing_is_coloured_are_grey(tmp_path, opened, coloured_from, options, wanted, said) -> None:
    for number in range(3):
        write_frames(tmp_path / str(number), shades(coloured_from=coloured_from if number == 1 else None))
    train, _ = opened("folder", tmp_path, **options)
    assert train[0]["sample"].shape[1] == wanted
    assert any("all is grey" in told for told in train.details) == said


def test_darkness_says_nothing_of_colours(tmp_path, opened) -> None:
    film_THWC = np.zeros((30, 16, 16, 3), np.uint8)
    film_THWC[:, 4:8, 4:8] = 20
    for number in range(2):
        write_frames(tmp_path / str(number), film_THWC)
    train, _ = opened("folder", tmp_path)
    assert train[0]["sample"].shape[1] == 3


def test_the_small_films_of_pairs_are_told_as_what_they_are(tmp_path, opened) -> None:
    for number in range(3):
        small = film(10, 12, 16, seed=number)
        write_array(tmp_path / f"low/{number}.npy", small)
        write_array(tmp_path / f"high/{number}.npy", small.repeat(2, 1).repeat(2, 2))
    write_frames(tmp_path / "high/alone", film(1))  # a single picture is no film
    train, heldout = opened("folder", tmp_path, fit="cut", size=16)
    told = found_in(train, heldout)
    assert "each has the same in 8 x 8 px beside it" in told
    assert told[-1] == "not read: 1 .png"

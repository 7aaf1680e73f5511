"""Whether films are grey is seen in them: codecs store grey in colour, and films begin in black."""

from __future__ import annotations

import numpy as np
import pytest

from tests.video.datasets.conftest import write_frames


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

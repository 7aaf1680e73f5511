"""Cuts are found where the picture changes, in whatever channels, and every frame is read once."""

from __future__ import annotations

import pytest
import torch
from wganx_video.tasks.cuts import difference, frames_of, numbered_scenes, scenes

from wganx import DataError


def numbers(film, cut):
    return [scene for scene, _ in numbered_scenes(film, cut)]


def test_a_cut_lies_where_grey_changes_by_more_than_the_threshold(flat_film):
    # 60 of 255 is .235, and 70 is .275.
    assert numbers(flat_film([10, 70, 10, 80, 80, 10]), 0.25) == [0, 0, 0, 1, 1, 2]


@pytest.mark.parametrize(("cut", "found"), [(0.2, [0, 1]), (0.3, [0, 0]), (None, [0, 0])])
def test_the_threshold_is_the_user_s(flat_film, cut, found):
    assert numbers(flat_film([10, 70]), cut) == found


def test_what_moves_is_no_cut(noise_film):
    film = noise_film(6, height=64, width=64)
    assert numbers(film, 0.25) == [0] * 6, "fine noise is the same grey at an eighth of the size"


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_channels_are_grey_together(flat_film, channels):
    assert numbers(flat_film([0, 255], channels), 0.25) == [0, 1]


def test_colours_count_as_they_are_seen_and_alpha_does_not():
    black = torch.zeros(4, 16, 16, dtype=torch.uint8)
    for channel, luma in enumerate([0.299, 0.587, 0.114, 0.0]):
        other = black.clone()
        other[channel] = 255
        assert difference(black, other) == pytest.approx(luma, abs=1e-5)


def test_frames_smaller_than_eight_pixels_are_compared_too(flat_film):
    assert numbers(flat_film([0, 255], size=3), 0.25) == [0, 1]


def test_every_frame_is_read_once_and_in_order(noise_film):
    film = noise_film(75)
    found = torch.stack(list(frames_of(film)))
    assert torch.equal(found, film.frames_TCHW)
    assert film.places == list(range(75))


def test_scenes_come_one_after_the_other(flat_film):
    film = flat_film([0, 0, 255, 0, 0, 0])
    assert [[int(frame[0, 0, 0]) for frame in scene] for scene in scenes(film, 0.25)] == [[0, 0], [255], [0, 0, 0]]


def test_a_file_that_ends_too_soon_is_named(flat_film):
    film = flat_film([1, 2, 3])
    film.length = 5
    with pytest.raises(DataError, match="ends at frame 3 of 5"):
        list(frames_of(film))

"""Clips that are drawn: what moves, how, and that the seed decides."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_video.configs.datasets import BouncingDigitsConfig, SpritesConfig
from wganx_video.datasets.bouncing_digits import enlarged, open_bouncing_digits
from wganx_video.datasets.moving import composited, paths
from wganx_video.datasets.sprites import SHAPES, coverage, open_sprites

from wganx import DataContext

CONTEXT = DataContext(seed=3)


def some(config, split="train", seed=3):
    opened = {BouncingDigitsConfig: open_bouncing_digits, SpritesConfig: open_sprites}[type(config)]
    return opened(config, split, DataContext(seed=seed))


@pytest.mark.parametrize(
    ("config", "shape"),
    [(BouncingDigitsConfig(), (10, 1, 32, 32)), (SpritesConfig(height=18, width=31, frames=3), (3, 3, 18, 31))],
)
def test_clips_are_bytes_of_the_size_that_was_asked_for(config, shape) -> None:
    train, heldout = some(config), some(config, "heldout")
    assert (len(train), len(heldout)) == (2000, 500)
    for items in (train, heldout):
        clip = items[7]["sample"]
        assert clip.dtype == torch.uint8
        assert tuple(clip.shape) == shape == items.formats["sample"].shape
    assert items.formats["sample"].rate_hz == 10


@pytest.mark.parametrize("config", [BouncingDigitsConfig(), SpritesConfig()])
def test_seed_split_and_number_fix_a_clip(config) -> None:
    items = some(config)
    assert torch.equal(items[5]["sample"], some(config)[5]["sample"])
    others = [items[6], some(config, "heldout")[5], some(config, seed=4)[5]]
    assert not any(torch.equal(items[5]["sample"], other["sample"]) for other in others)


def test_no_digit_of_a_held_out_clip_is_in_one_to_learn_from() -> None:
    config = BouncingDigitsConfig(digits=1)
    train, heldout = (some(config, split)._glyphs_NHW for split in ("train", "heldout"))
    assert (len(train), len(heldout)) == (1500, 297)


@given(st.integers(0, 2**31), st.integers(1, 4), st.floats(0.01, 0.99), st.sampled_from(["elastic", "random"]))
@settings(max_examples=60, deadline=None)
def test_paths_stay_within_and_keep_their_speed(seed, count, step, bounce) -> None:
    places = paths(np.random.default_rng(seed), count, 12, step, bounce)
    assert places.shape == (12, count, 2)
    assert ((places >= 0) & (places <= 1)).all()
    ways = np.diff(places, axis=0)
    assert (np.linalg.norm(ways, axis=2) <= step * (1 + 1e-9)).all()
    # Where no wall was near, the way is exactly one step.
    inner = ((places[:-1] > step) & (places[:-1] < 1 - step)).all(2)
    assert np.linalg.norm(ways, axis=2)[inner] == pytest.approx(step)


def test_light_off_a_mirror_comes_back_as_it_went() -> None:
    """An elastic path is a straight line that is folded at the walls: the same as the triangle wave of its places."""
    places = paths(np.random.default_rng(1), 1, 40, 0.2, "elastic")[:, 0]
    way = None
    for start in range(39):
        if ((places[start] > 0.2) & (places[start] < 0.8)).all():
            way = places[start + 1] - places[start]
            break
    straight = places[start] + np.arange(40 - start)[:, None] * way
    assert np.abs(np.abs((straight + 1) % 2 - 1) - places[start:]) == pytest.approx(0, abs=1e-9)


def test_of_glyphs_that_overlap_the_brighter_one_shows() -> None:
    glyphs = np.stack([np.full((2, 2), 100, np.uint8), np.full((2, 2), 200, np.uint8)])
    (frame,) = composited(glyphs, np.array([[[0, 0], [1, 1]]]), 4)
    assert frame.tolist() == [[100, 100, 0, 0], [100, 200, 200, 0], [0, 200, 200, 0], [0, 0, 0, 0]]


def test_digits_grow_by_interpolation_and_keep_their_range() -> None:
    grown = enlarged(np.full((1, 8, 8), 16.0), 14)
    assert grown.shape == (1, 14, 14)
    assert (grown == 255).all()


def test_random_bounces_have_several_futures() -> None:
    """The same clip until its first wall, and another after it."""
    options = {"digits": 1, "step": 0.3, "frames": 20}
    elastic, drawn = (some(BouncingDigitsConfig(bounce=bounce, **options))[0] for bounce in ("elastic", "random"))
    same = [torch.equal(a, b) for a, b in zip(elastic["sample"], drawn["sample"])]
    assert same[0]
    assert not same[-1]


def test_digits_as_large_as_the_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="digits of 32 px have no room to move in frames of 32"):
        BouncingDigitsConfig(digit=32)


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_covered_in_the_middle_and_nowhere_far_away(shape) -> None:
    y, x = np.mgrid[:41, :41] - 20.0
    cover = coverage(shape, y, x, 10.0)
    assert cover[20, 20] == 1
    assert (cover[np.hypot(y, x) > 15] == 0).all()
    assert ((cover > 0) & (cover < 1)).any() or shape == "square"


def test_the_area_of_a_disc_is_that_of_a_circle() -> None:
    y, x = np.mgrid[:64, :64] - 31.7
    assert coverage("disc", y, x, 20.0).sum() == pytest.approx(np.pi * 400, rel=2e-3)


def test_motion_of_less_than_a_pixel_shows() -> None:
    clip = some(SpritesConfig(step=0.01, shapes=1))[2]["sample"]
    assert all(not torch.equal(a, b) for a, b in pairwise(clip))

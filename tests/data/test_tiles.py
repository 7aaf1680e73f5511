"""Tiles cover a frame, count 1 together at every pixel, and leave their own edges out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wganx.data.tiles import TILE_ALIGNED, TILE_OVERLAP, TiledAxis, reflect, reflected


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 700), st.integers(2, 40), st.integers(1, 4), st.booleans())
def test_the_tiles_of_an_axis_count_1_together_at_every_pixel(size, eighths, scale, fixed):
    aligned = 1 if fixed else TILE_ALIGNED
    axis = TiledAxis.of(size, side=eighths * TILE_ALIGNED, aligned=aligned, scale=scale)
    total = torch.zeros(len(axis.pixels) * scale)
    for span in axis.spans:
        assert span.start % aligned == 0
        assert len(span.weight_L) == axis.side * scale
        assert (span.weight_L >= 0).all()
        total[span.start * scale : (span.start + axis.side) * scale] += span.weight_L
    assert torch.allclose(total, torch.ones_like(total), atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(260, 2000), st.sampled_from([256, 320, 512]))
def test_the_pixels_at_an_edge_within_the_frame_count_nothing(size, side):
    axis = TiledAxis.of(size, side=side)
    for number, span in enumerate(axis.spans):
        if number:
            assert span.weight_L[: TILE_OVERLAP // 4].max() == 0
        if number < len(axis.spans) - 1:
            assert span.weight_L[-TILE_OVERLAP // 4 :].max() == 0


def test_neighbours_fade_linearly():
    first, second = TiledAxis.of(512 - TILE_OVERLAP + 512, side=512).spans
    shared = first.weight_L[-TILE_OVERLAP:]
    assert torch.allclose(shared + second.weight_L[:TILE_OVERLAP], torch.ones(TILE_OVERLAP))
    middle = shared[TILE_OVERLAP // 4 : -TILE_OVERLAP // 4]
    assert torch.allclose(middle.diff(), torch.full((len(middle) - 1,), -2 / TILE_OVERLAP), atol=1e-6)


def test_a_frame_that_fits_is_one_tile():
    (span,) = TiledAxis.of(100, side=256, scale=2).spans
    assert span.start == 0
    assert torch.equal(span.weight_L, torch.ones(208))


def test_padding_goes_back_and_forth():
    assert reflected(4, 11).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2]
    assert reflected(1, 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("place", "stands"), [(-1, 1), (-3, 3), (-4, 2), (0, 0), (3, 3), (4, 2), (6, 0), (7, 1)])
def test_reflection_goes_on_before_the_beginning(place, stands):
    assert reflect(place, 4) == stands

"""Sheets and clips: what stands where, and in which colours."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from wganx_video.strips import Panel, Row, difference, draw_clip, draw_sheet, visible

ORANGE, BLUE, BLACK = (255, 140, 50), (80, 170, 255), (0, 0, 0)


def at(pixels, y, x):
    return tuple(int(value) for value in pixels[y, x])


def test_differences_are_told_by_colour_and_where_there_are_none_it_is_black():
    true = torch.full((1, 1, 4, 4), 0.5)
    made = true.clone()
    made[..., 0, 0], made[..., 0, 1], made[..., 0, 2] = 1.0, 0.0, 0.75
    (found,) = difference(made, true)
    assert at(found, 0, 0) == ORANGE
    assert at(found, 0, 1) == BLUE
    assert at(found, 0, 2) == (128, 70, 25)  # half of the way
    assert at(found, 3, 3) == BLACK


def test_channels_do_not_cancel_each_other():
    true = torch.zeros(1, 3, 2, 2) + 0.5
    made = true + torch.tensor([0.5, -0.4, 0.0]).view(3, 1, 1)
    (found,) = difference(made, true)
    assert at(found, 0, 0) == ORANGE


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ((0.2,), (51, 51, 51)),
        ((1.0, 0.4, 0.0), (255, 102, 0)),
        ((0.2, 0.6), (102, 102, 102)),
        ((1.0, 1.0, 1.0, 0.0), (128, 128, 128)),
        ((0.0, 0.2, 0.4, 0.6, 0.8), (102, 102, 102)),
    ],
)
def test_any_number_of_channels_can_be_looked_at(values, seen):
    (frame,) = visible(torch.tensor(values).view(1, -1, 1, 1).expand(1, -1, 3, 3))
    assert frame.shape == (3, 3, 3)
    assert at(frame, 1, 1) == seen


def test_what_is_not_finite_or_out_of_range_is_drawn_all_the_same():
    frames = torch.tensor([float("nan"), 5.0, -5.0, float("inf")]).view(4, 1, 1, 1).expand(4, 1, 2, 2)
    assert [at(frame, 0, 0)[0] for frame in visible(frames)] == [0, 255, 0, 255]
    assert len(difference(frames, torch.zeros_like(frames))) == 4


def row(name, count, colour=255, size=8):
    frames = visible(torch.full((count, 1, size, size), colour / 255))
    return Row(name, dict(enumerate(frames)), {index: str(index + 1) for index in range(count)})


def test_a_sheet_has_every_frame_of_every_sample():
    sheet = draw_sheet([[row("film", 3)] for _ in range(4)], differs=False)
    assert sheet.dtype == torch.uint8
    assert sheet.shape[0] == 3
    # 12 white frames of 48 x 48 pixels: enlarged from 8, pixel by pixel.
    assert int((sheet.amin(0) == 255).sum()) == 12 * 48 * 48


@settings(max_examples=15, deadline=None)
@given(blocks=st.integers(0, 5), frames=st.integers(1, 12), size=st.integers(1, 200), differs=st.booleans())
def test_sheets_of_whatever_size(blocks, frames, size, differs):
    sheet = draw_sheet([[row("film", frames, size=size)]] * blocks, differs=differs)
    assert sheet.shape[0] == 3
    assert max(sheet.shape) < 16_000  # or the report could not show it


def test_a_clip_has_a_picture_a_moment_and_marks_what_was_made():
    (white,), (black,) = visible(torch.ones(1, 1, 8, 8)), visible(torch.zeros(1, 1, 8, 8))
    panels = [Panel("truth", [white, white], [False, False]), Panel("generated", [black, white], [False, True])]
    first, second = draw_clip(panels, ["frame 1", "frame 2"])
    assert first.size == second.size
    orange = [sum(pixel == (245, 166, 35) for pixel in picture.get_flattened_data()) for picture in (first, second)]
    assert orange[0] == 0
    assert orange[1] >= 4 * 96


def test_a_panel_without_a_frame_yet_is_empty():
    (white,) = visible(torch.ones(1, 1, 8, 8))
    first, second = draw_clip([Panel("difference", [None, white], [False, False])], ["1", "2"])
    assert (
        max(max(pixel) for pixel in first.crop((0, 20, *first.size)).crop((0, 0, 100, 90)).get_flattened_data()) < 130
    )
    assert (255, 255, 255) in second.get_flattened_data()

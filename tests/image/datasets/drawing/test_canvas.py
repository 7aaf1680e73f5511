"""Shapes on a canvas: areas and places against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from wganx_image.datasets.drawing.canvas import Canvas, Frame

SIZE = 64
places = st.floats(-0.3, 0.3)
turns = st.floats(-3, 3)


def frame(x: float = 0.0, y: float = 0.0, scale: float = 1.0, turn: float = 0.0) -> Frame:
    return Frame.around(*(torch.tensor([value]) for value in (x, y, scale)), turn=torch.tensor([turn]))


def cover(depth: Tensor) -> Tensor:
    return depth.add(0.5).clamp(0, 1)[0]


def area(depth: Tensor) -> float:
    """In units of the picture, which has 4."""
    return float(cover(depth).sum()) * (2 / SIZE) ** 2


def middle(depth: Tensor) -> tuple[float, float]:
    share, canvas = cover(depth), Canvas.blank(1, SIZE)
    return float((share * canvas.x_1W).sum() / share.sum()), float((share * canvas.y_H1).sum() / share.sum())


@given(places, places, st.floats(0.15, 0.5), st.floats(0.15, 0.5), turns)
@settings(max_examples=50, deadline=None)
def test_an_ellipse_has_its_area_and_its_place_whatever_its_tilt(
    x: float, y: float, wide: float, high: float, turn: float
) -> None:
    depth = Canvas.blank(1, SIZE).ellipse(frame(x, y, turn=turn), 0.0, 0.0, wide, high)
    assert area(depth) == pytest.approx(math.pi * wide * high, rel=0.06)
    assert middle(depth) == pytest.approx((x, y), abs=1e-3)


@given(places, places, st.floats(0.1, 0.5), st.floats(0.1, 0.5), turns)
@settings(max_examples=50, deadline=None)
def test_so_has_a_box(x: float, y: float, wide: float, high: float, turn: float) -> None:
    depth = Canvas.blank(1, SIZE).box(frame(x, y, turn=turn), 0.0, 0.0, wide, high)
    assert area(depth) == pytest.approx(4 * wide * high, rel=0.03)
    assert middle(depth) == pytest.approx((x, y), abs=2e-3)


@given(places, st.floats(0.3, 0.5), st.floats(0.4, 0.7), st.floats(0.7, 1.0))
@settings(max_examples=50, deadline=None)
def test_a_triangle_stands_on_its_base(x: float, wide: float, high: float, scale: float) -> None:
    depth = Canvas.blank(1, SIZE).triangle(frame(x, 0.2, scale), 0.0, 0.0, wide, high)
    assert area(depth) == pytest.approx(wide * high * scale**2, rel=0.05)
    assert middle(depth) == pytest.approx((x, 0.2 - high * scale / 3), abs=0.01)


@given(turns)
@settings(max_examples=20, deadline=None)
def test_a_half_plane_through_the_middle_is_half_of_it(turn: float) -> None:
    assert area(Canvas.blank(1, SIZE).half_plane(frame(), math.cos(turn), math.sin(turn), 0.0)) == pytest.approx(
        2, abs=0.01
    )


def test_below_a_parabola_is_what_its_integral_says() -> None:
    depth = Canvas.blank(1, SIZE).below(frame(), 0.0, 0.0, 0.5)
    assert area(depth) == pytest.approx(2 - 0.5 * 2 / 3, abs=0.01)
    assert cover(depth)[SIZE // 2 + 2, SIZE // 2] == 1
    assert cover(depth)[SIZE // 2 + 2, 0] == 0


def test_a_stroke_lies_along_its_parabola_and_ends() -> None:
    share = cover(Canvas.blank(1, SIZE).stroke(frame(), 0.0, 0.0, 0.5, -1.0, 0.06))
    rows = (share * torch.arange(SIZE)[:, None]).sum(0) / share.sum(0)
    assert rows[SIZE // 2] - rows[SIZE * 5 // 8] == pytest.approx(0.25**2 * SIZE / 2, abs=0.6)  # it smiles
    assert share[:, : SIZE // 4 - 2].sum() == 0


@given(places, places, turns, places, places)
@settings(max_examples=30, deadline=None)
def test_a_frame_within_a_frame(x: float, y: float, turn: float, u: float, v: float) -> None:
    outer, canvas = frame(x, y, 0.8, turn), Canvas.blank(1, SIZE)
    seen = canvas.ellipse(outer, u, v, 0.2, 0.2)
    for mirrored in (False, True):
        inner = outer.at(u, v, 0.7, mirrored=mirrored)
        assert canvas.ellipse(inner, 0.0, 0.0, 0.2, 0.2).sub(seen).abs().max() < 1e-3


def test_a_mirrored_frame_looks_to_the_left() -> None:
    x, _ = middle(Canvas.blank(1, SIZE).ellipse(frame().at(0.0, 0.0, mirrored=True), 0.4, 0.0, 0.2, 0.2))
    assert x == pytest.approx(-0.4, abs=1e-3)


def test_paint_covers_and_opacity_lets_through() -> None:
    canvas = Canvas.blank(2, 16)
    everywhere = torch.full((2, 16, 16), 9.0)
    canvas.paint(everywhere, torch.tensor([[1.0, 0.5, 0.0]] * 2), torch.tensor([1.0, 0.25]))
    assert canvas.pixels_N3HW[:, :, 3, 3].tolist() == [[1.0, 0.5, 0.0], [0.25, 0.125, 0.0]]
    assert canvas.bytes()[:, :, 0, 0].tolist() == [[255, 128, 0], [64, 32, 0]]


def test_a_glow_falls_from_its_middle() -> None:
    share = Canvas.blank(1, 65).glow(frame(), 0.0, 0.0, 0.5, 0.5)[0]
    assert share[32, 32] == pytest.approx(1, abs=1e-5)
    assert (share[32, 32:].diff() <= 0).all()
    assert share[32, 50] == 0


@given(st.floats(-1.1, 1.1), st.floats(-1.1, 1.1), st.floats(0.3, 0.9), turns)
@settings(max_examples=30, deadline=None)
def test_what_is_drawn_in_a_window_is_where_it_would_be_without_and_others_stay(
    x: float, y: float, scale: float, turn: float
) -> None:
    count, colour_N3 = 3, torch.tensor([[0.2, 0.9, 0.4]])
    there = torch.tensor([True, False, True])
    places = Frame.around(torch.tensor([x, 0.1, y]), torch.tensor([y, 0.0, x]), torch.full((count,), scale), turn=turn)
    direct, windowed = Canvas.blank(count, 40), Canvas.blank(count, 40)
    direct.paint(direct.ellipse(places, 0.1, 0.0, 0.3, 0.2), colour_N3.expand(count, 3), there.float())
    with windowed.window(places, 0.5, 0.5, there) as (part, own):
        assert part.pixels_N3HW.shape[-1] < 40 or scale > 0.7
        part.paint(part.ellipse(own, 0.1, 0.0, 0.3, 0.2), colour_N3.expand(2, 3))
    assert (direct.pixels_N3HW - windowed.pixels_N3HW).abs().max() < 1e-3
    assert windowed.pixels_N3HW[1].abs().max() == 0


def test_a_window_of_no_picture_changes_none() -> None:
    canvas = Canvas.blank(2, 16)
    places = Frame.around(torch.zeros(2), torch.zeros(2), torch.ones(2))
    with canvas.window(places, 0.5, 0.5, torch.tensor([False, False])) as (part, own):
        part.paint(part.ellipse(own, 0.0, 0.0, 0.3, 0.2), torch.ones(0, 3))
    assert canvas.pixels_N3HW.abs().max() == 0

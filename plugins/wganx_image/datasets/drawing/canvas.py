"""Many pictures drawn at once, antialiased, from shapes that are conic sections.

A shape is the set where a polynomial of second degree in x and y is positive: ellipses, parabolas, half-planes. Its
values on all pixels of all pictures are one product of matrices, ``(N, 6) @ (6, H W)``, whatever place and tilt.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

Value = Tensor | float
"""One number for all pictures, or one for each, ``(N,)``."""


@dataclass(frozen=True)
class Frame:
    """Coordinates that a thing is drawn in: `u` to its right, `v` down from its middle.

    Attributes:
        u_N3, v_N3: each as a linear form of the picture: factors of x and of y, and a constant. In the picture both x
            and y go from -1 to 1, y down.
        scale: how long one unit is in the picture, ``(N,)``.
    """

    u_N3: Tensor
    v_N3: Tensor
    scale: Tensor

    @classmethod
    def around(cls, x: Tensor, y: Tensor, scale: Tensor, turn: Value = 0.0) -> Frame:
        """The frame with its middle at `x` and `y`, one unit so long as `scale`, turned clockwise by `turn` radians."""
        angle = torch.as_tensor(turn).expand_as(x)
        cos, sin = angle.cos() / scale, angle.sin() / scale
        u_N3 = torch.stack([cos, sin, -(x * cos + y * sin)], 1)
        v_N3 = torch.stack([-sin, cos, x * sin - y * cos], 1)
        return cls(u_N3, v_N3, scale)

    def at(self, u: Value, v: Value, turn: Value = 0.0, mirrored: bool = False) -> Frame:
        """The frame with its middle at a place of this one, turned against it; `mirrored` looks to the left."""
        angle = torch.as_tensor(turn).expand_as(self.scale)[:, None]
        right, down = _less(self.u_N3, u), _less(self.v_N3, v)
        if mirrored:
            right = -right
        turned = right * angle.cos() + down * angle.sin(), down * angle.cos() - right * angle.sin()
        return Frame(*turned, self.scale)

    def middle(self) -> tuple[Tensor, Tensor]:
        """Where it is in the picture, x and y, each ``(N,)``."""
        (a, b, c), (d, e, f) = self.u_N3.unbind(1), self.v_N3.unbind(1)
        return (b * f - c * e) / (a * e - b * d), (c * d - a * f) / (a * e - b * d)

    def seen_from(self, x: Tensor, y: Tensor) -> Frame:
        """The same place where `x` and `y` of the picture are called 0."""
        place = torch.stack([x, y], 1)
        u, v = ((line_N3[:, :2] * place).sum(1) for line_N3 in (self.u_N3, self.v_N3))
        return Frame(_less(self.u_N3, -u), _less(self.v_N3, -v), self.scale)

    def of(self, rows: Tensor) -> Frame:
        """That of some of the pictures."""
        return Frame(self.u_N3[rows], self.v_N3[rows], self.scale[rows])


class Canvas:
    """Pictures that are painted on, all of them at once.

    Shapes are given as depths ``(N, H, W)``: how many pixels a pixel lies inside, negative outside. So
    ``torch.minimum`` is what two shapes share, ``torch.maximum`` both together, and the negative what lies outside.

    Attributes:
        pixels_N3HW: what is painted so far, colours in 0 .. 1.
    """

    def __init__(self, pixels_N3HW: Tensor, pixel: float) -> None:
        """
        Args:
            pixels_N3HW: what is there already.
            pixel: how wide a pixel is; 0 is in the middle of what is painted on.
        """
        self.pixels_N3HW, self.pixel = pixels_N3HW, pixel
        self.sides = high, wide = int(pixels_N3HW.shape[2]), int(pixels_N3HW.shape[3])
        self.x_1W = ((torch.arange(wide) + 0.5 - wide / 2) * pixel)[None, :]
        self.y_H1 = ((torch.arange(high) + 0.5 - high / 2) * pixel)[:, None]
        x, y = self.x_1W.expand(self.sides), self.y_H1.expand(self.sides)
        self._basis_6P = torch.stack([x * x, x * y, y * y, x, y, torch.ones_like(x)]).flatten(1)

    @classmethod
    def blank(cls, count: int, size: int) -> Canvas:
        """Square pictures on which nothing is."""
        return cls(torch.zeros(count, 3, size, size), 2 / size)

    @contextmanager
    def window(self, frame: Frame, wide: float, high: float, rows: Tensor) -> Iterator[tuple[Canvas, Frame]]:
        """A canvas of what lies around a frame's middle in some pictures, and the frame in it; put back at the end.

        A thing that few pictures have, or that is small in all of them, costs little in a window.

        Args:
            frame: of all pictures.
            wide, high: how far the window reaches to each side, in units of the frame.
            rows: whether a picture is one of them, ``(N,)``.
        """
        index, largest = rows.nonzero()[:, 0], float(frame.scale.max())
        x, y = frame.middle()
        down, top = self._cut(y[index], high * largest, self.sides[0])
        across, left = self._cut(x[index], wide * largest, self.sides[1])
        part = Canvas(torch.empty(len(index), 3, down[1], across[1]), self.pixel)
        # Slices of arrays: a tenth of the time that one gather by indices takes.
        whole, cut = self.pixels_N3HW.numpy(), part.pixels_N3HW.numpy()
        places = [
            (row, slice(None), slice(begin, begin + down[1]), slice(start, start + across[1]))
            for row, begin, start in zip(index.tolist(), down[0], across[0])
        ]
        for number, place in enumerate(places):
            cut[number] = whole[place]
        yield part, frame.of(index).seen_from(left, top)
        for number, place in enumerate(places):
            whole[place] = cut[number]

    def _cut(self, middle: Tensor, reach: float, side: int) -> tuple[tuple[list[int], int], Tensor]:
        """Where the pixels within reach begin along one side and how many these are; and where their middle is."""
        count = min(side, 2 * math.ceil(reach / self.pixel) + 1)
        first = (middle / self.pixel + (side - count) / 2).round().clamp(0, side - count)
        return (first.long().tolist(), count), (first + (count - side) / 2) * self.pixel

    def ellipse(self, frame: Frame, u: Value, v: Value, wide: Value, high: Value) -> Tensor:
        """The depth within an ellipse of these half axes around a place of the frame."""
        least = torch.minimum(torch.as_tensor(wide), torch.as_tensor(high))
        per_pixel = least * frame.scale / (2 * self.pixel)
        return self._values(_scaled(_round(frame, u, v, wide, high), per_pixel))

    def half_plane(self, frame: Frame, along: Value, across: Value, beyond: Value) -> Tensor:
        """The depth where ``along u + across v`` is more than `beyond`; ``(along, across)`` is a direction."""
        line_N3 = _less(_times(frame.u_N3, along) + _times(frame.v_N3, across), beyond)
        return self._values(_scaled(_quadratic(line_N3), frame.scale / self.pixel))

    def box(self, frame: Frame, u: Value, v: Value, wide: Value, high: Value) -> Tensor:
        """The depth within a rectangle of these half sides around a place of the frame."""
        per_pixel = frame.scale / self.pixel
        across = self._values(_scaled(_quadratic(_less(frame.u_N3, u)), per_pixel)).abs_()
        down = self._values(_scaled(_quadratic(_less(frame.v_N3, v)), per_pixel)).abs_()
        return torch.minimum(_planes(wide, per_pixel) - across, _planes(high, per_pixel) - down)

    def triangle(self, frame: Frame, u: Value, v: Value, wide: Value, high: Value) -> Tensor:
        """The depth within a triangle with its base, of this half length, at the place, and its tip so `high` above."""
        steep = torch.atan2(torch.as_tensor(wide), torch.as_tensor(high))
        there = frame.at(u, v)
        sides = [
            self.half_plane(there, sign * steep.cos(), steep.sin(), -torch.as_tensor(high) * steep.sin())
            for sign in (1, -1)
        ]
        return torch.minimum(torch.minimum(*sides), self.half_plane(there, 0.0, -1.0, 0.0))

    def below(self, frame: Frame, u: Value, v: Value, bend: Value) -> Tensor:
        """The depth below a parabola through the place; with a positive `bend` it falls off to both sides."""
        away_N3 = _less(frame.u_N3, u)
        arc_N6 = _quadratic(_less(frame.v_N3, v)) - _scaled(_product(away_N3, away_N3), bend)
        return self._values(_scaled(arc_N6, frame.scale / self.pixel))

    def stroke(self, frame: Frame, u: Value, v: Value, reach: Value, bend: Value, thick: Value) -> Tensor:
        """The depth within a stroke along such a parabola: `thick` to each side, ending `reach` from its middle."""
        away_N3 = _less(frame.u_N3, u)
        away_N6 = _product(away_N3, away_N3)
        arc_N6 = _quadratic(_less(frame.v_N3, v)) - _scaled(away_N6, bend)
        per_pixel = frame.scale / self.pixel
        brush_N6 = _scaled(_one(frame), thick) - _scaled(away_N6, torch.as_tensor(thick) / torch.as_tensor(reach) ** 2)
        return self._values(_scaled(brush_N6, per_pixel)) - self._values(_scaled(arc_N6, per_pixel)).abs_()

    def glow(self, frame: Frame, u: Value, v: Value, wide: Value, high: Value) -> Tensor:
        """A share ``(N, H, W)`` that falls softly from 1 in the middle of an ellipse to 0 at its border."""
        return self._values(_round(frame, u, v, wide, high)).clamp_(0, 1).square_()

    def paint(self, depth: Tensor, colour_N3: Tensor, opacity: Value = 1.0) -> None:
        """Covers a shape with a colour; with an `opacity` below 1 what is there shines through."""
        self.tint(depth.add(0.5).clamp_(0, 1), colour_N3, opacity)

    def tint(self, share: Tensor, colour_N3: Tensor, opacity: Value = 1.0) -> None:
        """Moves every pixel to a colour by its share ``(N, H, W)``."""
        opacity = torch.as_tensor(opacity)
        share = share * opacity.view(-1, 1, 1)
        self.pixels_N3HW.lerp_(colour_N3[:, :, None, None], share[:, None])

    def bytes(self) -> Tensor:
        """The pictures as they are stored, uint8 ``(N, 3, H, W)``."""
        return self.pixels_N3HW.mul(255).round_().clamp_(0, 255).to(torch.uint8)

    def _values(self, form_N6: Tensor) -> Tensor:
        return (form_N6 @ self._basis_6P).view(-1, *self.sides)


def together(depths: Iterable[Tensor]) -> Tensor:
    """The depth within any of some shapes."""
    first, *others = depths
    for depth in others:
        torch.maximum(first, depth, out=first)
    return first


def _less(line_N3: Tensor, by: Value) -> Tensor:
    """A linear form less a number."""
    less_N3 = line_N3.clone()
    less_N3[:, 2] -= by
    return less_N3


def _times(line_N3: Tensor, factor: Value) -> Tensor:
    return line_N3 * torch.as_tensor(factor).view(-1, 1)


def _product(one_N3: Tensor, other_N3: Tensor) -> Tensor:
    """Two linear forms multiplied: the factors of x x, x y, y y, x, y and 1."""
    (a, b, c), (d, e, f) = one_N3.unbind(1), other_N3.unbind(1)
    return torch.stack([a * d, a * e + b * d, b * e, a * f + c * d, b * f + c * e, c * f], 1)


def _quadratic(line_N3: Tensor) -> Tensor:
    return torch.cat([torch.zeros_like(line_N3), line_N3], 1)


def _round(frame: Frame, u: Value, v: Value, wide: Value, high: Value) -> Tensor:
    """1 in the middle of an ellipse, 0 on its border."""
    right_N3 = _times(_less(frame.u_N3, u), 1 / torch.as_tensor(wide))
    down_N3 = _times(_less(frame.v_N3, v), 1 / torch.as_tensor(high))
    return _one(frame) - _product(right_N3, right_N3) - _product(down_N3, down_N3)


def _one(frame: Frame) -> Tensor:
    return torch.tensor([0.0, 0, 0, 0, 0, 1]).expand(len(frame.scale), 6)


def _scaled(form_N6: Tensor, factor: Value) -> Tensor:
    return form_N6 * torch.as_tensor(factor).view(-1, 1)


def _planes(value: Value, factor_N: Tensor) -> Tensor:
    return (value * factor_N).view(-1, 1, 1)

"""What stands on a hill: firs, round trees and houses."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes.light import Light

_LEAVES = {"summer": (0.20, 0.44, 0.14), "autumn": (0.80, 0.42, 0.10), "winter": (0.80, 0.84, 0.90)}
_NEEDLES = {"summer": (0.10, 0.30, 0.18), "autumn": (0.14, 0.28, 0.16), "winter": (0.22, 0.36, 0.32)}
_TRUNK = (0.30, 0.20, 0.13)
_WALLS = ((0.93, 0.90, 0.83), (0.72, 0.30, 0.22), (0.90, 0.78, 0.52), (0.55, 0.40, 0.28), (0.70, 0.78, 0.82))
_ROOFS = ((0.58, 0.22, 0.16), (0.35, 0.33, 0.36), (0.45, 0.28, 0.20))
_PLACES = (-0.85, -0.3, 0.3, 0.85)


def row(canvas: Canvas, light: Light, traits: Traits, line_NW: Tensor, far: float, chance: Chance) -> None:
    """Trees, and at times a house, along the line of a hill; smaller where it is `far`."""
    scale = 1 - 2.2 * far
    for place in _PLACES:
        frame = _standing(canvas, line_NW, place + chance.about(0, 0.25), scale * chance.about(0.9, 0.35))
        kind = chance.between(0, 1)
        for draw, there in ((_fir, kind < 0.4), (_tree, (kind >= 0.4) & (kind < 0.75))):
            with canvas.window(frame.at(0.0, -0.3), 0.45, 0.5, there) as (part, own):
                draw(part, own.at(0.0, 0.3), light.of(there), traits.of(there), far, chance.of(there))
    frame = _standing(canvas, line_NW, chance.about(0, 0.8), scale * chance.about(1, 0.25))
    there = chance.happens(0.6) > 0
    with canvas.window(frame.at(0.0, -0.2), 0.5, 0.5, there) as (part, own):
        _house(part, own.at(0.0, 0.2), light.of(there), traits.of(there), far, chance.of(there))


def _standing(canvas: Canvas, line_NW: Tensor, x: Tensor, scale: Tensor) -> Frame:
    """The frame of a thing that stands on the line at `x`."""
    column = ((x + 1) / 2 * canvas.sides[1]).long().clamp(0, canvas.sides[1] - 1)
    return Frame.around(x, line_NW.gather(1, column[:, None])[:, 0] + 0.03, scale)


def _fir(canvas: Canvas, frame: Frame, light: Light, traits: Traits, far: float, chance: Chance) -> None:
    needles_N3 = chance.vary(traits.by("season", _NEEDLES), 0.04)
    snow_N3 = light.on(torch.full_like(needles_N3, 0.95), far)
    winter = traits.is_("season", "winter").float()
    canvas.paint(canvas.box(frame, 0.0, -0.04, 0.025, 0.08), light.on(torch.tensor(_TRUNK), far))
    for low, wide in ((-0.08, 0.2), (-0.24, 0.155), (-0.4, 0.11)):
        canvas.paint(canvas.triangle(frame, 0.0, low, wide, 0.3), light.on(needles_N3, far))
        canvas.paint(canvas.triangle(frame, 0.0, low - 0.15, wide * 0.5, 0.15), snow_N3, winter * 0.9)


def _tree(canvas: Canvas, frame: Frame, light: Light, traits: Traits, far: float, chance: Chance) -> None:
    leaves_N3 = chance.vary(traits.by("season", _LEAVES), 0.06)
    canvas.paint(canvas.box(frame, 0.0, -0.12, 0.03, 0.16), light.on(torch.tensor(_TRUNK).expand_as(leaves_N3), far))
    wide = chance.about(0.2, 0.04)
    crown = canvas.ellipse(frame, 0.0, -0.38, wide, 0.22)
    for side in (-1, 1):
        torch.maximum(crown, canvas.ellipse(frame, side * 0.12, -0.3, wide * 0.7, 0.15), out=crown)
    # A bare tree in winter: snow on thin twigs, through which one sees.
    canvas.paint(crown, light.on(leaves_N3, far), (1 - 0.35 * traits.is_("season", "winter").float()))
    bright_N3 = light.on(leaves_N3 + 0.25 * (1 - leaves_N3), far)
    canvas.tint(crown.add(0.5).clamp_(0, 1) * canvas.glow(frame, -0.06, -0.45, 0.16, 0.14), bright_N3, 0.7)


def _house(canvas: Canvas, frame: Frame, light: Light, traits: Traits, far: float, chance: Chance) -> None:
    wall_N3, roof_N3 = chance.vary(chance.colour(*_WALLS), 0.05), chance.colour(*_ROOFS)
    wide, high = chance.about(0.24, 0.05), chance.about(0.13, 0.025)
    winter = traits.is_("season", "winter").float()[:, None]
    roof_N3 = torch.lerp(roof_N3, torch.full_like(roof_N3, 0.95), winter)
    canvas.paint(canvas.box(frame, wide * 0.5, -2.6 * high, 0.03, high * 0.9), light.on(wall_N3 * 0.6, far))
    canvas.paint(canvas.box(frame, 0.0, -high, wide, high), light.on(wall_N3, far))
    canvas.paint(canvas.triangle(frame, 0.0, -2 * high, wide * 1.2, high * 1.4), light.on(roof_N3, far))
    canvas.paint(canvas.box(frame, 0.0, -0.6 * high, 0.035, high * 0.6), light.on(wall_N3 * 0.4, far))
    glass_N3 = torch.lerp(
        light.on(torch.tensor([0.35, 0.45, 0.55]).expand_as(wall_N3), far),
        torch.tensor([1.0, 0.84, 0.42]).expand_as(wall_N3),
        light.night[:, None],
    )
    for side in (-1, 1):
        u = side * wide * 0.55
        canvas.tint(canvas.glow(frame, u, -1.1 * high, 0.16, 0.16), glass_N3, light.night * 0.45)
        canvas.paint(canvas.box(frame, u, -1.1 * high, 0.04, 0.042), glass_N3)

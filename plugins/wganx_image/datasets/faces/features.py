"""Eyes, nose and mouth; lines, glasses and hats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from wganx_image.datasets.drawing.canvas import Canvas
from wganx_image.datasets.drawing.traits import Chance, Traits

if TYPE_CHECKING:
    from wganx_image.datasets.faces.portrait import Head

_IRISES = (
    (0.32, 0.20, 0.10), (0.22, 0.13, 0.08), (0.30, 0.48, 0.66), (0.34, 0.46, 0.24), (0.45, 0.50, 0.52),
)  # fmt: skip
_HATS = (
    (0.75, 0.20, 0.20), (0.15, 0.25, 0.45), (0.20, 0.20, 0.22), (0.85, 0.65, 0.20), (0.25, 0.45, 0.35),
    (0.80, 0.78, 0.74), (0.55, 0.35, 0.55),
)  # fmt: skip
_FRAMES = ((0.08, 0.08, 0.09), (0.35, 0.18, 0.08), (0.50, 0.10, 0.12), (0.55, 0.50, 0.42))
_EYE_U, _EYE_V, _MOUTH_V = 0.26, 0.0, 0.5


def lines(canvas: Canvas, head: Head, traits: Traits) -> None:
    """What the years leave on a forehead, beside the nose and below the eyes."""
    old = traits.is_("age", "old").float()
    for v in (-0.5, -0.4, -0.31):
        canvas.paint(canvas.stroke(head.frame, 0.0, v, 0.3, 0.12, 0.013), head.shade_N3 * 0.85, 0.75 * old)
    for side in (-1, 1):
        fold = head.frame.at(side * 0.27, 0.36, 1.15 * side)
        canvas.paint(canvas.stroke(fold, 0.0, 0.0, 0.16, 0.4 * side, 0.018), head.shade_N3 * 0.8, 0.85 * old)
        bag = canvas.stroke(head.frame, side * _EYE_U, 0.13, 0.12, -1.0, 0.014)
        canvas.paint(bag, head.shade_N3 * 0.85, 0.8 * old)


def eyes(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Both alike, but for where the gaze goes in each."""
    iris_N3 = chance.vary(chance.colour(*_IRISES), 0.05)
    apart, wide = chance.about(_EYE_U, 0.03), chance.about(0.125, 0.02)
    laughing = traits.by("smile", {"serious": 1.0, "smiling": 0.95, "laughing": 0.75})
    high = chance.about(0.075, 0.025) * laughing
    gaze_u, gaze_v = chance.about(0, 0.05), chance.about(0, 0.02)
    mood, raised, thick = chance.about(0.0, 0.25), chance.about(0.2, 0.05), chance.about(0.034, 0.014)
    lashes = chance.between(0.012, 0.035)
    ink_N3, white_N3 = head.hair_N3 * 0.35, torch.full_like(iris_N3, 0.95)
    brow_N3 = head.hair_N3 * 0.75
    for side in (-1, 1):
        u = side * apart
        canvas.tint(canvas.glow(head.frame, u, -0.05, 0.22, 0.17), head.shade_N3, 0.6)
        eye = canvas.ellipse(head.frame, u, _EYE_V, wide, high)
        canvas.paint(eye, white_N3)
        iris = canvas.ellipse(head.frame, u + gaze_u, gaze_v, 0.068, 0.068)
        canvas.paint(torch.minimum(iris, eye), iris_N3)
        pupil = canvas.ellipse(head.frame, u + gaze_u, gaze_v, 0.034, 0.034)
        canvas.paint(torch.minimum(pupil, eye), iris_N3 * 0.15)
        canvas.paint(canvas.ellipse(head.frame, u + gaze_u - 0.025, gaze_v - 0.028, 0.018, 0.018), white_N3)
        canvas.paint(canvas.stroke(head.frame, u, -high, wide * 1.25, high / wide**2 * 0.8, lashes), ink_N3)
        brow = head.frame.at(u, -raised, side * mood)
        canvas.paint(canvas.stroke(brow, 0.0, 0.0, 0.18, 1.6, thick), brow_N3)


def nose(canvas: Canvas, head: Head, chance: Chance) -> None:
    """Its shadow at one side, its tip and its nostrils."""
    wide, low = chance.about(0.1, 0.03), chance.about(0.27, 0.04)
    canvas.tint(canvas.glow(head.frame, chance.about(0, 0.05), low - 0.12, wide, 0.2), head.shade_N3, 0.45)
    light_N3 = head.skin_N3 + 0.3 * (1 - head.skin_N3)
    canvas.tint(canvas.glow(head.frame, 0.0, low - 0.03, 0.08, 0.08), light_N3, 0.7)
    canvas.paint(canvas.stroke(head.frame, 0.0, low + 0.045, wide * 1.2, -4.0, 0.018), head.shade_N3 * 0.8)
    for side in (-1, 1):
        canvas.paint(canvas.ellipse(head.frame, side * wide * 0.5, low + 0.03, 0.026, 0.018), head.shade_N3 * 0.55)


def mouth(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Serious: a line that hangs; smiling: lips that rise at both ends; laughing: open, with teeth."""
    wide = chance.about(0.22, 0.04) * traits.by("smile", {"serious": 0.85, "smiling": 1.1, "laughing": 1.25})
    bend = traits.by("smile", {"serious": 0.4, "smiling": -1.9, "laughing": -1.7}) + chance.about(0, 0.3)
    full = chance.between(0.03, 0.06)
    v = _MOUTH_V - 0.2 * bend * wide**2 - 0.02
    red = chance.between(0, 1)[:, None]
    lips_N3 = head.skin_N3 * (torch.tensor([0.80, 0.56, 0.54]) * (1 - red) + torch.tensor([0.88, 0.36, 0.38]) * red)
    closed = canvas.stroke(head.frame, 0.0, v, wide, bend, full)
    laughing = traits.is_("smile", "laughing").float()
    canvas.paint(closed, lips_N3, 1 - laughing)
    canvas.paint(canvas.stroke(head.frame, 0.0, v, wide * 0.95, bend, 0.012), lips_N3 * 0.45, 1 - laughing)
    deep = chance.about(1.6, 0.5)
    # Between a flatter and a deeper parabola that meet at both ends.
    upper, end = bend * 0.35, v - full + bend * wide**2
    top, bottom = end - upper * wide**2, end - (bend * deep) * wide**2
    for larger, colour_N3 in ((full * 0.8, lips_N3), (torch.zeros_like(full), lips_N3 * 0.25)):
        opened = torch.minimum(
            canvas.below(head.frame, 0.0, top - larger, upper),
            -canvas.below(head.frame, 0.0, bottom + larger, bend * deep),
        )
        canvas.paint(opened, colour_N3, laughing)
    teeth = torch.minimum(opened, -canvas.below(head.frame, 0.0, top + 0.09, upper))
    canvas.paint(teeth, torch.full_like(lips_N3, 0.96), laughing)
    tongue = torch.minimum(opened, canvas.ellipse(head.frame, 0.0, bottom, wide * 0.6, 0.09))
    canvas.paint(tongue, lips_N3 * 0.8, laughing)


def glasses(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Two round or flat lenses in a frame; dark ones hide the eyes."""
    worn, dark = traits.is_("glasses", "clear", "dark").float(), traits.is_("glasses", "dark").float()
    wide, high = chance.about(0.21, 0.025), chance.about(0.18, 0.04)
    colour_N3 = chance.colour(*_FRAMES)
    thick = chance.between(0.02, 0.045)
    lenses, rims = [], []
    for side in (-1, 1):
        lens = canvas.ellipse(head.frame, side * 0.27, 0.02, wide, high)
        lenses.append(lens)
        rims.append(torch.minimum(canvas.ellipse(head.frame, side * 0.27, 0.02, wide + thick, high + thick), -lens))
        temple = canvas.box(head.frame, side * (0.27 + wide + 0.1), -0.02, 0.12, thick * 0.5)
        canvas.paint(torch.minimum(temple, head.outline(canvas, 0.02)), colour_N3, worn)
    canvas.paint(torch.maximum(*lenses), torch.full_like(colour_N3, 0.08), dark * 0.92)
    canvas.paint(torch.maximum(*lenses), torch.full_like(colour_N3, 0.95), (worn - dark) * 0.12)
    canvas.paint(torch.maximum(*rims), colour_N3, worn)
    canvas.paint(canvas.stroke(head.frame, 0.0, -0.02, 0.09, 2.0, thick), colour_N3, worn)
    for side in (-1, 1):
        canvas.tint(
            canvas.glow(head.frame, side * 0.27 - 0.08, -0.05, 0.09, 0.06), torch.ones_like(colour_N3), worn * 0.6
        )


def hat(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """A beanie with its rolled edge, or a hat with a brim and a ribbon."""
    colour_N3 = chance.vary(chance.colour(*_HATS), 0.06)
    ribbon_N3 = chance.colour(*_HATS)
    beanie, brimmed = traits.is_("hat", "beanie").float(), traits.is_("hat", "brimmed").float()
    edge = chance.about(-0.42, 0.05)
    dome = canvas.ellipse(head.frame, 0.0, -0.22, 0.68 * head.wide, 0.76)
    above = -canvas.below(head.frame, 0.0, edge, 0.12)
    canvas.paint(torch.minimum(dome, above), colour_N3, beanie)
    roll = torch.minimum(canvas.ellipse(head.frame, 0.0, -0.22, 0.72 * head.wide, 0.8), above)
    roll = torch.minimum(roll, canvas.below(head.frame, 0.0, edge - 0.17, 0.12))
    canvas.paint(roll, colour_N3 * 0.72 + 0.1, beanie)
    canvas.paint(canvas.ellipse(head.frame, 0.0, -1.0, 0.13, 0.13), ribbon_N3, beanie * chance.happens(0.6))
    crown = canvas.box(head.frame, 0.0, -0.78, 0.52 * head.wide, 0.34)
    crown = torch.minimum(crown, canvas.ellipse(head.frame, 0.0, -0.5, 0.62, 0.6))
    canvas.paint(crown, colour_N3, brimmed)
    canvas.paint(torch.minimum(crown, canvas.box(head.frame, 0.0, -0.55, 1.0, 0.08)), ribbon_N3, brimmed)
    brim = canvas.stroke(head.frame, 0.0, -0.47, 0.98, 0.09, 0.1)
    canvas.paint(brim, colour_N3 * 0.85, brimmed)
    shadow = torch.minimum(head.outline(canvas), canvas.below(head.frame, 0.0, -0.4, 0.09))
    shade = shadow.add(0.5).clamp_(0, 1) * canvas.glow(head.frame, 0.0, -0.42, 0.7, 0.25)
    canvas.tint(shade, head.shade_N3 * 0.6, brimmed * 0.8)

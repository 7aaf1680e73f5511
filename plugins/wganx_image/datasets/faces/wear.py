"""Glasses and hats."""

from __future__ import annotations

import torch

from wganx_image.datasets.drawing.canvas import Canvas
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.faces.head import Head

_HATS = (
    (0.75, 0.20, 0.20), (0.15, 0.25, 0.45), (0.20, 0.20, 0.22), (0.85, 0.65, 0.20), (0.25, 0.45, 0.35),
    (0.80, 0.78, 0.74), (0.55, 0.35, 0.55),
)  # fmt: skip
_FRAMES = ((0.08, 0.08, 0.09), (0.35, 0.18, 0.08), (0.50, 0.10, 0.12), (0.55, 0.50, 0.42))


def glasses(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Two round or flat lenses in a frame; dark ones hide the eyes."""
    dark = traits.is_("glasses", "dark").float()
    wide, high = chance.about(0.21, 0.025), chance.about(0.18, 0.04)
    colour_N3 = chance.colour(*_FRAMES)
    thick = chance.between(0.02, 0.045)
    lenses, rims = [], []
    for side in (-1, 1):
        lens = canvas.ellipse(head.frame, side * 0.27, 0.02, wide, high)
        lenses.append(lens)
        rims.append(torch.minimum(canvas.ellipse(head.frame, side * 0.27, 0.02, wide + thick, high + thick), -lens))
        temple = canvas.box(head.frame, side * (0.27 + wide + 0.1), -0.02, 0.12, thick * 0.5)
        canvas.paint(torch.minimum(temple, head.outline(canvas, 0.02)), colour_N3)
    canvas.paint(torch.maximum(*lenses), torch.full_like(colour_N3, 0.08), dark * 0.92)
    canvas.paint(torch.maximum(*lenses), torch.full_like(colour_N3, 0.95), (1 - dark) * 0.12)
    canvas.paint(torch.maximum(*rims), colour_N3)
    canvas.paint(canvas.stroke(head.frame, 0.0, -0.02, 0.09, 2.0, thick), colour_N3)
    for side in (-1, 1):
        canvas.tint(canvas.glow(head.frame, side * 0.27 - 0.08, -0.05, 0.09, 0.06), torch.ones_like(colour_N3), 0.6)


def beanie(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """With a rolled edge, and at times a pompom."""
    colour_N3, edge = chance.vary(chance.colour(*_HATS), 0.06), chance.about(-0.42, 0.05)
    dome = canvas.ellipse(head.frame, 0.0, -0.22, 0.68 * head.wide, 0.76)
    above = -canvas.below(head.frame, 0.0, edge, 0.12)
    canvas.paint(torch.minimum(dome, above), colour_N3)
    roll = torch.minimum(canvas.ellipse(head.frame, 0.0, -0.22, 0.72 * head.wide, 0.8), above)
    roll = torch.minimum(roll, canvas.below(head.frame, 0.0, edge - 0.17, 0.12))
    canvas.paint(roll, colour_N3 * 0.72 + 0.1)
    canvas.paint(canvas.ellipse(head.frame, 0.0, -1.0, 0.13, 0.13), chance.colour(*_HATS), chance.happens(0.6))


def brimmed_hat(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """With a ribbon; its brim throws a shadow."""
    colour_N3, ribbon_N3 = chance.vary(chance.colour(*_HATS), 0.06), chance.colour(*_HATS)
    crown = canvas.box(head.frame, 0.0, -0.78, 0.52 * head.wide, 0.34)
    crown = torch.minimum(crown, canvas.ellipse(head.frame, 0.0, -0.5, 0.62, 0.6))
    canvas.paint(crown, colour_N3)
    canvas.paint(torch.minimum(crown, canvas.box(head.frame, 0.0, -0.55, 1.0, 0.08)), ribbon_N3)
    shadow = torch.minimum(head.outline(canvas), canvas.below(head.frame, 0.0, -0.4, 0.09))
    shade = shadow.add(0.5).clamp_(0, 1) * canvas.glow(head.frame, 0.0, -0.42, 0.7, 0.25)
    canvas.tint(shade, head.shade_N3 * 0.6, 0.8)
    canvas.paint(canvas.stroke(head.frame, 0.0, -0.47, 0.98, 0.09, 0.1), colour_N3 * 0.85)

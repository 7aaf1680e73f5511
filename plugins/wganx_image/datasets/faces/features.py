"""Body, skin, eyes, nose and mouth, and what the years add."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Value
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.faces.head import Head

_CLOTHES = (
    (0.20, 0.34, 0.56), (0.62, 0.18, 0.20), (0.24, 0.45, 0.31), (0.90, 0.88, 0.82), (0.17, 0.17, 0.21),
    (0.85, 0.62, 0.18), (0.48, 0.30, 0.52), (0.30, 0.55, 0.60),
)  # fmt: skip
_IRISES = (
    (0.32, 0.20, 0.10), (0.22, 0.13, 0.08), (0.30, 0.48, 0.66), (0.34, 0.46, 0.24), (0.45, 0.50, 0.52),
)  # fmt: skip
_EYE_U, _EYE_V, _MOUTH_V = 0.26, 0.0, 0.5


def body(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Neck, shoulders and what covers them."""
    clothes_N3 = chance.vary(chance.colour(*_CLOTHES), 0.08)
    canvas.paint(canvas.box(head.frame, 0.0, 0.9, 0.27, 0.5), head.shade_N3)
    canvas.tint(canvas.glow(head.frame, 0.0, 0.75, 0.5, 0.35), head.shade_N3 * 0.6, 0.8)
    shoulders = canvas.ellipse(head.frame, 0.0, 2.0, chance.about(1.15, 0.2), 0.92)
    open_neck = canvas.ellipse(head.frame, 0.0, 1.0, chance.about(0.34, 0.06), chance.about(0.34, 0.14))
    canvas.paint(torch.minimum(shoulders, -open_neck), clothes_N3)
    hem = canvas.ellipse(head.frame, 0.0, 1.0, 0.42, 0.42)
    collar = torch.minimum(torch.minimum(shoulders, -open_neck), hem)
    canvas.paint(collar, clothes_N3 * 0.72 + 0.04, chance.happens(0.6))


def skin(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Ears and face, lit from one side, with cheeks."""
    ears = torch.maximum(*(canvas.ellipse(head.frame, side * 0.6 * head.wide, 0.05, 0.1, 0.17) for side in (-1, 1)))
    canvas.paint(ears, head.skin_N3 * 0.92)
    outline = head.outline(canvas)
    canvas.paint(outline, head.skin_N3)
    inside = outline.add(0.5).clamp_(0, 1)
    lit = chance.between(-1, 1)
    away = canvas.half_plane(head.frame, 1.0, 0.15, 0.0) * (canvas.pixel / head.frame.scale).view(-1, 1, 1)
    canvas.tint(inside * (away * lit.view(-1, 1, 1) * 1.3).clamp_(0, 1), head.shade_N3, 0.75)
    light_N3 = head.skin_N3 + 0.25 * (1 - head.skin_N3)
    canvas.tint(inside * canvas.glow(head.frame, -0.25 * lit, -0.4, 0.45, 0.4), light_N3, 0.7)
    blush_N3 = head.skin_N3 * torch.tensor([1.02, 0.76, 0.74])
    strong = chance.between(0.1, 0.8)
    for side in (-1, 1):
        canvas.tint(inside * canvas.glow(head.frame, side * 0.33, 0.26, 0.2, 0.18), blush_N3, strong)


def years(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """What the years leave on a forehead, beside the nose and below the eyes."""
    for v in (-0.5, -0.4, -0.31):
        canvas.paint(canvas.stroke(head.frame, 0.0, v, 0.3, 0.12, 0.013), head.shade_N3 * 0.85, 0.75)
    for side in (-1, 1):
        fold = head.frame.at(side * 0.27, 0.36, 1.15 * side)
        canvas.paint(canvas.stroke(fold, 0.0, 0.0, 0.16, 0.4 * side, 0.018), head.shade_N3 * 0.8, 0.85)
        bag = canvas.stroke(head.frame, side * _EYE_U, 0.13, 0.12, -1.0, 0.014)
        canvas.paint(bag, head.shade_N3 * 0.85, 0.8)


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


def nose(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Its shadow at one side, its tip and its nostrils."""
    wide, low = chance.about(0.1, 0.03), chance.about(0.27, 0.04)
    canvas.tint(canvas.glow(head.frame, chance.about(0, 0.05), low - 0.12, wide, 0.2), head.shade_N3, 0.45)
    light_N3 = head.skin_N3 + 0.3 * (1 - head.skin_N3)
    canvas.tint(canvas.glow(head.frame, 0.0, low - 0.03, 0.08, 0.08), light_N3, 0.7)
    canvas.paint(canvas.stroke(head.frame, 0.0, low + 0.045, wide * 1.2, -4.0, 0.018), head.shade_N3 * 0.8)
    for side in (-1, 1):
        canvas.paint(canvas.ellipse(head.frame, side * wide * 0.5, low + 0.03, 0.026, 0.018), head.shade_N3 * 0.55)


def closed_mouth(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """A line that hangs, or lips that rise at both ends."""
    wide = chance.about(0.22, 0.04) * traits.by("smile", {"serious": 0.85, "smiling": 1.1, "laughing": 1.0})
    bend = traits.by("smile", {"serious": 0.4, "smiling": -1.9, "laughing": 0.0}) + chance.about(0, 0.3)
    v, lips_N3 = _MOUTH_V - 0.2 * bend * wide**2 - 0.02, _lips(head, chance)
    canvas.paint(canvas.stroke(head.frame, 0.0, v, wide, bend, chance.between(0.03, 0.06)), lips_N3)
    canvas.paint(canvas.stroke(head.frame, 0.0, v, wide * 0.95, bend, 0.012), lips_N3 * 0.45)


def open_mouth(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Between a flatter and a deeper parabola that meet at both ends: lips, teeth and a tongue."""
    wide, full, lips_N3 = chance.about(0.275, 0.05), chance.between(0.03, 0.06), _lips(head, chance)
    upper, lower = chance.about(-0.6, 0.1), chance.about(-2.7, 0.9)
    end = _MOUTH_V - 0.06
    top, bottom = end - upper * wide**2, end - lower * wide**2

    def opened(larger: Value) -> Tensor:
        below = canvas.below(head.frame, 0.0, top - larger, upper)
        return torch.minimum(below, -canvas.below(head.frame, 0.0, bottom + larger, lower))

    canvas.paint(opened(full * 0.8), lips_N3)
    inside = opened(0.0)
    canvas.paint(inside, lips_N3 * 0.25)
    canvas.paint(
        torch.minimum(inside, -canvas.below(head.frame, 0.0, top + 0.09, upper)), torch.full_like(lips_N3, 0.96)
    )
    tongue = torch.minimum(inside, canvas.ellipse(head.frame, 0.0, bottom, wide * 0.6, 0.09))
    canvas.paint(tongue, lips_N3 * 0.8)


def _lips(head: Head, chance: Chance) -> Tensor:
    """From the colour of the skin to red."""
    pale, red = torch.tensor([0.80, 0.56, 0.54]), torch.tensor([0.88, 0.36, 0.38])
    return head.skin_N3 * torch.lerp(pale, red, chance.between(0, 1)[:, None])

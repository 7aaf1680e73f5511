"""Hair in four styles, behind the head and upon it; beards."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.faces.head import Head

_BACK, _SIDE = 0.7, 0.92  # how light hair is behind the head and beside it
_CURLS_BEHIND = ((-0.62, -0.35), (-0.68, -0.05), (-0.62, 0.22), (0.62, -0.35), (0.68, -0.05), (0.62, 0.22))
_CURLS_ABOVE = ((-0.52, -0.55), (-0.3, -0.74), (0.0, -0.82), (0.3, -0.74), (0.52, -0.55))


def long_behind(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Down to the shoulders."""
    rounded = canvas.ellipse(head.frame, 0.0, -0.15, 0.74 * head.wide, 0.78)
    straight = canvas.box(head.frame, 0.0, 0.3 + chance.about(0.15, 0.2), 0.72 * head.wide, 0.6)
    canvas.paint(torch.maximum(rounded, straight), head.hair_N3 * _BACK)


def curls_behind(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """At both sides."""
    canvas.paint(_curls(canvas, head, _CURLS_BEHIND), head.hair_N3 * _BACK)


def above(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """All of the head above a line, which may be parted at a side; before the ears a little more."""
    line, bend, parted = chance.about(-0.42, 0.08), chance.about(0.9, 0.4), chance.about(0.0, 0.3)
    cap = torch.minimum(head.outline(canvas, 0.06), -canvas.below(head.frame, parted, line, bend))
    canvas.paint(cap, head.hair_N3)
    for side in (-1, 1):
        before_the_ear = canvas.ellipse(head.frame, side * 0.58 * head.wide, -0.2, 0.07, 0.28)
        canvas.paint(before_the_ear, head.hair_N3 * _SIDE)
    shine_N3 = head.hair_N3 + 0.35 * (1 - head.hair_N3)
    shine = cap.add(0.5).clamp_(0, 1) * canvas.glow(head.frame, chance.about(0, 0.4), -0.66, 0.4, 0.2)
    canvas.tint(shine, shine_N3, chance.between(0.2, 0.8))


def strands(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """What of long hair falls before the shoulders."""
    for side in (-1, 1):
        strand = canvas.ellipse(head.frame, side * 0.66 * head.wide, 0.2, chance.about(0.15, 0.03), 0.72)
        canvas.paint(strand, head.hair_N3 * _SIDE)


def curls_above(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Upon the head."""
    canvas.paint(_curls(canvas, head, _CURLS_ABOVE), head.hair_N3)


def full_beard(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Along the jaw."""
    jaw = torch.minimum(head.outline(canvas, 0.03), canvas.below(head.frame, 0.0, 0.4, -1.4))
    canvas.paint(jaw, head.hair_N3 * 0.85)


def moustache(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """Alone, or with a full beard."""
    thick = chance.about(0.06, 0.02)
    canvas.paint(canvas.stroke(head.frame, 0.0, 0.39, 0.24, 1.6, thick), head.hair_N3 * 0.85)


def _curls(canvas: Canvas, head: Head, places: tuple[tuple[float, float], ...]) -> Tensor:
    together = canvas.ellipse(head.frame, places[0][0] * head.wide, places[0][1], 0.23, 0.23)
    for u, v in places[1:]:
        torch.maximum(together, canvas.ellipse(head.frame, u * head.wide, v, 0.23, 0.23), out=together)
    return together

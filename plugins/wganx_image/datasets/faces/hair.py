"""Hair in four styles, behind the head and upon it; beards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas
from wganx_image.datasets.drawing.traits import Chance, Traits

if TYPE_CHECKING:
    from wganx_image.datasets.faces.portrait import Head

_CURLS_BEHIND = ((-0.62, -0.35), (-0.68, -0.05), (-0.62, 0.22), (0.62, -0.35), (0.68, -0.05), (0.62, 0.22))
_CURLS_ABOVE = ((-0.52, -0.55), (-0.3, -0.74), (0.0, -0.82), (0.3, -0.74), (0.52, -0.55))


def behind(canvas: Canvas, head: Head, traits: Traits) -> None:
    """What of the hair is behind head and shoulders."""
    back_N3 = head.hair_N3 * 0.7
    long = torch.maximum(
        canvas.ellipse(head.frame, 0.0, -0.15, 0.74 * head.wide, 0.78),
        canvas.box(head.frame, 0.0, 0.45, 0.72 * head.wide, 0.6),
    )
    canvas.paint(long, back_N3, traits.is_("hairstyle", "long").float())
    canvas.paint(_curls(canvas, head, _CURLS_BEHIND), back_N3, traits.is_("hairstyle", "curly").float())


def above(canvas: Canvas, head: Head, traits: Traits, chance: Chance) -> None:
    """What of the hair lies upon the head: all above its line, and strands at both sides of long hair."""
    line, bend, parted = chance.about(-0.42, 0.08), chance.about(0.9, 0.4), chance.about(0.0, 0.3)
    worn = 1 - traits.is_("hairstyle", "bald").float()
    cap = torch.minimum(head.outline(canvas, 0.06), -canvas.below(head.frame, parted, line, bend))
    canvas.paint(cap, head.hair_N3, worn)
    long, curly = traits.is_("hairstyle", "long").float(), traits.is_("hairstyle", "curly").float()
    for side in (-1, 1):
        strand = canvas.ellipse(head.frame, side * 0.66 * head.wide, 0.2, 0.15, 0.72)
        canvas.paint(strand, head.hair_N3 * 0.92, long)
        sideburn = canvas.ellipse(head.frame, side * 0.58 * head.wide, -0.2, 0.07, 0.28)
        canvas.paint(sideburn, head.hair_N3 * 0.92, worn * (1 - long))
    canvas.paint(_curls(canvas, head, _CURLS_ABOVE), head.hair_N3, curly)
    shine_N3 = head.hair_N3 + 0.35 * (1 - head.hair_N3)
    shine = cap.add(0.5).clamp_(0, 1) * canvas.glow(head.frame, chance.about(0, 0.4), -0.66, 0.4, 0.2)
    canvas.tint(shine, shine_N3, worn * chance.between(0.2, 0.8))


def beard(canvas: Canvas, head: Head, traits: Traits) -> None:
    """A full beard along the jaw, and a moustache, which comes alone as well."""
    full = traits.is_("beard", "full").float()
    jaw = torch.minimum(head.outline(canvas, 0.03), canvas.below(head.frame, 0.0, 0.4, -1.4))
    canvas.paint(jaw, head.hair_N3 * 0.85, full)
    moustache = canvas.stroke(head.frame, 0.0, 0.39, 0.24, 1.6, 0.06)
    canvas.paint(moustache, head.hair_N3 * 0.85, traits.is_("beard", "full", "moustache").float())


def _curls(canvas: Canvas, head: Head, places: tuple[tuple[float, float], ...]) -> Tensor:
    together = canvas.ellipse(head.frame, places[0][0] * head.wide, places[0][1], 0.23, 0.23)
    for u, v in places[1:]:
        torch.maximum(together, canvas.ellipse(head.frame, u * head.wide, v, 0.23, 0.23), out=together)
    return together

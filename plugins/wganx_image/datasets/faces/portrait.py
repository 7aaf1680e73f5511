"""How a face is drawn: from what lies behind it to what it wears, layer upon layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.faces import features, hair

_SKIN = {
    "light": (0.95, 0.79, 0.69), "tan": (0.86, 0.66, 0.51), "brown": (0.66, 0.45, 0.32), "dark": (0.42, 0.28, 0.21),
}  # fmt: skip
_HAIR = {
    "black": (0.10, 0.09, 0.10), "brown": (0.36, 0.22, 0.13), "blond": (0.87, 0.71, 0.40), "red": (0.70, 0.28, 0.11),
    "grey": (0.72, 0.72, 0.74),
}  # fmt: skip
_CLOTHES = (
    (0.20, 0.34, 0.56), (0.62, 0.18, 0.20), (0.24, 0.45, 0.31), (0.90, 0.88, 0.82), (0.17, 0.17, 0.21),
    (0.85, 0.62, 0.18), (0.48, 0.30, 0.52), (0.30, 0.55, 0.60),
)  # fmt: skip
_WALLS = (
    (0.70, 0.80, 0.87), (0.83, 0.77, 0.66), (0.66, 0.75, 0.63), (0.80, 0.69, 0.71), (0.60, 0.66, 0.72),
    (0.88, 0.86, 0.83), (0.45, 0.55, 0.60), (0.74, 0.70, 0.80),
)  # fmt: skip
_EVENING = (1.05, 0.80, 0.58)


@dataclass(frozen=True)
class Head:
    """What all parts of a face need to know of it.

    Attributes:
        frame: of the head: its middle is the middle of the face, its chin near v = 0.9.
        wide: of the skull, against the usual.
        jaw: half width of the jaw.
        chin: how far down the chin is.
        skin_N3, shade_N3, hair_N3: colours; the shade is skin in the shadow.
    """

    frame: Frame
    wide: Tensor
    jaw: Tensor
    chin: Tensor
    skin_N3: Tensor
    shade_N3: Tensor
    hair_N3: Tensor

    def outline(self, canvas: Canvas, larger: float = 0.0) -> Tensor:
        """The depth within skull and jaw."""
        skull = canvas.ellipse(self.frame, 0.0, -0.12, 0.6 * self.wide + larger, 0.72 + larger)
        jaw = canvas.ellipse(self.frame, 0.0, self.chin - 0.62, self.jaw + larger, 0.62 + larger)
        return torch.maximum(skull, jaw)


def draw_faces(traits: Traits, size: int) -> Tensor:
    """Faces as their traits have them, uint8 ``(N, 3, size, size)``."""
    canvas, chance = Canvas(len(traits), size), Chance(traits.chance_NK)
    head = _head(traits, chance)
    _background(canvas, chance)
    hair.behind(canvas, head, traits)
    _body(canvas, head, chance)
    _skin(canvas, head, chance)
    features.lines(canvas, head, traits)
    features.eyes(canvas, head, traits, chance)
    features.nose(canvas, head, chance)
    hair.beard(canvas, head, traits)
    features.mouth(canvas, head, traits, chance)
    hair.above(canvas, head, traits, chance)
    features.glasses(canvas, head, traits, chance)
    features.hat(canvas, head, traits, chance)
    _light(canvas, traits, chance)
    return canvas.bytes()


def _head(traits: Traits, chance: Chance) -> Head:
    frame = Frame.of(
        chance.about(0, 0.1), chance.about(-0.02, 0.05), chance.about(0.74, 0.07), turn=chance.about(0, 0.12)
    )
    skin_N3 = chance.vary(traits.by("skin", _SKIN), 0.05)
    hair_N3 = chance.vary(traits.by("hair", _HAIR), 0.05)
    return Head(
        frame=frame,
        wide=chance.about(1, 0.08),
        jaw=chance.about(0.48, 0.07),
        chin=chance.about(0.88, 0.07),
        skin_N3=skin_N3,
        shade_N3=skin_N3 * torch.tensor([0.78, 0.70, 0.68]),
        hair_N3=hair_N3,
    )


def _background(canvas: Canvas, chance: Chance) -> None:
    wall_N3 = chance.vary(chance.colour(*_WALLS), 0.12)
    canvas.pixels_N3HW += wall_N3[:, :, None, None]
    there = Frame.of(chance.between(-1, 1), chance.between(-1, 0.2), torch.ones(len(wall_N3)))
    lighter_N3 = wall_N3 + 0.6 * (1 - wall_N3)
    canvas.tint(canvas.glow(there, 0.0, 0.0, 1.6, 1.4), lighter_N3, 0.8)
    canvas.tint(canvas.glow(there, chance.between(-1, 1), 1.6, 1.5, 1.0), wall_N3 * 0.45, 0.7)


def _body(canvas: Canvas, head: Head, chance: Chance) -> None:
    clothes_N3 = chance.vary(chance.colour(*_CLOTHES), 0.08)
    canvas.paint(canvas.box(head.frame, 0.0, 0.9, 0.27, 0.5), head.shade_N3)
    canvas.tint(canvas.glow(head.frame, 0.0, 0.75, 0.5, 0.35), head.shade_N3 * 0.6, 0.8)
    shoulders = canvas.ellipse(head.frame, 0.0, 2.0, chance.about(1.15, 0.2), 0.92)
    open_neck = canvas.ellipse(head.frame, 0.0, 1.0, chance.about(0.34, 0.06), chance.about(0.34, 0.14))
    canvas.paint(torch.minimum(shoulders, -open_neck), clothes_N3)
    hem = canvas.ellipse(head.frame, 0.0, 1.0, 0.42, 0.42)
    collar = torch.minimum(torch.minimum(shoulders, -open_neck), hem)
    canvas.paint(collar, clothes_N3 * 0.72 + 0.04, chance.happens(0.6))


def _skin(canvas: Canvas, head: Head, chance: Chance) -> None:
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


def _light(canvas: Canvas, traits: Traits, chance: Chance) -> None:
    """Evenings are warm and dim; every picture is a little lighter or darker than others."""
    evening = traits.is_("light", "evening").float()[:, None]
    colour_N3 = 1 + evening * (torch.tensor(_EVENING) * 0.8 - 1)
    canvas.pixels_N3HW *= (colour_N3 * chance.about(1, 0.1)[:, None])[:, :, None, None]

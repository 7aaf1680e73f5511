"""How a face is drawn: layer upon layer, from what lies behind it to what it wears."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.faces import features, hair, wear
from wganx_image.datasets.faces.head import Head

_WALLS = (
    (0.70, 0.80, 0.87), (0.83, 0.77, 0.66), (0.66, 0.75, 0.63), (0.80, 0.69, 0.71), (0.60, 0.66, 0.72),
    (0.88, 0.86, 0.83), (0.45, 0.55, 0.60), (0.74, 0.70, 0.80),
)  # fmt: skip
_EVENING = (1.05, 0.80, 0.58)


@dataclass(frozen=True)
class Layer:
    """A part of a face, of those faces that have it.

    Attributes:
        draw: draws it.
        v: where its middle is, from the middle of the head down.
        reach: how far it reaches from there to both sides, and up and down.
        of: the classes of each attribute that have it; of attributes that are not named, all.
    """

    draw: Callable[[Canvas, Head, Traits, Chance], None]
    v: float = 0.0
    reach: tuple[float, float] = (9.0, 9.0)
    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


LAYERS = (
    Layer(hair.long_behind, 0.1, (0.95, 1.2), {"hairstyle": ("long",)}),
    Layer(hair.curls_behind, 0.0, (1.05, 0.75), {"hairstyle": ("curly",)}),
    Layer(features.body),
    Layer(features.skin, 0.0, (0.9, 1.05)),
    Layer(features.years, 0.0, (0.5, 0.62), {"age": ("old",)}),
    Layer(features.eyes, -0.03, (0.6, 0.42)),
    Layer(features.nose, 0.2, (0.3, 0.32)),
    Layer(hair.full_beard, 0.55, (0.75, 0.6), {"beard": ("full",)}),
    Layer(hair.moustache, 0.42, (0.35, 0.2), {"beard": ("moustache", "full")}),
    Layer(features.closed_mouth, 0.5, (0.45, 0.25), {"smile": ("serious", "smiling")}),
    Layer(features.open_mouth, 0.5, (0.45, 0.35), {"smile": ("laughing",)}),
    Layer(hair.above, -0.4, (0.9, 0.75), {"hairstyle": ("short", "long", "curly")}),
    Layer(hair.strands, 0.2, (1.0, 0.85), {"hairstyle": ("long",)}),
    Layer(hair.curls_above, -0.65, (0.95, 0.5), {"hairstyle": ("curly",)}),
    Layer(wear.glasses, 0.02, (0.8, 0.42), {"glasses": ("clear", "dark")}),
    Layer(wear.beanie, -0.65, (0.95, 0.65), {"hat": ("beanie",)}),
    Layer(wear.brimmed_hat, -0.6, (1.2, 0.75), {"hat": ("brimmed",)}),
)
"""From behind to the front."""


def draw_faces(traits: Traits, size: int) -> Tensor:
    """Faces as their traits have them, uint8 ``(N, 3, size, size)``."""
    canvas, chance = Canvas.blank(len(traits), size), Chance.of_all(traits)
    head = Head.drawn(traits, chance)
    _background(canvas, chance)
    for layer in LAYERS:
        there = torch.ones(len(traits), dtype=torch.bool)
        for attribute, classes in layer.of.items():
            there &= traits.is_(attribute, *classes)
        with canvas.window(head.frame.at(0.0, layer.v), *layer.reach, there) as (part, frame):
            own = head.of(there, frame.at(0.0, -layer.v))
            layer.draw(part, own, traits.of(there), chance.of(there))
    _light(canvas, traits, chance)
    return canvas.bytes()


def _background(canvas: Canvas, chance: Chance) -> None:
    wall_N3 = chance.vary(chance.colour(*_WALLS), 0.12)
    canvas.pixels_N3HW += wall_N3[:, :, None, None]
    there = Frame.around(chance.between(-1, 1), chance.between(-1, 0.2), torch.ones(len(wall_N3)))
    lighter_N3 = wall_N3 + 0.6 * (1 - wall_N3)
    canvas.tint(canvas.glow(there, 0.0, 0.0, 1.6, 1.4), lighter_N3, 0.8)
    canvas.tint(canvas.glow(there, chance.between(-1, 1), 1.6, 1.5, 1.0), wall_N3 * 0.45, 0.7)


def _light(canvas: Canvas, traits: Traits, chance: Chance) -> None:
    """Evenings are warm and dim; every picture is a little lighter or darker than others."""
    evening = traits.is_("light", "evening").float()[:, None]
    colour_N3 = 1 + evening * (torch.tensor(_EVENING) * 0.8 - 1)
    canvas.pixels_N3HW *= (colour_N3 * chance.about(1, 0.1)[:, None])[:, :, None, None]

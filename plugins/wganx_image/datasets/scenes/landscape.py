"""How a scene is drawn: from the sky to what falls from it, layer upon layer."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame, together
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes import land, sky
from wganx_image.datasets.scenes.light import Light, light_of

_DROPS = 26


def draw_scenes(traits: Traits, size: int) -> Tensor:
    """Scenes as their traits have them, uint8 ``(N, 3, size, size)``."""
    canvas, chance = Canvas.blank(len(traits), size), Chance.of_all(traits)
    light = light_of(traits, chance)
    horizon = chance.about(0.05, 0.22)
    sky.air(canvas, light, horizon)
    sky.stars(canvas, traits, chance)
    sun = sky.sun_or_moon(canvas, light, traits, horizon, chance)
    sky.clouds(canvas, light, traits, horizon, chance)
    land.mountains(canvas, light, traits, horizon, chance)
    land.water(canvas, light, traits, horizon, sun, chance)
    land.hills(canvas, light, traits, horizon, chance)
    _fog(canvas, light, traits, horizon)
    _falling(canvas, traits, chance)
    canvas.pixels_N3HW *= chance.about(1, 0.06)[:, None, None, None]
    return canvas.bytes()


def _fog(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor) -> None:
    """Thickest at the horizon; what is near shows through."""
    thick = traits.by("weather", {"clear": 0.0, "cloudy": 0.0, "rain": 0.25, "fog": 0.85})
    away = (canvas.y_H1[None] - horizon.view(-1, 1, 1)).abs().expand(-1, -1, canvas.sides[1])
    canvas.tint((1 - 0.6 * away).clamp_(0, 1), light.haze_N3, thick)


def _falling(canvas: Canvas, traits: Traits, chance: Chance) -> None:
    """Rain in streaks along the wind; in winter, snow in flakes."""
    winter = traits.is_("season", "winter")
    frame = sky.picture_frame(len(traits)).at(0.0, 0.0, chance.about(0.2, 0.2))
    drops = [(chance.between(-1.2, 1.2), chance.between(-1.2, 1.2), chance.between(0.5, 1)) for _ in range(_DROPS)]
    for rows, drop, opacity in ((~winter, _streak, 0.6), (winter, _flake, 0.95)):
        there = rows & traits.is_("weather", "rain")
        with canvas.window(frame, 9.0, 9.0, there) as (part, own):
            colour_N3 = torch.tensor([0.86, 0.90, 0.95]).expand(len(part.pixels_N3HW), 3)
            part.paint(
                together(drop(part, own, *(value[there] for value in place)) for place in drops), colour_N3, opacity
            )


def _streak(canvas: Canvas, frame: Frame, u: Tensor, v: Tensor, near: Tensor) -> Tensor:
    return canvas.box(frame, u, v, 0.008 * near, 0.13 * near)


def _flake(canvas: Canvas, frame: Frame, u: Tensor, v: Tensor, near: Tensor) -> Tensor:
    return canvas.ellipse(frame, u, v, 0.04 * near, 0.04 * near)

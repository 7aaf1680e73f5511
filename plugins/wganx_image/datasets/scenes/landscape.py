"""How a scene is drawn: from the sky to what falls from it, layer upon layer."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes import land, sky
from wganx_image.datasets.scenes.light import Light, light_of


def draw_scenes(traits: Traits, size: int) -> Tensor:
    """Scenes as their traits have them, uint8 ``(N, 3, size, size)``."""
    canvas, chance = Canvas(len(traits), size), Chance(traits.chance_NK)
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
    away = (canvas.y_H1[None] - horizon.view(-1, 1, 1)).abs().expand(-1, -1, canvas.size)
    canvas.tint((1 - 0.6 * away).clamp_(0, 1), light.haze_N3, thick)


def _falling(canvas: Canvas, traits: Traits, chance: Chance) -> None:
    """Rain in streaks along the wind, snow in flakes."""
    falls, winter = traits.is_("weather", "rain"), traits.is_("season", "winter")
    frame = sky.picture_frame(canvas, len(traits)).at(0.0, 0.0, chance.about(0.2, 0.2))
    rain, snow = (falls & ~winter).float(), (falls & winter).float()
    drop_N3 = torch.tensor([0.80, 0.86, 0.92]).expand(len(traits), 3)
    flake_N3 = torch.ones(len(traits), 3)
    streaks, flakes = [], []
    for _ in range(26):
        u, v, near = chance.between(-1.2, 1.2), chance.between(-1.2, 1.2), chance.between(0.5, 1)
        streaks.append(canvas.box(frame, u, v, 0.008 * near, 0.13 * near))
        flakes.append(canvas.ellipse(frame, u, v, 0.038 * near, 0.038 * near))
    canvas.paint(_any(streaks), drop_N3, rain * 0.55)
    canvas.paint(_any(flakes), flake_N3, snow * 0.95)


def _any(depths: list[Tensor]) -> Tensor:
    together = depths[0]
    for depth in depths[1:]:
        torch.maximum(together, depth, out=together)
    return together

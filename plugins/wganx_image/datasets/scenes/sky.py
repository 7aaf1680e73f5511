"""The sky: its colours, stars, sun or moon, clouds."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame, together
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes.light import Light

_STARS, _CLOUDS, _PUFFS = 24, 4, 5


def picture_frame(count: int) -> Frame:
    """The coordinates of the picture itself."""
    return Frame.around(torch.zeros(count), torch.zeros(count), torch.ones(count))


def air(canvas: Canvas, light: Light, horizon: Tensor) -> None:
    """From the zenith's colour down to the horizon's."""
    canvas.pixels_N3HW += light.zenith_N3[:, :, None, None]
    down = (canvas.y_H1[None] + 1) / (horizon.view(-1, 1, 1) + 1)
    canvas.tint(down.clamp(0, 1).expand(-1, -1, canvas.sides[1]), light.horizon_N3)


def stars(canvas: Canvas, traits: Traits, chance: Chance) -> None:
    """In clear and cloudy nights."""
    seen = traits.is_("time", "night") & traits.is_("weather", "clear", "cloudy")
    own = chance.of(seen)
    with canvas.window(picture_frame(len(traits)).at(0.0, -0.5), 9.0, 0.7, seen) as (part, frame):
        stars = [
            part.ellipse(frame, own.between(-1, 1), own.between(-0.5, 0.6), *[own.between(0.006, 0.016)] * 2)
            for _ in range(_STARS)
        ]
        part.paint(together(stars), torch.ones(len(part.pixels_N3HW), 3), 0.9)


def sun_or_moon(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor, chance: Chance) -> Tensor:
    """High by day, low at sunset; a moon, full or not, at night. Returns where it stands, from left to right."""
    frame = picture_frame(len(traits))
    night, sunset = light.night, traits.is_("time", "sunset").float()
    seen = traits.by("weather", {"clear": 1.0, "cloudy": 1.0, "rain": 0.0, "fog": 0.25})
    x = chance.about(0, 0.8)
    high = torch.lerp(chance.between(-0.85, -0.45), horizon - chance.between(0.05, 0.22), sunset)
    wide = 0.13 + 0.05 * sunset - 0.02 * night
    colour_N3 = traits.by("time", {"day": (1.0, 0.96, 0.74), "sunset": (1.0, 0.80, 0.42), "night": (0.95, 0.95, 0.86)})
    halo = traits.by("time", {"day": 0.55, "sunset": 0.8, "night": 0.35})
    canvas.tint(canvas.glow(frame, x, high, wide * 6, wide * 5), colour_N3, seen * halo)
    disc = canvas.ellipse(frame, x, high, wide, wide)
    bite = chance.between(-0.16, 0.24)
    dark = canvas.ellipse(frame, x + bite.abs() + 0.03, high - 0.03, wide, wide) - 1e3 * (1 - night).view(-1, 1, 1)
    dark -= 1e3 * (bite < 0).float().view(-1, 1, 1)
    canvas.paint(torch.minimum(disc, -dark), colour_N3, seen)
    return x


def clouds(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor, chance: Chance) -> None:
    """Few where it is clear, many and grey where it is not; puffs upon a flat base, their lower side darker."""
    for number in range(_CLOUDS):
        share = traits.by("weather", {"clear": 0.6 * (number == 0), "cloudy": 1.0, "rain": 1.0, "fog": 0.0})
        there = chance.between(0, 1) < share
        x, y = chance.between(-1, 1), -1 + (horizon + 0.7) * chance.between(0.1, 1)
        frame = Frame.around(x, y, chance.about(0.5, 0.2))
        with canvas.window(frame, 1.1, 0.5, there) as (part, place):
            _cloud(part, place, light.of(there), chance.of(there))


def _cloud(canvas: Canvas, frame: Frame, light: Light, chance: Chance) -> None:
    puffs = together(
        canvas.ellipse(
            frame,
            (puff - (_PUFFS - 1) / 2) * 0.27 + chance.about(0, 0.08),
            chance.about(0.0, 0.08) - 0.08 * (puff in (1, 2, 3)),
            chance.about(0.26, 0.06),
            chance.about(0.2, 0.07),
        )
        for puff in range(_PUFFS)
    )
    whole = torch.minimum(puffs, canvas.half_plane(frame, 0.0, -1.0, -0.14))
    canvas.paint(whole, light.cloud_N3)
    below = whole.add(0.5).clamp_(0, 1) * canvas.glow(frame, 0.0, 0.2, 0.9, 0.3)
    canvas.tint(below, torch.lerp(light.cloud_N3, light.zenith_N3, 0.35))

"""The sky: its colours, stars, sun or moon, clouds."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes.light import Light

_STARS, _CLOUDS, _PUFFS = 24, 4, 5


def picture_frame(canvas: Canvas, count: int) -> Frame:
    """The coordinates of the picture itself."""
    return Frame.of(torch.zeros(count), torch.zeros(count), torch.ones(count))


def air(canvas: Canvas, light: Light, horizon: Tensor) -> None:
    """From the zenith's colour down to the horizon's."""
    canvas.pixels_N3HW += light.zenith_N3[:, :, None, None]
    down = (canvas.y_H1[None] + 1) / (horizon.view(-1, 1, 1) + 1)
    canvas.tint(down.clamp(0, 1).expand(-1, -1, canvas.size), light.horizon_N3)


def stars(canvas: Canvas, traits: Traits, chance: Chance) -> None:
    """In clear and cloudy nights."""
    seen = (traits.is_("time", "night") & traits.is_("weather", "clear", "cloudy")).float()
    frame, white_N3 = picture_frame(canvas, len(seen)), torch.ones(len(seen), 3)
    field = torch.full_like(canvas.pixels_N3HW[:, 0], -1e3)
    for _ in range(_STARS):
        star = canvas.ellipse(
            frame, chance.between(-1, 1), chance.between(-1, 0.1), *[chance.between(0.006, 0.016)] * 2
        )
        torch.maximum(field, star, out=field)
    canvas.paint(field, white_N3, seen * 0.9)


def sun_or_moon(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor, chance: Chance) -> Tensor:
    """High by day, low at sunset; a moon, full or not, at night. Returns where it stands, from left to right."""
    frame = picture_frame(canvas, len(traits))
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
    shade_N3 = torch.lerp(light.cloud_N3, light.zenith_N3, 0.35)
    for number in range(_CLOUDS):
        there = traits.by("weather", {"clear": float(number == 0) * 0.6, "cloudy": 1.0, "rain": 1.0, "fog": 0.0})
        x, y = chance.between(-1, 1), -1 + (horizon + 0.7) * chance.between(0.1, 1)
        frame = Frame.of(x, y, chance.about(0.5, 0.2))
        there = there * (0.75 + 0.25 * chance.happens(0.6))
        low = canvas.half_plane(frame, 0.0, -1.0, -0.14)
        puffs = [
            canvas.ellipse(
                frame,
                (puff - (_PUFFS - 1) / 2) * 0.27 + chance.about(0, 0.08),
                chance.about(0.0, 0.08) - 0.08 * (puff in (1, 2, 3)),
                chance.about(0.26, 0.06),
                chance.about(0.2, 0.07),
            )
            for puff in range(_PUFFS)
        ]
        whole = puffs[0]
        for puff_depth in puffs[1:]:
            torch.maximum(whole, puff_depth, out=whole)
        whole = torch.minimum(whole, low)
        canvas.paint(whole, light.cloud_N3, there)
        below = whole.add(0.5).clamp_(0, 1) * canvas.glow(frame, 0.0, 0.2, 0.9, 0.3)
        canvas.tint(below, shade_N3, there)

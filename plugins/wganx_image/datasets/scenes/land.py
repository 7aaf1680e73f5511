"""Mountains, hills and water; trees and houses upon the hills."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wganx_image.datasets.drawing.canvas import Canvas, Frame
from wganx_image.datasets.drawing.traits import Chance, Traits
from wganx_image.datasets.scenes import things
from wganx_image.datasets.scenes.light import Light
from wganx_image.datasets.scenes.sky import picture_frame

_SNOW = (0.94, 0.96, 1.0)
_MEADOW = {"summer": (0.34, 0.58, 0.22), "autumn": (0.62, 0.52, 0.24), "winter": _SNOW}
_ROCK = {"summer": (0.42, 0.45, 0.52), "autumn": (0.46, 0.42, 0.46), "winter": (0.55, 0.60, 0.70)}
_WAVES = ((0.6, 1.1), (1.7, 0.5), (3.9, 0.22))


def ridge(canvas: Canvas, level: Tensor, high: float, chance: Chance, rough: float = 0.0) -> Tensor:
    """How high a line of hills lies at each column, ``(N, W)``: waves of three lengths; `rough` ones have peaks."""
    line = level[:, None].expand(-1, canvas.sides[1]).clone()
    for often, large in _WAVES:
        phase = math.pi * (canvas.x_1W * often * chance.about(1, 0.3)[:, None] + chance.between(-1, 1)[:, None])
        wave = torch.lerp(phase.sin(), 2 * phase.sin().asin().abs() / math.pi * 2 - 1, rough)
        line -= high * large * chance.between(0.4, 1)[:, None] * wave
    return line


def under(canvas: Canvas, line_NW: Tensor) -> Tensor:
    """The depth below such a line."""
    steep = torch.gradient(line_NW, spacing=canvas.pixel, dim=1)[0]
    return (canvas.y_H1[None] - line_NW[:, None]) / (canvas.pixel * (1 + steep[:, None] ** 2).sqrt())


def mountains(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor, chance: Chance) -> None:
    """Two chains in the distance, the farther one with snow on its peaks."""
    rock_N3 = chance.vary(traits.by("season", _ROCK), 0.06)
    there = chance.happens(0.7)
    line = ridge(canvas, horizon - 0.22, 0.16, chance, rough=1.0)
    depth = under(canvas, line)
    canvas.paint(depth, light.on(rock_N3, 0.45), there)
    snow_line = (horizon - 0.34 + 0.3 * traits.is_("season", "winter").float()).view(-1, 1)
    zigzag = 0.04 * (canvas.x_1W * 40).sin()
    snow = torch.minimum(depth, -under(canvas, (snow_line + zigzag).expand(-1, canvas.sides[1])))
    canvas.paint(snow, light.on(torch.tensor(_SNOW).expand_as(rock_N3), 0.25), there)
    forest_N3 = torch.lerp(rock_N3, traits.by("season", _MEADOW) * 0.8, 0.6)
    canvas.paint(under(canvas, ridge(canvas, horizon - 0.04, 0.06, chance)), light.on(forest_N3, 0.35))


def water(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor, sun: Tensor, chance: Chance) -> None:
    """A lake below the horizon in half of the scenes; it mirrors the sky, and glitters below sun or moon."""
    there = chance.happens(0.5)
    surface = under(canvas, (horizon + 0.06)[:, None].expand(-1, canvas.sides[1]))
    frozen = traits.is_("season", "winter").float()[:, None]
    mirror_N3 = torch.lerp(light.horizon_N3, light.zenith_N3, 0.35) * torch.tensor([0.82, 0.90, 0.94])
    mirror_N3 = torch.lerp(mirror_N3, light.on(torch.tensor([0.82, 0.90, 0.96]).expand_as(mirror_N3)), 0.6 * frozen)
    canvas.paint(surface, mirror_N3, there)
    inside = surface.add(0.5).clamp_(0, 1)
    near = (canvas.y_H1[None] - horizon.view(-1, 1, 1)).clamp(0, 1).expand(-1, -1, canvas.sides[1])
    canvas.tint(inside * near, light.zenith_N3 * 0.75, there * 0.8)
    shining = traits.by("weather", {"clear": 1.0, "cloudy": 0.7, "rain": 0.0, "fog": 0.1}) * there
    frame, sun_N3 = picture_frame(len(there)), light.horizon_N3 + 0.7 * (1 - light.horizon_N3)
    for step in range(5):
        y, wide = horizon + 0.1 + 0.11 * step, 0.09 + 0.03 * step
        glitter = canvas.stroke(frame, sun + chance.about(0, 0.05), y, wide * chance.about(1, 0.4), 0.0, 0.016)
        canvas.paint(torch.minimum(glitter, surface), sun_N3, shining * 0.8)


def hills(canvas: Canvas, light: Light, traits: Traits, horizon: Tensor, chance: Chance) -> None:
    """Two hills, one behind the other, with what stands on them."""
    grass_N3 = chance.vary(traits.by("season", _MEADOW), 0.05)
    for far, level, high in ((0.18, horizon + 0.28, 0.1), (0.0, horizon + 0.62, 0.12)):
        line = ridge(canvas, level, high, chance)
        depth = under(canvas, line)
        colour_N3 = light.on(grass_N3 * (0.9 + 0.1 * far), far)
        things.row(canvas, light, traits, line, far, chance)
        canvas.paint(depth, colour_N3)
        bright_N3 = light.on(grass_N3 + 0.25 * (1 - grass_N3), far)
        frame = Frame.around(chance.between(-1, 1), level + 0.1, torch.ones_like(level))
        canvas.tint(depth.add(0.5).clamp_(0, 1) * canvas.glow(frame, 0.0, 0.0, 0.9, 0.3), bright_N3, 0.5)

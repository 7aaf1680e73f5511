"""The colours of a time of day under a weather."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from wganx_image.datasets.drawing.traits import Chance, Traits

_ZENITH = {"day": (0.25, 0.50, 0.86), "sunset": (0.30, 0.26, 0.50), "night": (0.03, 0.04, 0.12)}
_HORIZON = {"day": (0.74, 0.87, 0.97), "sunset": (0.99, 0.58, 0.30), "night": (0.17, 0.22, 0.40)}
_OVERCAST = {"day": (0.64, 0.68, 0.72), "sunset": (0.62, 0.46, 0.44), "night": (0.20, 0.23, 0.33)}
_CLOUD = {"day": (0.99, 0.99, 1.00), "sunset": (0.99, 0.70, 0.55), "night": (0.30, 0.33, 0.44)}
_LIT = {"day": (1.00, 1.00, 1.00), "sunset": (0.92, 0.66, 0.54), "night": (0.33, 0.39, 0.56)}
_COVER = {"clear": 0.0, "cloudy": 0.25, "rain": 0.85, "fog": 0.8}


@dataclass(frozen=True)
class Light:
    """Colours ``(N, 3)`` of a scene.

    Attributes:
        zenith_N3, horizon_N3: of the sky, at its top and at the horizon.
        cloud_N3: of clouds where light falls on them.
        haze_N3: what the distance fades to.
        lit_N3: what colours of things are multiplied by.
        night: 1 at night, ``(N,)``.
    """

    zenith_N3: Tensor
    horizon_N3: Tensor
    cloud_N3: Tensor
    haze_N3: Tensor
    lit_N3: Tensor
    night: Tensor

    def of(self, rows: Tensor) -> Light:
        """That of some of the scenes."""
        return Light(**{name: value[rows] for name, value in vars(self).items()})

    def on(self, colour_N3: Tensor, far: float = 0.0) -> Tensor:
        """What a thing of this colour looks like, faded by its distance from 0, near, to 1."""
        return torch.lerp(colour_N3 * self.lit_N3, self.haze_N3, far)


def light_of(traits: Traits, chance: Chance) -> Light:
    """The light of scenes, a little other in each."""
    cover = traits.by("weather", _COVER)[:, None]
    overcast_N3 = traits.by("time", _OVERCAST)
    horizon_N3 = torch.lerp(chance.vary(traits.by("time", _HORIZON), 0.06), overcast_N3 * 1.1, cover)
    cloud_N3 = torch.lerp(traits.by("time", _CLOUD), overcast_N3 * 0.95, cover)
    return Light(
        zenith_N3=torch.lerp(chance.vary(traits.by("time", _ZENITH), 0.06), overcast_N3 * 0.85, cover),
        horizon_N3=horizon_N3,
        cloud_N3=cloud_N3,
        haze_N3=torch.lerp(horizon_N3, overcast_N3, 0.3),
        lit_N3=traits.by("time", _LIT) * (1 - 0.18 * cover),
        night=traits.is_("time", "night").float(),
    )

"""What a scene is like and how often; styles, which are scenes of one kind each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Kind = Literal["weather", "season", "time"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Style = Literal["summer", "autumn", "winter", "sunset", "night", "fog"]

SHARES: Mapping[str, Mapping[str, float]] = {
    "weather": {"clear": 0.35, "cloudy": 0.25, "rain": 0.2, "fog": 0.2},
    "season": {"summer": 0.4, "autumn": 0.25, "winter": 0.35},
    "time": {"day": 0.45, "sunset": 0.25, "night": 0.3},
}
"""Classes by label, and the share of each; labels are independent of each other. In winter rain falls as snow."""

STYLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "summer": {"season": ("summer",), "time": ("day",), "weather": ("clear", "cloudy")},
    "autumn": {"season": ("autumn",), "time": ("day",), "weather": ("clear", "cloudy")},
    "winter": {"season": ("winter",), "time": ("day",), "weather": ("clear", "cloudy", "rain")},
    "sunset": {"season": ("summer",), "time": ("sunset",), "weather": ("clear", "cloudy")},
    "night": {"season": ("summer",), "time": ("night",), "weather": ("clear", "cloudy")},
    "fog": {"season": ("summer",), "time": ("day",), "weather": ("fog",)},
}
"""What scenes of a style are like: the classes of each label that it has."""

CHANCES = 640
"""More numbers than a scene takes, so that one more detail changes no scene that was there before."""

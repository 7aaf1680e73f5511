"""The attributes of a face and how often each is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Attribute = Literal["smile", "glasses", "hair", "hairstyle", "beard", "hat", "age", "skin", "light"]

SHARES: Mapping[str, Mapping[str, float]] = {
    "smile": {"serious": 0.3, "smiling": 0.4, "laughing": 0.3},
    "glasses": {"none": 0.6, "clear": 0.25, "dark": 0.15},
    "hair": {"black": 0.25, "brown": 0.25, "blond": 0.2, "red": 0.15, "grey": 0.15},
    "hairstyle": {"bald": 0.1, "short": 0.35, "long": 0.35, "curly": 0.2},
    "beard": {"none": 0.7, "moustache": 0.1, "full": 0.2},
    "hat": {"none": 0.75, "beanie": 0.15, "brimmed": 0.1},
    "age": {"young": 0.7, "old": 0.3},
    "skin": {"light": 0.3, "tan": 0.25, "brown": 0.25, "dark": 0.2},
    "light": {"day": 0.7, "evening": 0.3},
}
"""Classes by attribute, and the share of each. All attributes are independent of each other."""

CHANCES = 128
"""More numbers than a face takes, so that one more detail changes no face that was there before."""

"""Which trainings are compared: presets of the image plugin, also with one of their means changed, and the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOOP, PRESET, SAME = "loop", "preset", "the preset's settings by hand"


@dataclass(frozen=True)
class Contestant:
    """A training: the loop by hand under some settings, or a preset with some of its own changed."""

    name: str
    by_hand: bool
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Preset:
    """A scenario for a CPU.

    Attributes:
        updates: generator updates that the loop by hand is given; the preset has half their time.
    """

    scenario: str
    updates: int


def contestants() -> list[Contestant]:
    """The preset itself, then with each mean changed."""
    return [Contestant(PRESET, False), *(Contestant(name, False, settings) for name, settings in MEANS.items())]


PUBLISHED = {"lr": 2e-4, "critic_steps": 5}
"""Of Gulrajani et al. 2017 for their CIFAR-10, beside betas (0, 0.9), weight 10 and batches of 64."""

BY_HAND = {
    "2e-4": Contestant("2e-4", True, PUBLISHED),
    "1e-4": Contestant("1e-4", True, {**PUBLISHED, "lr": 1e-4}),
    "2e-4, falling": Contestant("2e-4, falling", True, {**PUBLISHED, "falling": True}),
}
"""The first is what the loop has, unless --rates finds another to end better with the first seed."""

MEANS: Mapping[str, Mapping[str, Any]] = {
    "five critic updates": {"train.critic_steps": 5},
    "the rate of the paper, 2e-4": {"optimizer.lr": 2e-4},
    "a rate that does not fall": {"optimizer.schedule": "constant"},
    "penalty in every second update": {"constraint.every": 2},
    "without augmentation": {"task.augment": ()},
    "pictures moved half of the time": {"task.augment": ("translation",), "task.augment_probability": 0.5},
    "products in bfloat16": {"train.precision": "bf16"},
}
"""The means by which presets are faster, each by itself taken away, or put in its place where they do without."""

PRESETS = {preset.scenario: preset for preset in (Preset("digits", 400), Preset("mnist", 600), Preset("cifar10", 600))}


def data_of(scenario: str, data: Mapping[str, Path]) -> dict[str, Any]:
    """The settings that say where a scenario's data lie; an archive of pictures stands in for the published files."""
    if scenario == "digits":
        return {}
    place = data[scenario]
    if place.suffix == ".zip":
        return {"dataset.name": "folder", "dataset.root": str(place), "dataset.size": 32, "dataset.pack": "always"}
    return {"dataset.root": str(place)}

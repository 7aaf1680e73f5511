"""The game of networks that grow: real pictures have the size of the stage, and are faded as the fakes are."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from wganx import Batch, Formats, Items
from wganx_image.configs.tasks import GenerateConfig, GrowConfig
from wganx_image.growth import Growth
from wganx_image.tasks.generate import Generate


def fit_growth(config: GrowConfig, formats: Formats, items: Items) -> Mapping[str, Any]:
    """``growth``: the schedule, for the size that the pictures have; both networks and the game go by it.

    Raises:
        ConfigError: the pictures do not suit it.
    """
    size = formats.need("sample", "task.name=grow").sizes[-1]
    schedule = Growth(size, config.start, config.first_steps, config.stage_steps, config.fade_steps)
    return {"growth": schedule.to_json()}


class Grow(Generate):
    """Pictures from noise, without labels, by networks that grow.

    Training pictures are averaged down to the size of the stage, their pixels repeated up to the full size. In a fade
    they are a blend of this and of the same at half the size. Held-out pictures stay as they are: they are what the
    networks are to reach.
    """

    def __init__(self, config: GrowConfig, formats: Formats) -> None:
        super().__init__(GenerateConfig(flip=config.flip), formats)
        self.growth = Growth.of(formats.fitted, "task")
        self.stage = self.growth.at(0)
        self._shares: dict[torch.device, Tensor] = {}

    def at(self, step: int) -> Hashable:
        """Take the stage of a step."""
        self.stage = self.growth.at(step)
        for share in self._shares.values():
            share.fill_(self.stage.share)
        return str(self.stage)

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        batch = super().batch(items, rng, training=training)
        return replace(batch, real=self._staged(batch.real)) if training else batch

    def _staged(self, real_NCHW: Tensor) -> Tensor:
        factor = self.growth.size // self.stage.size
        staged = _coarse(real_NCHW, factor)
        if not self.stage.fading:
            return staged
        share = self._share(real_NCHW.device)
        return (1 - share) * _coarse(real_NCHW, 2 * factor) + share * staged

    def _share(self, device: torch.device) -> Tensor:
        """In a place that stays, which recorded steps read."""
        if device not in self._shares:
            self._shares[device] = torch.full((), self.stage.share, device=device)
        return self._shares[device]


def _coarse(x_NCHW: Tensor, factor: int) -> Tensor:
    if factor == 1:
        return x_NCHW
    return functional.interpolate(functional.avg_pool2d(x_NCHW, factor), scale_factor=float(factor))

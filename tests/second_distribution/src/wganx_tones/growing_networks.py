"""Players that hold every stage from the beginning and say by `at` which they use."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import Baseline, Batch, BuildContext, Formats, Game, Networks, PreflightError
from wganx_tones.growing import GrowingConfig, RampConfig, stage_and_share

STAGES = 3


class Growing(nn.Module):
    """What both players share: the stage, and the share of its fade in a buffer, which a recorded step reads."""

    share: Tensor

    def __init__(self, config: GrowingConfig, context: BuildContext) -> None:
        super().__init__()
        if context.inputs or context.sample.axes != ("channel", "time"):
            raise PreflightError("networks 'growing' are for sound without anything beside it: task.name=ramped")
        self.stage, self.stage_steps = 0, config.stage_steps
        self.register_buffer("share", torch.ones(()))

    def at(self, step: int) -> Hashable:
        self.stage, share = stage_and_share(step, self.stage_steps, STAGES)
        self.share.fill_(share)
        return self.stage


class GrowingGenerator(Growing):
    """``(noise (N, Z)) -> (N, 1, T)`` in [-1, 1]."""

    def __init__(self, config: GrowingConfig, context: BuildContext) -> None:
        super().__init__(config, context)
        self.width, self.length = config.width, context.sample.sizes[1]
        self.begin = nn.Linear(context.noise[0], config.width * self.length // 4)
        self.blocks = nn.ModuleList(nn.Conv1d(config.width, config.width, 5, padding=2) for _ in range(STAGES - 1))
        self.sounds = nn.ModuleList(nn.Conv1d(config.width, 1, 1) for _ in range(STAGES))

    def forward(self, noise: Tensor) -> Tensor:
        features = torch.relu(self.begin(noise)).reshape(-1, self.width, self.length // 4)
        made: Tensor = self.sounds[0](features)
        for stage in range(1, self.stage + 1):
            features = F.interpolate(features, scale_factor=2.0)
            features = torch.relu(self.blocks[stage - 1](features))
            coarse, made = F.interpolate(made, scale_factor=2.0), self.sounds[stage](features)
            if stage == self.stage:
                made = torch.lerp(coarse, made, self.share)
        return torch.tanh(F.interpolate(made, size=self.length))


class GrowingCritic(Growing):
    """``(x (N, 1, T)) -> (N,)``."""

    def __init__(self, config: GrowingConfig, context: BuildContext) -> None:
        super().__init__(config, context)
        self.inward = nn.ModuleList(nn.Conv1d(1, config.width, 5, padding=2) for _ in range(STAGES))
        self.score = nn.Linear(config.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        def seen(stage: int) -> Tensor:
            coarse = F.avg_pool1d(x, 2 ** (STAGES - 1 - stage))
            return F.leaky_relu(self.inward[stage](coarse), 0.2).square().mean(dim=2)

        features = seen(self.stage)
        if self.stage:
            features = torch.lerp(seen(self.stage - 1), features, self.share)
        scores: Tensor = self.score(features)[:, 0]
        return scores


class Ramped(Game):
    """Sound from noise; made sounds should be as loud as real ones, the more so the longer training goes on."""

    def __init__(self, config: RampConfig, formats: Formats) -> None:
        self.config = config
        self.sample = replace(formats.need("sample", "task.name=ramped"), value_range=(-1.0, 1.0), signal={})

    def at(self, step: int) -> Hashable:
        return min(step / self.config.steps, 1.0)

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        return Batch(items["sample"].float() / 32768)

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        gap = (fake.square().mean() - batch.real.square().mean()).abs()
        return {"loudness": self.config.weight * min(step / self.config.steps, 1.0) * gap}

    def baselines(self) -> Mapping[str, Baseline]:
        return {"silence": lambda batch, rng: torch.zeros_like(batch.real)}

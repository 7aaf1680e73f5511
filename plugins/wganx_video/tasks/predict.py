"""The game `predict`: frames to come from those before them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from wganx import Batch, ConfigError, Formats, Game, Items, Make, Networks, Sink, Source
from wganx_video.configs.tasks import PredictConfig
from wganx_video.networks.starts import blank, last_frame, mean_of_past
from wganx_video.tasks.clips import augmented, clip_format, frames_of, random_starts, to_unit, window
from wganx_video.tasks.losses import weighted_losses
from wganx_video.tasks.whole_files import predict_file

_MOST_FITTED = 200
"""Clips whose mean frame is taken; it changes little with more."""


class Predict(Game):
    """The future of a clip, given its past.

    Attributes:
        past_frames: that are given.
        future_frames: that are made. To go on beyond them, make the past of the next ones by `roll`.
    """

    def __init__(self, config: PredictConfig, formats: Formats) -> None:
        self.config = config
        self.past_frames, self.future_frames = config.past, config.future
        self.stored = clip_format(formats, "predict", config.past + config.future)
        _, channels, *size = self.stored.shape
        if config.crop:
            size = [None, None]
        given, made = list(range(config.past)), list(range(config.past, config.past + config.future))
        self.sample = frames_of(self.stored, (config.future, channels, *size), given=given, made=made)
        self.context = self.condition = {"past": frames_of(self.stored, (config.past, channels, *size))}
        mean_frame = formats.fitted.get("mean_frame")
        self.mean_frame = mean_frame if isinstance(mean_frame, Tensor) else None

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        clips, frames = items["sample"], self.past_frames + self.future_frames
        clips = window(clips, frames, random_starts(clips, frames, rng) if training else None)
        if training:
            (clips,) = augmented([clips], self.config, rng)
        clips = to_unit(clips, self.stored)
        given = {"past": clips[:, : self.past_frames]}
        return Batch(clips[:, self.past_frames :], context=given, condition=given)

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        if self.config.futures > 1:
            fake = self._nearest(networks, fake, batch)
        last = batch.context["past"][:, -1:]
        in_time = (torch.cat([last, fake], 1), torch.cat([last, batch.real], 1))
        return weighted_losses(self.config, fake, batch.real, in_time=in_time)

    def _nearest(self, networks: Networks, fake: Tensor, batch: Batch) -> Tensor:
        """Of several futures the nearest to the truth, row by row (Gupta et al. 2018, "Social GAN", variety loss).

        Were every future pulled to the truth, all would become their mean.
        """
        length = getattr(networks.generator, "noise_length", 0)
        if not length:
            raise ConfigError(
                f"task.futures={self.config.futures} has to draw futures from noise, and the generator takes none: set "
                "generator.noise=8, or task.futures=1"
            )
        futures = [fake]
        for _ in range(self.config.futures - 1):
            noise = torch.randn(len(fake), length, device=fake.device, dtype=batch.real.dtype)
            futures.append(networks.generator(noise, **batch.context))
        with torch.no_grad():
            apart = torch.stack([(each.float() - batch.real).flatten(1).norm(dim=1) for each in futures])
            nearest_1N = apart.argmin(0, keepdim=True)
        chosen = nearest_1N.view(1, -1, *(1,) * (fake.ndim - 1)).expand(1, *fake.shape)
        return torch.stack(futures).gather(0, chosen)[0]

    def roll(self, past: Tensor, future: Tensor) -> Tensor:
        """The past ``(N, past_frames, ...)`` of what comes after `future`: predictions are fed back."""
        return torch.cat([past, future], 1)[:, -self.past_frames :]

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        predict_file(source, make, sink, past=self.context["past"], future=self.future_frames, options=self.config)

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        def of_past(solution: Callable[[Tensor, int], Tensor]) -> Callable[[Batch, torch.Generator], Tensor]:
            return lambda batch, rng: solution(batch.context["past"], batch.real.shape[1]).contiguous()

        found = {"copy-last": of_past(last_frame), "blank": of_past(blank), "mean-of-past": of_past(mean_of_past)}
        # Of films of another size than the training's there is none.
        if self.mean_frame is not None and self.mean_frame.shape[-2:] == self.sample.shape[-2:]:
            found["mean-frame"] = self._mean_frame
        return found

    def _mean_frame(self, batch: Batch, rng: torch.Generator) -> Tensor:
        assert self.mean_frame is not None
        return self.mean_frame.to(batch.real).expand_as(batch.real).contiguous()


def fit_prediction(config: PredictConfig, formats: Formats, items: Items) -> Mapping[str, Any]:
    """The mean frame ``(C, H, W)`` of training clips, in [0, 1]: a baseline that knows where things tend to be."""
    stored = clip_format(formats, "predict", config.past + config.future)
    apart = max(len(items) // _MOST_FITTED, 1)
    chosen = range(0, len(items), apart)
    return {"mean_frame": sum(to_unit(items[index]["sample"], stored).mean(0) for index in chosen) / len(chosen)}

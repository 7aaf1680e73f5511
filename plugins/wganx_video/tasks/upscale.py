"""The game `upscale`: larger frames from small ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

import torch
from torch import Tensor

from wganx import Batch, ConfigError, Formats, Game, Make, Networks, SampleFormat, Sink, Source
from wganx_video.configs.tasks import UpscaleConfig
from wganx_video.networks.starts import Kernel, enlarge, shrink
from wganx_video.tasks.clips import augmented, clip_format, frames_of, random_starts, to_unit, window
from wganx_video.tasks.degrading import degrade
from wganx_video.tasks.losses import distance, weighted_losses
from wganx_video.tasks.whole_files import upscale_file


class Upscale(Game):
    """Frames `scale` times as high and wide as those given.

    Attributes:
        scale: how many times.
        frames: that are given.
        made: which of these are made large, all or the middle one.
        own_pairs: the dataset has the small clips as well.
    """

    takes_any_rate = True

    def __init__(self, config: UpscaleConfig, formats: Formats) -> None:
        self.config = config
        self.scale, self.frames = config.scale, config.frames
        self.made = range(self.frames) if config.output == "all" else range(self.frames // 2, self.frames // 2 + 1)
        self.stored = clip_format(formats, "upscale", self.frames)
        self.stored_low: SampleFormat | None = None
        if config.low == "auto" and "low" in formats:
            self.stored_low = _own_low(formats, self.stored, config)
        _, channels, *size = self.stored.shape
        # What a whole number of small pixels does not cover is left out.
        small = [None if side is None or config.crop else side // self.scale for side in size]
        large = [None if side is None else side * self.scale for side in small]
        if 0 in small:
            raise ConfigError(f"task.scale={self.scale} leaves nothing of {self.stored}; lower it")
        given, made = list(range(self.frames)), list(self.made)
        self.sample = frames_of(self.stored, (len(made), channels, *large), given=given, made=made, scale=self.scale)
        self.context = self.condition = {"low": frames_of(self.stored, (self.frames, channels, *small))}

    @property
    def own_pairs(self) -> bool:
        return self.stored_low is not None

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        high = items["sample"]
        starts = random_starts(high, self.frames, rng) if training else None
        height, width = (side - side % self.scale for side in high.shape[3:])
        clips = [window(high[..., :height, :width], self.frames, starts)]
        if self.stored_low is not None:
            # Where a side was rounded up, its last pixel has no whole large ones.
            clips.append(window(items["low"][..., : height // self.scale, : width // self.scale], self.frames, starts))
        if training:
            clips = augmented(clips, self.config, rng, reverse=self.config.reverse, scale=self.scale)
        large = to_unit(clips[0], self.stored)
        low = degrade(large, self.config, rng if training else None)
        if self.stored_low is not None:
            low = to_unit(clips[1], self.stored_low)
        given = {"low": low}
        return Batch(large[:, self.made.start : self.made.stop], context=given, condition=given)

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        losses = weighted_losses(self.config, fake, batch.real, in_time=(fake, batch.real))
        if self.config.consistency:
            low = self._shown(batch)
            # Shrinking divides lengths of gradients by about scale.
            losses["consistency"] = (
                self.config.consistency * self.scale * distance(shrink(fake.float(), self.scale), low)
            )
        return losses

    def _shown(self, batch: Batch) -> Tensor:
        """The small frames of which large ones are made."""
        return batch.context["low"][:, self.made.start : self.made.stop]

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        upscale_file(
            source, make, sink, low=self.context["low"], made=len(self.made), scale=self.scale, options=self.config
        )

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        def by(kernel: Kernel, batch: Batch, rng: torch.Generator) -> Tensor:
            return enlarge(self._shown(batch), self.scale, kernel)

        return {kernel: partial(by, kernel) for kernel in get_args(Kernel)}


def _own_low(formats: Formats, high: SampleFormat, config: UpscaleConfig) -> SampleFormat:
    """The format of the dataset's small clips, which are `scale` times smaller."""
    low = clip_format(formats, "upscale", config.frames, "low")
    if low.shape[1] != high.shape[1]:
        raise ConfigError(
            f"the dataset's small clips have {low.shape[1]} channels and the large {high.shape[1]}; bring both to one"
        )
    for small, large in zip(low.shape[2:], high.shape[2:]):
        if small is None or large is None:
            continue
        if small not in (large // config.scale, -(-large // config.scale)):
            ratio = large / small
            mend = f"set task.scale={ratio:g}" if ratio in (2, 3, 4, 8) else "give pairs of scale 2, 3, 4 or 8"
            raise ConfigError(
                f"the dataset's small clips are {ratio:.3g} times smaller than the large, and task.scale is "
                f"{config.scale}: {mend}, or task.low=made"
            )
    if config.blur or config.noise or config.compression:
        raise ConfigError(
            "task.blur, task.noise and task.compression are for small clips that are made, and this dataset has its "
            "own: leave them out, or set task.low=made"
        )
    return low

"""The game `interpolate`: frames between others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from wganx import Batch, Formats, Game, Make, Networks, SampleFormat, Sink, Source
from wganx_video.configs.tasks import InterpolateConfig
from wganx_video.networks.starts import blend, blend_weights, time_weights
from wganx_video.tasks.clips import augmented, clip_format, frames_of, random_starts, to_unit, window
from wganx_video.tasks.instants import Instants
from wganx_video.tasks.losses import weighted_losses
from wganx_video.tasks.whole_files import interpolate_file


class Interpolate(Game):
    """The frames that are missing between those that are kept.

    A film may have any rate: what is made lies between its frames, however far these are apart.

    Attributes:
        kept: places of the given frames, from 0 on.
        missing: places of the made ones; at any time, those that are trained on, one at once.
        any_time: the context has ``time (N,)`` as well, in (0, 1) between the two frames that are kept.
    """

    takes_any_rate = True

    def __init__(self, config: InterpolateConfig, formats: Formats) -> None:
        self.config = config
        self.kept, self.missing = config.kept, config.made
        self.any_time = config.time == "any"
        self.frames = self.kept[-1] + 1
        self.stored = clip_format(formats, "interpolate", self.frames)
        _, channels, *size = self.stored.shape
        if config.crop:
            size = [None, None]
        # A frame at any time lies between both, wherever that is.
        given, made = ([0, 2], [1]) if self.any_time else (list(self.kept), list(self.missing))
        self.sample = frames_of(self.stored, (len(made), channels, *size), given=given, made=made)
        inputs = {"frames": frames_of(self.stored, (len(self.kept), channels, *size))}
        if self.any_time:
            inputs["time"] = SampleFormat.number(0.0, 1.0, usual=0.5)
        self.context = self.condition = inputs
        self._weights = None if self.any_time else blend_weights(self.kept, self.missing)

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        clips = items["sample"]
        clips = window(clips, self.frames, random_starts(clips, self.frames, rng) if training else None)
        if training:
            (clips,) = augmented([clips], self.config, rng, reverse=self.config.reverse)
        clips = to_unit(clips, self.stored)
        given = {"frames": clips[:, list(self.kept)]}
        if not self.any_time:
            return Batch(clips[:, list(self.missing)], context=given, condition=given)
        rows = torch.arange(len(clips), device=clips.device)
        places = torch.tensor(self.missing, device=clips.device)
        if training:
            place_N = places[torch.randint(len(places), (len(clips),), generator=rng, device=clips.device)]
        else:  # the middle one, the farthest from both
            place_N = places[len(places) // 2].expand(len(clips))
        given["time"] = place_N / self.kept[-1]
        return Batch(clips[rows, place_N][:, None], context=given, condition=given)

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        frames = batch.context["frames"]
        in_time = (self.in_time(frames, fake), self.in_time(frames, batch.real))
        return weighted_losses(self.config, fake, batch.real, in_time=in_time)

    def in_time(self, frames: Tensor, between: Tensor) -> Tensor:
        """Kept and missing frames ``(N, T, ...)`` in their order."""
        if self.any_time:
            return torch.cat([frames[:, :1], between, frames[:, 1:]], 1)
        places = [*self.kept, *self.missing]
        order = sorted(range(len(places)), key=places.__getitem__)
        each = [*frames.unbind(1), *between.unbind(1)]
        return torch.stack([each[index] for index in order], 1)

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        instants = Instants(self.kept, self.missing, any_time=self.any_time)
        interpolate_file(source, make, sink, kept=self.context["frames"], instants=instants, options=self.config)

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"linear-blend": self._linear_blend, "copy-previous": self._copy_previous}

    def _linear_blend(self, batch: Batch, rng: torch.Generator) -> Tensor:
        frames = batch.context["frames"]
        weights = time_weights(batch.context["time"]) if self._weights is None else self._weights.to(frames.device)
        return blend(frames, weights)

    def _copy_previous(self, batch: Batch, rng: torch.Generator) -> Tensor:
        frames = batch.context["frames"]
        if self.any_time:
            return frames[:, :1].clone()
        return frames[:, [sum(kept < place for kept in self.kept) - 1 for place in self.missing]]

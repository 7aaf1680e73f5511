"""The game played on pictures: `generate` makes them from noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch import Tensor

from wganx import AdaptiveAugmentation, Batch, ConfigError, Formats, Game
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.tasks.augmentation import augmented


class Generate(Game):
    """Pictures from noise; with `labels` the class goes to the generator and to the critic.

    Raises:
        ConfigError: `labels` is true and the dataset names no classes.
    """

    def __init__(self, config: GenerateConfig, formats: Formats) -> None:
        self.sample = replace(formats.need("sample", "task.name=generate"), value_range=(-1.0, 1.0))
        self.flip = config.flip
        self.changes, self.probability = config.augment, config.augment_probability
        if self.probability == "adaptive":
            self.adapt = AdaptiveAugmentation()
        label = formats.labels.get("label")
        if config.labels is True and label is None:
            raise ConfigError(
                "task.labels=true needs a dataset with classes, and this one names none: "
                "sort the pictures into one folder a class, or set task.labels=false"
            )
        if config.labels and label is not None:
            self.context = self.condition = {"label": label}

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        real_NCHW = items["sample"].float() / 127.5 - 1
        if training and self.flip:
            mirrored = torch.rand(len(real_NCHW), 1, 1, 1, generator=rng, device=real_NCHW.device) < 0.5
            real_NCHW = torch.where(mirrored, real_NCHW.flip(3), real_NCHW)
        given = {name: items[name] for name in self.context}
        return Batch(real_NCHW, context=given, condition=given)

    def augment(self, samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
        probability = strength if self.probability == "adaptive" else self.probability
        return augmented(samples, self.changes, probability, rng)

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"noise": uniform_pixels, "mean": mean_picture}


def uniform_pixels(batch: Batch, rng: torch.Generator) -> Tensor:
    """Pixels drawn evenly from the whole range, each on its own."""
    real = batch.real
    return torch.rand(real.shape, generator=rng, device=real.device, dtype=real.dtype) * 2 - 1


def mean_picture(batch: Batch, rng: torch.Generator) -> Tensor:
    """The same picture for every row: the mean of the real ones."""
    return batch.real.mean(dim=0, keepdim=True).expand_as(batch.real).contiguous()

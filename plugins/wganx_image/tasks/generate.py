"""The game played on pictures: `generate` makes them from noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from wganx import Batch, ConfigError, Formats, Game, Preview, SampleFormat
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.tasks.augmentation import augmented
from wganx_image.tasks.label_sheet import every_combination, preview_combinations


class Generate(Game):
    """Pictures from noise; chosen labels go to the generator and to the critic.

    Raises:
        ConfigError: the dataset has not a label that the options name, or none at all.
    """

    def __init__(self, config: GenerateConfig, formats: Formats) -> None:
        self.sample = replace(formats.need("sample", "task.name=generate"), value_range=(-1.0, 1.0))
        self.flip = config.flip
        self.changes, self.probability = config.augment, config.augment_probability
        self.context = self.condition = _chosen(config, formats)

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        real_NCHW = items["sample"].float() / 127.5 - 1
        if training and self.flip:
            mirrored = torch.rand(len(real_NCHW), 1, 1, 1, generator=rng, device=real_NCHW.device) < 0.5
            real_NCHW = torch.where(mirrored, real_NCHW.flip(3), real_NCHW)
        given = {name: items[name] for name in self.context}
        return Batch(real_NCHW, context=given, condition=given)

    def augment(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        return augmented(samples, self.changes, self.probability, rng)

    def preview_rows(self, batch: Batch) -> Batch:
        return every_combination(batch, self.context) if len(self.context) > 1 else batch

    def preview(self, samples: Tensor, reference: Batch, folder: Path, stem: str) -> Preview | None:
        if len(self.context) < 2:
            return None
        return preview_combinations(samples, reference, self.sample, self.context)

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"noise": uniform_pixels, "mean": mean_picture}


def _chosen(config: GenerateConfig, formats: Formats) -> dict[str, SampleFormat]:
    """The labels that both players are told."""
    labels = formats.labels
    if config.labels is True and not labels:
        raise ConfigError(
            "task.labels=true needs a dataset with classes, and this one names none: "
            "sort the pictures into one folder a class, or set task.labels=false"
        )
    if not isinstance(config.labels, tuple):
        return labels if config.labels else {}
    if missing := [name for name in config.labels if name not in labels]:
        known = ", ".join(labels) or "none"
        raise ConfigError(
            f"task.labels names {', '.join(missing)}, and the labels of this dataset are: {known}; name some of these, "
            "or set task.labels=auto for all"
        )
    return {name: labels[name] for name in config.labels}


def uniform_pixels(batch: Batch, rng: torch.Generator) -> Tensor:
    """Pixels drawn evenly from the whole range, each on its own."""
    real = batch.real
    return torch.rand(real.shape, generator=rng, device=real.device, dtype=real.dtype) * 2 - 1


def mean_picture(batch: Batch, rng: torch.Generator) -> Tensor:
    """The same picture for every row: the mean of the real ones."""
    return batch.real.mean(dim=0, keepdim=True).expand_as(batch.real).contiguous()

"""The game played on pictures: `generate` makes them from noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import AdaptiveAugmentation, Batch, ConfigError, Formats, Game, Helper, Networks, Preview, SampleFormat
from wganx_image.configs.tasks import GenerateConfig
from wganx_image.networks.classifier import DomainClassifier
from wganx_image.tasks.augmentation import augmented
from wganx_image.tasks.label_sheet import every_combination, preview_combinations


class Generate(Game):
    """Pictures from noise; chosen labels go to the generator, and by one of two ways into what it learns from.

    ``projection``: the critic sees every picture's labels, too. ``classifier``: it sees the picture alone, and a helper
    that learns the labels of real pictures has to find what was asked for in those that are made (Odena et al. 2017,
    "Conditional image synthesis with auxiliary classifier GANs"; with the weights of Gulrajani et al. 2017). The
    classifier has convolutions of its own, since the critic's are held Lipschitz by the penalty and a classifier gains
    by slopes that are not; so it goes with every critic, and the penalty is that of a critic without labels.

    Raises:
        ConfigError: the dataset has not a label that the options name, or none at all.
    """

    def __init__(self, config: GenerateConfig, formats: Formats) -> None:
        self.sample = replace(formats.need("sample", "task.name=generate"), value_range=(-1.0, 1.0))
        self.flip = config.flip
        self.changes, self.probability = config.augment, config.augment_probability
        if self.probability == "adaptive":
            self.adapt = AdaptiveAugmentation()
        self.context = _chosen(config, formats)
        self.helpers = {}
        if config.conditioning == "classifier" and self.context:
            self.target = config.target
            classifier = DomainClassifier(self.sample.sizes[0], self.context, config.classifier)
            self.helpers["classifier"] = Helper(classifier, learns_with="critic")
        else:
            self.condition = self.context

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        real_NCHW = items["sample"].float() / 127.5 - 1
        if training and self.flip:
            mirrored = torch.rand(len(real_NCHW), 1, 1, 1, generator=rng, device=real_NCHW.device) < 0.5
            real_NCHW = torch.where(mirrored, real_NCHW.flip(3), real_NCHW)
        given = {name: items[name] for name in self.context}
        return Batch(real_NCHW, context=given, condition=given if self.condition else {})

    def critic_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        if "classifier" not in networks.helpers:
            return {}
        found = networks.helpers["classifier"](batch.real)
        return {f"classifier_{name}": F.cross_entropy(logits, batch.context[name]) for name, logits in found.items()}

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        if "classifier" not in networks.helpers:
            return {}
        found = networks.helpers["classifier"](fake)
        return {
            f"target_{name}": self.target * F.cross_entropy(logits, batch.context[name])
            for name, logits in found.items()
        }

    def augment(self, samples: Tensor, rng: torch.Generator, strength: Tensor) -> Tensor:
        probability = strength if self.probability == "adaptive" else self.probability
        return augmented(samples, self.changes, probability, rng)

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

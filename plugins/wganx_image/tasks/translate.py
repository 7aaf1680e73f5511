"""The game `translate`: a picture in other domains, such as the same place in winter, learnt without pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import (
    Batch,
    ConfigError,
    Formats,
    Game,
    Helper,
    Make,
    Networks,
    Preview,
    SampleFormat,
    Sink,
    Source,
)
from wganx_image.configs.tasks import TranslateConfig
from wganx_image.networks.classifier import DomainClassifier
from wganx_image.tasks.translation_sheet import every_domain, preview_translations
from wganx_image.tasks.whole_pictures import translate_file


class Translate(Game):
    """A source picture in other domains; `real` is another row's, and what is asked for are its own classes.

    So both players see the same condition. The losses beside the adversarial one are of Choi et al. 2018, "StarGAN",
    with the classifier as a helper that learns on real pictures alone and judges the translated ones; with one label of
    two classes this is the unpaired style transfer of Zhu et al. 2017, "CycleGAN", by one generator for both ways.

    Of each row are `known` the source's own classes, ``source_<label>``, and those of the real one, ``real_<label>``.

    Raises:
        ConfigError: the dataset has not a label that the options name, none at all, or one class alone of it.
    """

    def __init__(self, config: TranslateConfig, formats: Formats) -> None:
        self.sample = replace(formats.need("sample", "task.name=translate"), value_range=(-1.0, 1.0))
        self.config = config
        self.domains = _domains(config, formats)
        self.context = {"source": self.sample, **self.domains}
        self.condition = self.domains
        self.known = {f"{whose}_{name}": self.domains[name] for whose in ("source", "real") for name in self.domains}
        self.helpers = {}
        if config.target:
            classifier = DomainClassifier(self.sample.shape[0] or 1, self.domains, config.classifier)
            self.helpers["classifier"] = Helper(classifier, learns_with="critic")

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        real_NCHW = items["sample"].float() / 127.5 - 1
        if training and self.config.flip:
            mirrored = torch.rand(len(real_NCHW), 1, 1, 1, generator=rng, device=real_NCHW.device) < 0.5
            real_NCHW = torch.where(mirrored, real_NCHW.flip(3), real_NCHW)
        own = {name: items[name] for name in self.domains}
        chosen = _sources(own, rng)
        known = {f"source_{name}": rows[chosen] for name, rows in own.items()}
        known |= {f"real_{name}": rows for name, rows in own.items()}
        return Batch(real_NCHW, context={"source": real_NCHW[chosen], **own}, condition=own, known=known)

    def critic_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        if "classifier" not in networks.helpers:
            return {}
        found = networks.helpers["classifier"](batch.real)
        return {f"classifier_{name}": F.cross_entropy(logits, batch.condition[name]) for name, logits in found.items()}

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        config, source = self.config, batch.context["source"]
        losses: dict[str, Tensor] = {}
        if "classifier" in networks.helpers:
            for name, logits in networks.helpers["classifier"](fake).items():
                losses[f"target_{name}"] = config.target * F.cross_entropy(logits, batch.condition[name])
        if config.cycle:
            before = {name: batch.known[f"source_{name}"] for name in self.domains}
            losses["cycle"] = config.cycle * F.l1_loss(networks.generator(source=fake, **before), source)
        if config.identity:
            wanted = {name: batch.context[name] for name in self.domains}
            same = networks.generator(source=batch.real, **wanted)
            losses["identity"] = config.identity * F.l1_loss(same, batch.real)
        return losses

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"unconverted": lambda batch, rng: batch.context["source"], "real-target": _another_of_the_domain}

    def preview_rows(self, batch: Batch) -> Batch:
        return every_domain(batch, self.domains)

    def preview(self, samples: Tensor, reference: Batch, folder: Path, stem: str) -> Preview | None:
        return preview_translations(samples, reference, self.sample, self.domains)

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        translate_file(source, make, sink, self.sample, self.config.seen_at)


def _sources(labels: Mapping[str, Tensor], rng: torch.Generator) -> Tensor:
    """For every row of a batch the row that is translated into its domains, ``(N,)``: one of others, where there is.

    Among equals chance decides.
    """
    first = next(iter(labels.values()))
    likeness_NN = torch.rand(len(first), len(first), generator=rng, device=first.device)
    return (likeness_NN - _agreeing(labels).eq(len(labels)).float()).argmax(1)


def _another_of_the_domain(batch: Batch, rng: torch.Generator) -> Tensor:
    """Other real pictures of the domains asked for, or of as many of them as another row has."""
    first = next(iter(batch.condition.values()))
    chance_NN = torch.rand(len(first), len(first), generator=rng, device=first.device)
    likeness_NN = (
        chance_NN + _agreeing(batch.condition) - 2 * len(batch.condition) * torch.eye(len(first), device=first.device)
    )
    return batch.real[likeness_NN.argmax(1)]


def _agreeing(labels: Mapping[str, Tensor]) -> Tensor:
    """How many labels two rows have in common, ``(N, N)``."""
    return torch.stack([rows[:, None] == rows[None] for rows in labels.values()]).sum(0)


def _domains(config: TranslateConfig, formats: Formats) -> dict[str, SampleFormat]:
    """The labels that can be chosen anew."""
    known = ", ".join(formats.labels) or "none"
    names = tuple(formats.labels) if config.domains == "auto" else config.domains
    if not names:
        raise ConfigError(
            "task.name=translate needs a dataset with domains, and this one names none: sort the pictures into one "
            "folder a domain, such as summer/ and winter/"
        )
    if missing := [name for name in names if name not in formats.labels]:
        raise ConfigError(
            f"task.domains names {', '.join(missing)}, and the labels of this dataset are: {known}; name some of these"
        )
    if single := [name for name in names if len(formats[name].classes) < 2]:
        raise ConfigError(
            f"this dataset has one class of {single[0]}, {formats[single[0]].classes[0]}, so there is nothing to "
            "translate it to; add pictures of another, or name another label in task.domains"
        )
    return {name: formats[name] for name in names}

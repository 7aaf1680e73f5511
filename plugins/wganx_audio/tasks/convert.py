"""The game `convert`: the same said in another voice, or with another feeling, learnt without pairs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import (
    Batch,
    ConfigError,
    Formats,
    Game,
    Helper,
    Items,
    Make,
    Networks,
    Preview,
    SampleFormat,
    Sink,
    Source,
)
from wganx_audio.configs.tasks import ConvertConfig
from wganx_audio.networks.classifier import LabelClassifier
from wganx_audio.networks.prosody import Prosody
from wganx_audio.representations import describe, fit_moments, representation_of
from wganx_audio.representations.mel import MelSpectrogram
from wganx_audio.representations.spectrogram import LinearSpectrogram
from wganx_audio.representations.whole import SoundToSound
from wganx_audio.tasks.conversion_sheet import preview_conversions
from wganx_audio.tasks.pairing import other_of_the_same, sources_for
from wganx_audio.tasks.whole_files import active_level_db, convert_file

_LEVEL_BLOCKS, _BLOCK = 16, 16
"""Where the level is looked for: neighbours, which a dataset has at hand, at places all over it."""


class Convert(Game):
    """A source's sound in other classes; `real` is another row's, and what is asked for are its own classes.

    So both players see the same condition, and where the source has the same class of what is kept, real and converted
    sounds differ in nothing else. The losses beside the adversarial one are of Kameoka et al. 2018, "StarGAN-VC", with
    the classifier as a helper that learns on real sounds alone and judges the converted ones. What a sound keeps is
    judged by the same helper, or by what the generator itself encodes (`content`).

    Of each row is `known`: the source's class of what is converted, ``source_<label>``; of what is kept, under its own
    name, the source's class, which the converted sound is to have; and ``real_<label>``, those of the real sound.

    Raises:
        ConfigError: the dataset has not a label that the options name, or one class alone of what is converted.
    """

    takes_any_rate = True

    def __init__(self, config: ConvertConfig, formats: Formats) -> None:
        sound = formats.need("sample", "task.name=convert")
        convert, keep = (_labels(formats, config, option) for option in ("convert", "keep"))
        fitted: Mapping[str, Any] = formats.fitted
        moments = {name: fitted[name] for name in ("mean", "reach") if name in fitted}
        self.config = config
        self.level_db: float = float(fitted.get("level_db", -24.0))
        self.sample = describe(config, sound, moments or None)
        self.representation = representation_of(self.sample)
        self.context = {"source": self.sample, **convert}
        if config.intensity:
            self.context["intensity"] = _intensity(config, convert)
        self.condition = convert
        self.known = {
            **{f"source_{name}": format for name, format in convert.items()},
            **keep,
            **{f"real_{name}": format for name, format in {**convert, **keep}.items()},
        }
        self.helpers = {}
        if config.target or (config.kept and keep):
            judged = {**(convert if config.target else {}), **(keep if config.kept else {})}
            network = LabelClassifier(
                self.sample, judged, config.classifier, prosody=config.prosody, noise=config.classifier_noise
            )
            self.helpers["classifier"] = Helper(network, learns_with="critic")
        if config.contour:
            self.helpers["prosody"] = Helper(Prosody(self.sample))

    def at(self, step: int) -> Hashable:
        """Whether the identity counts less by now."""
        return step >= self.config.settle

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        real = self.representation.encode(items["sample"].float() / 32768)
        convert, keep = self.config.convert, self.config.keep
        chosen = sources_for(items, convert, keep, rng)
        target = {name: items[name] for name in convert}
        context = {"source": real[chosen], **target}
        if self.config.intensity:
            context["intensity"] = torch.ones(len(real), device=real.device)
        known = {
            **{f"source_{name}": items[name][chosen] for name in convert},
            **{name: items[name][chosen] for name in keep},
            **{f"real_{name}": items[name] for name in (*convert, *keep)},
        }
        return Batch(real, context=context, condition=target, known=known)

    def critic_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        if "classifier" not in networks.helpers:
            return {}
        found = networks.helpers["classifier"](batch.real)
        return {
            f"classifier_{name}": F.cross_entropy(logits, batch.known[f"real_{name}"]) for name, logits in found.items()
        }

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        config, source = self.config, batch.context["source"]
        losses: dict[str, Tensor] = {}
        if "classifier" in networks.helpers:
            for name, logits in networks.helpers["classifier"](fake).items():
                converted = name in batch.condition
                weight, wanted = (config.target, batch.condition) if converted else (config.kept, batch.known)
                losses[f"{'target' if converted else 'kept'}_{name}"] = weight * F.cross_entropy(logits, wanted[name])
        given = {name: value for name, value in batch.context.items() if name != "source"}
        if config.cycle or config.contour:
            before = {**given, **{name: batch.known[f"source_{name}"] for name in config.convert}}
            back = networks.generator(source=fake, **before)
            if config.cycle:
                losses["cycle"] = config.cycle * F.l1_loss(back, source)
            if config.contour:
                contours = networks.helpers["prosody"]
                losses["contour"] = config.contour * F.l1_loss(contours(back), contours(source))
        if identity := self._identity(step):
            same = networks.generator(source=batch.real, **given)
            losses["identity"] = identity * F.l1_loss(same, batch.real)
        if config.content:
            encode: Any = networks.generator.encode
            losses["content"] = config.content * F.l1_loss(encode(fake), encode(source).detach())
        return losses

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"unconverted": lambda batch, rng: batch.context["source"], "real-target": self._real_target}

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        convert_file(source, make, sink, self.representation, self.level_db)

    def whole(self, generator: nn.Module) -> tuple[nn.Module, SampleFormat] | None:
        representation = self.representation
        if not isinstance(representation, (LinearSpectrogram, MelSpectrogram)) or representation.vocoder is not None:
            return None
        sound = SampleFormat(
            axes=("channel", "time"), shape=(self.sample.shape[0], None), rate_hz=self.sample.rate_hz,
            signal={"representation": "waveform", "level_db": self.level_db},
        )  # fmt: skip
        return SoundToSound(generator, representation), sound

    def preview(self, samples: Tensor, reference: Batch, folder: Path, stem: str) -> Preview:
        # Of the real sounds those that are of the classes asked for, which may have been chosen since.
        rows = self._real_rows(reference, torch.Generator(reference.real.device).manual_seed(0))
        real = {name: value[rows] for name, value in reference.known.items() if name.startswith("real_")}
        reference = replace(reference, real=reference.real[rows], known={**reference.known, **real})
        classes = {name: self.context[name].classes for name in self.config.convert}
        return preview_conversions(samples, reference, self.representation, classes, folder, stem)

    def _identity(self, step: int) -> float:
        """What the distance of a sound from itself weighs."""
        return self.config.identity_later if self.at(step) else self.config.identity

    def _real_target(self, batch: Batch, rng: torch.Generator) -> Tensor:
        """Other real sounds of the classes asked for, that say the same wherever the batch has one."""
        return batch.real[self._real_rows(batch, rng)]

    def _real_rows(self, batch: Batch, rng: torch.Generator) -> Tensor:
        wanted = {**batch.condition, **{name: batch.known[name] for name in self.config.keep}}
        return other_of_the_same(wanted, {name: batch.known[f"real_{name}"] for name in wanted}, rng)


def fit_conversion(config: ConvertConfig, formats: Formats, items: Items) -> Mapping[str, Any]:
    """The moments of the spectrograms, and the level at which the training hears its sounds, in dB."""
    rate = round(formats.need("sample", "task.name=convert").rate_hz or 1)
    apart = max(len(items) // _LEVEL_BLOCKS, _BLOCK)
    chosen = [start + near for start in range(0, len(items), apart) for near in range(min(_BLOCK, len(items) - start))]
    levels = (active_level_db(items[index]["sample"].float() / 32768, rate) for index in chosen)
    heard = torch.tensor([level for level in levels if level is not None])
    level = float(heard.median()) if len(heard) else -24.0
    return {**fit_moments(config, formats, items), "level_db": round(level, 2)}


def _labels(formats: Formats, config: ConvertConfig, option: str) -> dict[str, SampleFormat]:
    names: tuple[str, ...] = getattr(config, option)
    if missing := [name for name in names if name not in formats.labels]:
        known = ", ".join(formats.labels) or "none"
        raise ConfigError(
            f"task.{option} names {', '.join(missing)}, and the labels of this dataset are: {known}; name some of these"
            + (", or none: task.keep=[]" if option == "keep" else "")
            + ("; what folders are is said by dataset.levels=[speaker]" if tuple(formats.labels) == ("label",) else "")
            + ("; a class is a folder beside others" if not formats.labels else "")
        )
    if option == "convert" and (single := [name for name in names if len(formats[name].classes) < 2]):
        raise ConfigError(
            f"this dataset has one class of {single[0]}, {formats[single[0]].classes[0]}, so there is nothing to "
            "convert it to; add recordings of another, or name another label in task.convert"
        )
    return {name: formats[name] for name in names}


def _intensity(config: ConvertConfig, convert: Mapping[str, SampleFormat]) -> SampleFormat:
    of = config.convert[0]
    if config.neutral is not None and config.neutral not in convert[of].classes:
        raise ConfigError(
            f"task.neutral={config.neutral} is no class of {of}, which has: {', '.join(convert[of].classes)}"
        )
    format = SampleFormat.number(0.0, 1.5, usual=1.0)
    return replace(format, signal={**format.signal, "of": of, "from": config.neutral})

"""The game `generate`: sounds from noise, and from what is chosen of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from wganx import Batch, ConfigError, Formats, Game, Networks, SampleFormat
from wganx_audio.configs.tasks import GenerateConfig
from wganx_audio.representations import describe, representation_of


class Generate(Game):
    """Sounds from noise; chosen labels and a text go to the generator and to the critic.

    Raises:
        ConfigError: the dataset has not a label, or no text, that the options name.
    """

    def __init__(self, config: GenerateConfig, formats: Formats) -> None:
        sound = formats.need("sample", "task.name=generate")
        fitted: Mapping[str, Any] = formats.fitted
        moments = {name: fitted[name] for name in ("mean", "reach") if name in fitted}
        self.sample = describe(config, sound, moments or None)
        self.representation = representation_of(self.sample)
        self.invert = config.invert
        self.mismatch = config.mismatch
        self.context = self.condition = _chosen(config, formats)
        if config.mismatch and not self.condition:
            raise ConfigError("task.mismatch needs something that is chosen: set task.labels or task.text")

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        wave_NCL = items["sample"].float() / 32768
        if training and self.invert:
            upside_down = torch.rand(len(wave_NCL), 1, 1, generator=rng, device=wave_NCL.device) < 0.5
            wave_NCL = torch.where(upside_down, -wave_NCL, wave_NCL)
        given = {name: items[name] for name in self.context}
        return Batch(self.representation.encode(wave_NCL), context=given, condition=given)

    def critic_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        """``mismatch * (E D(real, others' conditions) - E D(real, its own))``: what does not fit counts as a fake.

        Reed et al. 2016, "Generative adversarial text to image synthesis", have such pairs so that a critic looks at
        what was to be said.
        """
        if not self.mismatch:
            return {}
        # The neighbour's conditions: rows of a batch come in random order. Where they are the same, nothing is added.
        others = {name: value.roll(1, dims=0) for name, value in batch.condition.items()}
        wrong, right = networks.critic(batch.real, **others), networks.critic(batch.real, **batch.condition)
        return {"mismatch": self.mismatch * (wrong - right).mean()}

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"noise": steady_noise, "reversed": backwards}


def steady_noise(batch: Batch, rng: torch.Generator) -> Tensor:
    """Noise with the spectrum of the real sounds, which has neither begin nor words nor end.

    A waveform's phases are drawn anew, and its magnitudes are the means over the sounds; of a spectrogram each value
    is one of a random sound and frame in the same bin.
    """
    real = batch.real
    if real.ndim == 3:
        strength = torch.fft.rfft(real).abs().square().mean(0, keepdim=True).sqrt()
        shape = (len(real), *strength.shape[1:])
        turn = 2 * torch.pi * torch.rand(shape, generator=rng, device=real.device, dtype=real.dtype)
        noise: Tensor = torch.fft.irfft(torch.polar(strength.expand(shape), turn), n=real.shape[-1])
        return noise.clamp(-1, 1)
    values_CFV = real.permute(1, 2, 0, 3).flatten(2)
    chosen = torch.randint(values_CFV.shape[2], values_CFV.shape, generator=rng, device=real.device)
    drawn_CFNT = values_CFV.gather(2, chosen).reshape(*real.shape[1:3], len(real), real.shape[3])
    return drawn_CFNT.permute(2, 0, 1, 3).contiguous()


def backwards(batch: Batch, rng: torch.Generator) -> Tensor:
    """Real sounds from their end to their begin: the voices are right, and no word is."""
    return batch.real.flip(-1)


def _chosen(config: GenerateConfig, formats: Formats) -> Mapping[str, SampleFormat]:
    """What both players are told."""
    labels = formats.labels
    names = tuple(labels) if config.labels == "auto" else config.labels
    if missing := [name for name in names if name not in labels]:
        known = ", ".join(labels) or "none"
        raise ConfigError(
            f"task.labels names {', '.join(missing)}, and the labels of this dataset are: {known}; name some of these, "
            "or set task.labels=auto for all"
        )
    chosen = {name: labels[name] for name in names}
    if config.text:
        texts = {name: format for name, format in formats.items() if format.is_text}
        if not texts:
            raise ConfigError("task.text=true needs a dataset with texts, as formant-speech with dataset.text=true")
        chosen |= texts
    return chosen

"""The game `denoise`: a tone from one with noise on it; whole files are sent through in windows that overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional as F

from wganx import Baseline, Batch, Formats, Game, Make, Networks, Sink, Source
from wganx_tones.configs import DenoiseConfig


class Denoise(Game):
    """Sound in [-1, 1]; the truth of every row is the tone that the noise was laid on."""

    def __init__(self, config: DenoiseConfig, formats: Formats) -> None:
        stored = formats.need("sample", "task.name=denoise")
        self.level, self.fidelity = config.level, config.fidelity
        self.sample = replace(stored, value_range=(-1.0, 1.0), signal={})
        self.context = self.condition = {"noisy": replace(self.sample, value_range=None)}

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        clean_N1T = items["sample"].float() / 32768
        noise_N1T = torch.randn(clean_N1T.shape, generator=rng, device=clean_N1T.device)
        noisy = {"noisy": clean_N1T + self.level * noise_N1T}
        return Batch(clean_N1T, context=noisy, condition=noisy)

    def generator_losses(self, networks: Networks, fake: Tensor, batch: Batch, step: int) -> Mapping[str, Tensor]:
        return {"fidelity": self.fidelity * F.mse_loss(fake, batch.real)}

    def baselines(self) -> Mapping[str, Baseline]:
        return {"noisy": lambda batch, rng: batch.context["noisy"].clamp(-1, 1)}

    def apply(self, source: Source, make: Make, sink: Sink) -> None:
        """Windows half on top of each other, faded from one into the next, so that no seam is heard."""
        length = self.sample.sizes[1]
        half = length // 2
        fade_T = torch.linspace(0, 1, half)
        tail: Tensor | None = None  # the second half of the window before
        start = 0
        while start < source.length:
            sound_CT = source.read(start, length)
            given = sound_CT.shape[1]
            padded = F.pad(sound_CT.float() / 32768, (0, length - given))
            made = make({"noisy": padded[None]})[0].cpu()
            head = made[:, :half] if tail is None else tail * (1 - fade_T) + made[:, :half] * fade_T
            sink.write((head[:, : min(half, given)] * 32767).round().to(torch.int16))
            tail = made[:, half:]
            start += half

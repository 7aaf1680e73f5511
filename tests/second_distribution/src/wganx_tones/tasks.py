"""The game: tones from noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from wganx import Batch, Game, SampleFormat
from wganx_tones.configs import GenerateConfig


class Generate(Game):
    """Tones from noise, as numbers in [-1, 1]."""

    def __init__(self, config: GenerateConfig, sample: SampleFormat) -> None:
        self.sample = sample
        self.flip = config.flip

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        sound_N1T = items["sample"].float() / 32768
        if training and self.flip:
            coin_N11 = torch.rand((len(sound_N1T), 1, 1), generator=rng, device=sound_N1T.device)
            sound_N1T = torch.where(coin_N11 < 0.5, -sound_N1T, sound_N1T)
        return Batch(sound_N1T)

    def baselines(self) -> Mapping[str, Callable[[Batch, torch.Generator], Tensor]]:
        return {"white-noise": white_noise}


def white_noise(batch: Batch, rng: torch.Generator) -> Tensor:
    """Noise as loud as each held-out tone."""
    loudness_N11 = batch.real.square().mean(dim=(1, 2), keepdim=True).sqrt()
    noise_N1T = torch.randn(batch.real.shape, generator=rng, device=batch.real.device)
    return (loudness_N11 * noise_N1T).clamp(-1, 1)

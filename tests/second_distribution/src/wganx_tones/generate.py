"""The game `generate`: log spectra of tones from noise, of a pitch and a loudness."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from wganx import Baseline, Batch, ConfigError, Formats, Game, SampleFormat
from wganx_tones.configs import GenerateConfig
from wganx_tones.spectra import log_spectrum, normalise


class Generate(Game):
    """Spectra in [-1, 1]; the format of a sample says how one becomes a sound again."""

    def __init__(self, config: GenerateConfig, formats: Formats) -> None:
        stored = formats.need("sample", "task.name=generate")
        if not {"mean", "deviation"} <= formats.fitted.keys():
            raise ConfigError("task.name=generate needs a dataset that fits a spectrum: choose dataset.name=sines")
        self.window, self.hop = int(stored.signal["window"]), int(stored.signal["hop"])  # type: ignore[arg-type]
        self.mean_F = torch.as_tensor(formats.fitted["mean"])
        self.deviation_F = torch.as_tensor(formats.fitted["deviation"])
        self.flip = config.flip
        length = stored.sizes[1]
        self.sample = SampleFormat(
            axes=("bin", "frame"),
            shape=(self.window // 2 + 1, 1 + length // self.hop),
            rate_hz=stored.rate_hz,
            signal={
                "window": self.window,
                "hop": self.hop,
                "length": length,
                "mean": self.mean_F.tolist(),
                "deviation": self.deviation_F.tolist(),
            },
        )
        if config.labels:
            self.context = self.condition = formats.labels

    def batch(self, items: Mapping[str, Tensor], rng: torch.Generator, *, training: bool) -> Batch:
        sound_NT = items["sample"][:, 0].float() / 32768
        if training and self.flip:
            coin_N1 = torch.rand((len(sound_NT), 1), generator=rng, device=sound_NT.device)
            sound_NT = torch.where(coin_N1 < 0.5, -sound_NT, sound_NT)
        log_NFT = log_spectrum(sound_NT, self.window, self.hop)
        device = log_NFT.device
        spectrum_NFT = normalise(log_NFT, self.mean_F.to(device), self.deviation_F.to(device))
        labels = {name: items[name] for name in self.context}
        return Batch(spectrum_NFT, context=labels, condition=labels)

    def baselines(self) -> Mapping[str, Baseline]:
        return {"mean-spectrum": mean_spectrum}


def mean_spectrum(batch: Batch, rng: torch.Generator) -> Tensor:
    """The same mean for everyone."""
    return batch.real.mean(dim=0).expand_as(batch.real).clone()

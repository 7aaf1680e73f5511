"""The network of the extractor `labels`: what is heard in log mel bands, and a head for every label."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from wganx import SampleFormat
from wganx_audio.judges.hearing import heard

FEATURES = 64
BANDS = 40
WIDTHS = (32, 64, 96, 128)
_WINDOW, _HOP = 0.032, 0.016
_RANGE_DB = 60.0


class LogMel(nn.Module):
    """Sounds ``(N, L)`` to log mel bands ``(N, 40, T)`` in [-1, 1]: from the loudest of the sound to 60 dB below it.

    So a louder copy of a sound looks the same. Windows of 32 ms, half of it apart, zeros to twice their length, lest
    low bands hold no bin.
    """

    bands_MF: Tensor
    hann: Tensor

    def __init__(self, rate_hz: int) -> None:
        super().__init__()
        from torchaudio.functional import melscale_fbanks

        self.window, self.hop = round(_WINDOW * rate_hz), round(_HOP * rate_hz)
        self.bins = 2 * self.window
        bands_FM = melscale_fbanks(self.bins // 2 + 1, 40.0, rate_hz / 2, BANDS, rate_hz, norm="slaney")
        self.register_buffer("bands_MF", bands_FM.T.contiguous(), persistent=False)
        self.register_buffer("hann", torch.hann_window(self.window), persistent=False)

    def forward(self, wave_NL: Tensor) -> Tensor:
        spectrum = torch.stft(
            wave_NL, self.bins, self.hop, self.window, self.hann, pad_mode="constant", return_complex=True
        )
        power_NMT = self.bands_MF @ spectrum.abs().square()
        level = 10 * power_NMT.clamp_min(1e-10).log10()
        below: Tensor = (level - level.amax((1, 2), keepdim=True)).clamp_min(-_RANGE_DB)
        return below * (2 / _RANGE_DB) + 1


class Listener(nn.Module):
    """Samples of a game to features ``(N, 64)``, which are standardised by the training items'.

    A head that tells its label too badly is silent: its logits are 0.

    Args:
        format: of the samples.
        labels: how many classes every label has.
    """

    mean: Tensor
    deviation: Tensor
    accuracy: Tensor

    def __init__(self, format: SampleFormat, labels: Mapping[str, int]) -> None:
        super().__init__()
        self.format, self.labels = format, dict(labels)
        self.rate_hz = round(format.rate_hz or 1)
        self.mel = LogMel(self.rate_hz)
        self.body = _body()
        self.heads = nn.ModuleList(nn.Linear(FEATURES, classes) for classes in labels.values())
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.register_buffer("accuracy", torch.zeros(len(labels)))

    def forward(self, samples: Tensor) -> Tensor:
        """Standardised features ``(N, 64)``."""
        plain: Tensor = self.body(self.mel(heard(samples, self.format)))
        return (plain - self.mean) / self.deviation

    def logits(self, samples: Tensor) -> Tensor:
        """What it hears, of all labels side by side ``(N, sum of classes)``."""
        found = self.tell(self.mel(heard(samples, self.format)))
        trusted = [self.trusts(place) for place in range(len(found))]
        return torch.cat([logits if trust else torch.zeros_like(logits) for trust, logits in zip(trusted, found)], 1)

    def tell(self, mel_NMT: Tensor) -> list[Tensor]:
        """Logits of every label, from log mel bands."""
        features = self.body(mel_NMT).relu()
        return [head(features) for head in self.heads]

    def trusts(self, place: int) -> bool:
        """Whether the label at `place` is told at least half of the way from guessing to always right."""
        guessing = 1 / list(self.labels.values())[place]
        return float(self.accuracy[place]) >= (1 + guessing) / 2

    @torch.no_grad()
    def standardise(self, mel_NMT: Tensor) -> None:
        """Take the moments of the features of these."""
        features = torch.cat([self.body(part) for part in torch.split(mel_NMT, 256)])
        deviation = features.std(0)
        self.mean.copy_(features.mean(0))
        # A feature that hardly moves on real sounds says hardly anything, and must not become the loudest of all.
        self.deviation.copy_(deviation.clamp_min(max(0.1 * float(deviation.square().mean().sqrt()), 1e-6)))


class _OverTime(nn.Module):
    """The mean and the largest value over time, of every channel and place in frequency."""

    def forward(self, x_NCMT: Tensor) -> Tensor:
        x = x_NCMT.flatten(1, 2)
        return torch.cat([x.mean(-1), x.amax(-1)], 1)


def _body() -> nn.Sequential:
    """Each layer halves the bands and the time: the first by its stride, as its full size would cost the most."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, BANDS))]
    c_in, bands = 1, BANDS
    for c_out in WIDTHS:
        first = c_in == 1
        size, stride = (5, 2) if first else (3, 1)
        layers += [nn.Conv2d(c_in, c_out, size, stride, size // 2, bias=False), nn.BatchNorm2d(c_out), nn.ReLU()]
        layers += [] if first else [nn.MaxPool2d(2, ceil_mode=True)]
        c_in, bands = c_out, math.ceil(bands / 2)
    return nn.Sequential(*layers, _OverTime(), nn.Dropout(0.4), nn.Linear(2 * c_in * bands, FEATURES))


def augmented(mel_NMT: Tensor, rng: torch.Generator) -> Tensor:
    """Log mel bands as the same label could have sounded: earlier or later, in some noise, with gaps.

    SpecAugment (Park et al. 2019): one band of frequencies and one stretch of time are silenced in every sound.
    """
    count, bands, frames = mel_NMT.shape
    device = mel_NMT.device

    def draw(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=rng).to(device)

    places = torch.arange(frames, device=device)
    stretch, move = draw(0.88, 1.12), draw(-0.15, 0.15) * frames
    centre = frames / 2
    at = ((places[None] - centre) * stretch[:, None] + centre + move[:, None]) / max(frames - 1, 1) * 2 - 1
    grid = torch.stack([at[:, None].expand(count, bands, frames), _rows(bands, at).expand(count, bands, frames)], -1)
    # A grid beyond the edge reads 0 there: lifted so that 0 is silence.
    x = F.grid_sample((mel_NMT + 1)[:, None], grid, align_corners=True, padding_mode="zeros")[:, 0] - 1
    noise = draw(-1.6, 0.0)[:, None, None] + 0.1 * torch.randn(x.shape, generator=rng).to(device)
    x = torch.maximum(x, noise.clamp_min(-1))
    for axis, size, most in ((1, bands, bands // 5), (2, frames, frames // 6)):
        begin, width = draw(0, size - 1), draw(0, most)
        index = torch.arange(size, device=device)
        gap = (index[None] >= begin[:, None]) & (index[None] < (begin + width)[:, None])
        x = x.masked_fill(gap[:, :, None] if axis == 1 else gap[:, None, :], -1)
    return x


def _rows(bands: int, like: Tensor) -> Tensor:
    return torch.linspace(-1, 1, bands, device=like.device, dtype=like.dtype)[None, :, None]

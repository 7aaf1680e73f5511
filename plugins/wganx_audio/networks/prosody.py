"""Pitch and level along time, read off a spectrogram by what gradients pass through."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from wganx import SampleFormat

LOWEST_HZ, HIGHEST_HZ = 60.0, 400.0
"""Pitches of speech that are told apart."""
MIDDLE_HZ = 150.0

_SHARPNESS = 40.0
_SOFTEST = 1e-5
_LEVEL_SCALE = 6.0


class Prosody(nn.Module):
    """Pitch, how voiced it is, and the level of every frame of a log spectrogram.

    Every frame's autocorrelation is the transform of its magnitudes (not of their squares, so that a strong formant
    does not pass for the pitch), divided by that of the window. The pitch is the mean over its lags, weighted by a
    steep softmax, in octaves from 150 Hz and multiplied by the autocorrelation there, which is near 1 for a steady
    voice and near 0 without; that is the second row. The third is half the logarithm of the power, over 6.

    Nothing in it is trained, and it can be differentiated twice.

    Shapes:
        ``x (N, C, F, T)`` of a format with `signal` of a linear or mel spectrogram -> ``(N, 3, T)``.
    """

    rows = 3

    mean_F1: Tensor
    reach_F1: Tensor
    back_FM: Tensor
    taper_K: Tensor
    octaves_K: Tensor

    def __init__(self, format: SampleFormat) -> None:
        super().__init__()
        signal: Any = format.signal
        self.window: int = signal["window"]
        rate = format.rate_hz or 1.0
        self.register_buffer("mean_F1", torch.tensor(signal["mean"])[:, None], persistent=False)
        self.register_buffer("reach_F1", torch.tensor(signal["reach"])[:, None], persistent=False)
        back_FM = torch.empty(0)
        if signal["representation"] == "mel":
            from wganx_audio.representations.mel import mel_bands

            back_FM = torch.linalg.pinv(mel_bands(signal["bands"], self.window, rate).double()).float()
        self.register_buffer("back_FM", back_FM, persistent=False)
        self.first = max(round(rate / HIGHEST_HZ), 1)
        self.last = min(round(rate / LOWEST_HZ), self.window // 2)
        lags_K = torch.arange(self.first, self.last)
        hann = torch.fft.rfft(torch.hann_window(self.window), n=2 * self.window).abs().square()
        taper = torch.fft.irfft(hann)
        self.register_buffer("taper_K", (taper[lags_K] / taper[0])[:, None].clamp_min(0.1), persistent=False)
        self.register_buffer("octaves_K", torch.log2(rate / lags_K / MIDDLE_HZ)[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        magnitude_NCFT = (x.float() * self.reach_F1 + self.mean_F1).exp()
        if self.back_FM.numel():
            magnitude_NCFT = (self.back_FM @ magnitude_NCFT).clamp_min(0)
        magnitude_NFT = magnitude_NCFT.mean(1)
        alike_NKT = torch.fft.irfft(nn.functional.pad(magnitude_NFT, (0, 0, 0, 1)), n=self.window, dim=1)
        whole_N1T = alike_NKT[:, :1].clamp_min(1e-6)
        alike_NKT = alike_NKT[:, self.first : self.last] / (whole_N1T * self.taper_K)
        weight_NKT = (alike_NKT * _SHARPNESS).softmax(1)
        octaves_N1T = (weight_NKT * self.octaves_K).sum(1, keepdim=True)
        voiced_N1T = (weight_NKT * alike_NKT).sum(1, keepdim=True).clamp(0, 1)
        power_N1T = magnitude_NFT.square().sum(1, keepdim=True)
        level_N1T = (power_N1T + _SOFTEST).log() / (2 * _LEVEL_SCALE)
        return torch.cat([octaves_N1T * voiced_N1T, voiced_N1T, level_N1T], 1)


class ProsodyEncoder(nn.Module):
    """Convolutions over pitch and level that halve the frames `halvings` times.

    Shapes:
        ``x (N, C, F, T)`` -> ``(N, width, T')``.
    """

    def __init__(self, format: SampleFormat, width: int, halvings: int) -> None:
        super().__init__()
        self.prosody = Prosody(format)
        layers: list[nn.Module] = []
        for halving in range(halvings):
            layers += [nn.Conv1d(width if halving else Prosody.rows, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.layers(self.prosody(x)))

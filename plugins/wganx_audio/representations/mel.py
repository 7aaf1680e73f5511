"""Magnitudes in bands that are as wide as the ear's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from wganx import SampleFormat
from wganx_audio.representations.spectrogram import Spectrogram


class MelSpectrogram(Spectrogram):
    """Log magnitudes in `bands` triangles on the mel scale of O'Shaughnessy, from 0 Hz to half the rate.

    A band's magnitude is the weighted mean of its bins. It is turned back by the pseudo-inverse of the bands, below 0
    cut off: a search for the nearest magnitudes is slower and came out alike.
    """

    def __init__(self, format: SampleFormat) -> None:
        super().__init__(format)
        signal: Any = format.signal
        self._bands_MF = mel_bands(signal["bands"], signal["window"], self.rate_hz)
        self._back_FM = torch.linalg.pinv(self._bands_MF.double()).float()

    def logarithms(self, wave_NCL: Tensor) -> Tensor:
        bands_NCMT: Tensor = self._bands_MF.to(wave_NCL) @ self._spectrum(wave_NCL).abs()
        return self._log(bands_NCMT)

    def magnitudes(self, samples: Tensor) -> Tensor:
        bins_NCFT: Tensor = self._back_FM.to(samples.device) @ self._from_normalised(samples)
        return bins_NCFT.clamp_min(0)


def mel_bands(bands: int, window: int, rate_hz: float) -> Tensor:
    """Weights ``(bands, window / 2)`` of a spectrogram's bins, each row of sum 1; without the bin of Nyquist's."""
    from torchaudio.functional import melscale_fbanks

    found_FM = melscale_fbanks(window // 2 + 1, 0.0, rate_hz / 2, bands, round(rate_hz))[:-1]
    weights_FM: Tensor = found_FM / found_FM.sum(0).clamp_min(1e-8)
    return weights_FM.T.contiguous()

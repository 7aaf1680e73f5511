"""Log magnitudes of a spectrogram, bin by bin brought to one mean and deviation."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from wganx import SampleFormat
from wganx_audio.representations.description import Representation
from wganx_audio.representations.griffin_lim import griffin_lim
from wganx_audio.representations.vocoder import find_vocoder


class Stft:
    """The short-time Fourier transform of a description: frames centred on multiples of the hop, a Hann window.

    Magnitudes are divided by half of the window's sum, so that a full sine has 1.
    """

    def __init__(self, window: int, hop: int) -> None:
        self.window, self.hop = window, hop
        self.scale = window / 4  # half of the sum of a periodic Hann window

    def forward(self, wave_BL: Tensor) -> Tensor:
        """``(B, L)`` to complex ``(B, window / 2 + 1, 1 + L / hop)``."""
        # A sound as short as half of the window has not enough to be mirrored at its ends.
        edges = "reflect" if wave_BL.shape[1] > self.window // 2 else "constant"
        # The window is divided, since the spectrum is a hundred times as large.
        window = self._hann(wave_BL) / self.scale
        found: Tensor = torch.stft(wave_BL, self.window, self.hop, window=window, pad_mode=edges, return_complex=True)
        return found

    def inverse(self, spectrum_BFT: Tensor, length: int) -> Tensor:
        """Complex ``(B, window / 2 + 1, frames)`` to ``(B, length)``."""
        window = self._hann(spectrum_BFT.real)
        found: Tensor = torch.istft(spectrum_BFT * self.scale, self.window, self.hop, window=window, length=length)
        return found

    def _hann(self, like: Tensor) -> Tensor:
        return torch.hann_window(self.window, device=like.device, dtype=like.dtype)


class Spectrogram(Representation):
    """What spectrograms have in common: ``(C, F, T)`` in [-1, 1], log magnitudes less the mean of their bin.

    ``x = (ln max(m, floor) - mean_F) / reach_F``, cut off at -1 and 1. The highest bin, Nyquist's, and the
    last frame, which begins where the sound ends, are left out, and are silence when it is turned back.
    """

    def __init__(self, format: SampleFormat) -> None:
        super().__init__(format)
        signal: Any = format.signal
        self.stft = Stft(signal["window"], signal["hop"])
        self.hop: int = signal["hop"]
        self.iterations: int = signal["iterations"]
        self.vocoder: str | None = signal.get("vocoder")
        self._floor = 10 ** (signal["floor_db"] / 20)
        self._mean_F1 = torch.tensor(signal["mean"])[:, None]
        self._reach_F1 = torch.tensor(signal["reach"])[:, None]

    def logarithms(self, wave_NCL: Tensor) -> Tensor:
        """Logarithms of magnitudes ``(N, C, F, T)`` as they are before their moments are taken off."""
        return self._log(self._spectrum(wave_NCL).abs())

    def encode(self, wave_NCL: Tensor) -> Tensor:
        return self._normalised(self.logarithms(wave_NCL))

    def decode(self, samples: Tensor, *, seed: int = 0, phase_of: Tensor | None = None) -> Tensor:
        if self.vocoder is not None:
            return self._spoken(samples)
        magnitude = self.magnitudes(samples).flatten(0, 1)
        phases = None if phase_of is None else self._spectrum(phase_of).flatten(0, 1)
        full, length = _with_edges(magnitude), magnitude.shape[2] * self.hop
        begin = None if phases is None else _with_edges(phases)
        wave_BL = griffin_lim(full, self.stft, length, iterations=self.iterations, seed=seed, begin=begin)
        return wave_BL.reshape(*samples.shape[:2], -1).clamp(-1, 1)

    def _spoken(self, samples: Tensor) -> Tensor:
        """By the vocoder: natural logarithms of magnitudes, as the networks were shown them, to sound."""
        vocoder = find_vocoder(str(self.vocoder), {**self.format.signal, "rate_hz": self.rate_hz})()
        with torch.no_grad():
            wave_NCL = vocoder(self._logarithms_of(samples))
        length = samples.shape[-1] * self.hop
        return torch.nn.functional.pad(wave_NCL[..., :length], (0, max(length - wave_NCL.shape[-1], 0))).clamp(-1, 1)

    def _spectrum(self, wave_NCL: Tensor) -> Tensor:
        """Complex ``(N, C, window / 2, frames)``."""
        wave_BL = wave_NCL.flatten(0, 1)
        if missing := -wave_BL.shape[1] % self.hop:
            wave_BL = torch.nn.functional.pad(wave_BL, (0, missing))
        spectrum_BFT = self.stft.forward(wave_BL)[:, :-1, :-1]
        return spectrum_BFT.reshape(*wave_NCL.shape[:2], *spectrum_BFT.shape[1:])

    def _log(self, magnitude: Tensor) -> Tensor:
        return magnitude.clamp_min(self._floor).log()

    def _normalised(self, logarithms: Tensor) -> Tensor:
        mean_F1, reach_F1 = self._mean_F1.to(logarithms), self._reach_F1.to(logarithms)
        return ((logarithms - mean_F1) / reach_F1).clamp(-1, 1)

    def _from_normalised(self, samples: Tensor) -> Tensor:
        """Magnitudes; those at the floor are silence."""
        logarithms = self._logarithms_of(samples)
        return logarithms.exp() * (logarithms > math.log(self._floor) + 1e-3)

    def _logarithms_of(self, samples: Tensor) -> Tensor:
        samples = samples.float()
        logarithms: Tensor = samples * self._reach_F1.to(samples) + self._mean_F1.to(samples)
        return logarithms


class LinearSpectrogram(Spectrogram):
    """One row a bin of the transform, ``F = window / 2``."""

    def magnitudes(self, samples: Tensor) -> Tensor:
        return self._from_normalised(samples)


def _with_edges(spectrum_BFT: Tensor) -> Tensor:
    """With a silent bin of Nyquist's and a silent last frame."""
    return torch.nn.functional.pad(spectrum_BFT, (0, 1, 0, 1))

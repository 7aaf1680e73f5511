"""Tones as log spectra and back: everything needed stands in a format's `signal`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from wganx import SampleFormat

FLOOR = 1e-3
LIMIT = 4.0  # deviations from the mean that a spectrum can show


def log_spectrum(wave_NT: Tensor, window: int, hop: int) -> Tensor:
    """``(N, T)`` in [-1, 1] to log magnitudes ``(N, F, frames)``."""
    found = torch.stft(wave_NT, window, hop, window=_window(window, wave_NT), return_complex=True)
    return found.abs().clamp_min(FLOOR).log()


def normalise(log_NFT: Tensor, mean_F: Tensor, deviation_F: Tensor) -> Tensor:
    """Log magnitudes to [-1, 1]."""
    scaled = (log_NFT - mean_F[:, None]) / (LIMIT * deviation_F[:, None])
    return scaled.clamp(-1, 1)


def sound_of(spectrum_NFT: Tensor, format: SampleFormat) -> Tensor:
    """Spectra in [-1, 1] to waves ``(N, T)``: phases are found by Griffin and Lim's iteration, the same every time."""
    signal: Any = format.signal
    mean_F, deviation_F = torch.tensor(signal["mean"]), torch.tensor(signal["deviation"])
    magnitude_NFT = (spectrum_NFT.float().cpu() * LIMIT * deviation_F[:, None] + mean_F[:, None]).exp()
    size, hop, length = signal["window"], signal["hop"], signal["length"]
    window = _window(size, magnitude_NFT)
    rng = torch.Generator().manual_seed(0)
    # Random phases to begin with, of one seed: equal ones would let every window begin with a click.
    turn = 2 * torch.pi * torch.rand(magnitude_NFT.shape, generator=rng)
    phases = torch.polar(torch.ones_like(turn), turn)
    for _ in range(24):
        wave = torch.istft(magnitude_NFT * phases, size, hop, window=window, length=length)
        again = torch.stft(wave, size, hop, window=window, return_complex=True)
        phases = again / again.abs().clamp_min(1e-8)
    return torch.istft(magnitude_NFT * phases, size, hop, window=window, length=length)


def _window(size: int, like: Tensor) -> Tensor:
    return torch.hann_window(size, device=like.device)

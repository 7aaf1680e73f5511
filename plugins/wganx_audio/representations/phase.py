"""Magnitudes with the instantaneous frequency beside them, so that no phase has to be looked for."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx_audio.representations.spectrogram import Spectrogram, _with_edges


class PhaseSpectrogram(Spectrogram):
    """Log magnitudes, then the instantaneous frequency, of every channel: ``(2 C, F, T)`` in [-1, 1].

    The frequency of a bin is how much its phase moves from frame to frame, less what its own frequency would move it,
    over pi: near 0 where a steady tone sounds (Engel et al. 2019, "GANSynth"). The first frame holds the phase itself.
    """

    def encode(self, wave_NCL: Tensor) -> Tensor:
        spectrum_NCFT = self._spectrum(wave_NCL)
        return torch.cat([self._normalised(self._log(spectrum_NCFT.abs())), self._frequencies(spectrum_NCFT)], 1)

    def decode(self, samples: Tensor, *, seed: int = 0, phase_of: Tensor | None = None) -> Tensor:
        magnitude, moves = self.magnitudes(samples), samples.float().chunk(2, 1)[1]
        phases = (moves * torch.pi + self._own_moves(moves)).cumsum(-1)
        spectrum = torch.polar(magnitude, phases).flatten(0, 1)
        wave_BL = self.stft.inverse(_with_edges(spectrum), spectrum.shape[2] * self.hop)
        return wave_BL.reshape(*magnitude.shape[:2], -1).clamp(-1, 1)

    def magnitudes(self, samples: Tensor) -> Tensor:
        return self._from_normalised(samples.chunk(2, 1)[0])

    def _frequencies(self, spectrum_NCFT: Tensor) -> Tensor:
        phases = spectrum_NCFT.angle()
        moves = phases.diff(dim=-1, prepend=torch.zeros_like(phases[..., :1])) - self._own_moves(phases)
        # To the nearest turn: -pi .. pi.
        return torch.remainder(moves / torch.pi + 1, 2) - 1

    def _own_moves(self, like_NCFT: Tensor) -> Tensor:
        """How far a bin's own frequency turns it in a hop ``(F, T)``; nothing before the first frame."""
        bins, frames = like_NCFT.shape[-2:]
        turn_F = 2 * torch.pi * self.hop / self.stft.window * torch.arange(bins, device=like_NCFT.device)
        own_FT = turn_F[:, None].repeat(1, frames)
        own_FT[:, 0] = 0
        return own_FT

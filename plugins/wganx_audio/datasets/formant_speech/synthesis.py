"""From tracks to sound: a band-limited pulse train and noise, through the resonances of a mouth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from wganx_audio.datasets.formant_speech.phonology import BANDWIDTHS
from wganx_audio.datasets.formant_speech.tracks import Tracks, track
from wganx_audio.datasets.formant_speech.utterances import Utterances

_HIGHEST = 0.49
"""Harmonics reach up to this share of the rate."""
_WINDOW = 0.032
"""Seconds of a window of the filter, of which four overlap."""
_TILT_FROM = 100.0
"""The voice falls off from here on, in Hz."""
_PEAK = 0.99


def render(utterances: Utterances, *, rate_hz: int, length: int) -> Tensor:
    """What utterances sound like: int16 ``(N, 1, length)``. The same for every utterance in whatever company."""
    window = 2 ** round(math.log2(_WINDOW * rate_hz))
    hop = window // 4
    padded = -(-length // hop) * hop
    tracks = track(utterances, rate_hz=rate_hz, length=padded, hop=hop)
    noise_NL = utterances.noise_NL
    if padded > length:
        noise_NL = torch.nn.functional.pad(noise_NL, (0, padded - length))
    wave_NL = _filtered(tracks, noise_NL, rate_hz, window, hop)[:, :length]
    return (_levelled(wave_NL, tracks, length) * 32767).round().to(torch.int16)[:, None]


def pulses(pitch_NL: Tensor, rate_hz: int) -> Tensor:
    """A pulse train of the given pitch in Hz, whose harmonics all have amplitude 1 and end below half the rate.

    The harmonics ``cos(k phi)``, k = 1 .. K, of the phase ``phi`` (the integral of the pitch) sum up to the Dirichlet
    kernel ``(sin((K + 1/2) phi) / sin(phi / 2) - 1) / 2``. The highest one fades in and out, so that nothing jumps
    where the pitch makes room for another.
    """
    phase_NL = torch.remainder(2 * math.pi * (pitch_NL.double() / rate_hz).cumsum(1), 2 * math.pi)
    room_NL = _HIGHEST * rate_hz / pitch_NL
    whole_NL = room_NL.floor()
    half_NL = torch.sin(phase_NL / 2)
    at_pulse_NL = half_NL.abs() < 1e-6
    kernel_NL = torch.sin((whole_NL + 0.5) * phase_NL) / torch.where(at_pulse_NL, torch.ones_like(half_NL), half_NL)
    sum_NL = torch.where(at_pulse_NL, whole_NL, (kernel_NL - 1) / 2)
    return sum_NL + (room_NL - whole_NL) * torch.cos((whole_NL + 1) * phase_NL)


def _filtered(tracks: Tracks, noise_NL: Tensor, rate_hz: int, window: int, hop: int) -> Tensor:
    """Voice and breath through the mouth, and the noise that the mouth makes: short-time spectra times gains.

    A resonance at ``F`` Hz of bandwidth ``B`` is ``F^2 / (F^2 - f^2 + i B f)``.
    """
    hann = torch.hann_window(window)

    def spectrum(wave_NL: Tensor) -> Tensor:
        return torch.stft(wave_NL.float(), window, hop, window=hann, return_complex=True)

    # Harmonics of amplitude 1 are as strong as noise of this deviation.
    strength_NL = (_HIGHEST * rate_hz / tracks.pitch_NL / 2).sqrt()
    breath_NL = tracks.breath[:, None] * strength_NL * noise_NL
    voice_NFT = spectrum(tracks.voice_NL * (pulses(tracks.pitch_NL, rate_hz) + breath_NL))
    mouth_NFT = spectrum(tracks.noise_NL * noise_NL)
    hertz_F1 = torch.fft.rfftfreq(window, 1 / rate_hz)[:, None]
    for formant_NT, bandwidth in zip(tracks.formants_NT4.float().unbind(2), BANDWIDTHS):
        squared_N1T = formant_NT[:, None].square()
        below_NFT = squared_N1T - hertz_F1.square()
        voice_NFT = voice_NFT * squared_N1T / torch.complex(below_NFT, (bandwidth * hertz_F1).expand_as(below_NFT))
    tilt_NF1 = (hertz_F1.clamp_min(_TILT_FROM) / _TILT_FROM).log2() * -tracks.tilt.float()[:, None, None] / 20
    away_NFT = (hertz_F1 - tracks.centre_NT.float()[:, None]) / tracks.breadth_NT.float()[:, None]
    whole_NFT = voice_NFT * 10**tilt_NF1 + mouth_NFT / (1 + away_NFT**4)
    return torch.istft(whole_NFT, window, hop, window=hann, length=noise_NL.shape[1])


def _levelled(wave_NL: Tensor, tracks: Tracks, length: int) -> Tensor:
    spoken_NL = tracks.spoken_NL[:, :length]
    power = (wave_NL.square() * spoken_NL).sum(1) / spoken_NL.sum(1)
    gain = 10 ** (tracks.level_db / 20) / power.sqrt()
    peak = wave_NL.abs().amax(1) * gain
    return wave_NL * torch.where(peak > _PEAK, gain * _PEAK / peak, gain).float()[:, None]

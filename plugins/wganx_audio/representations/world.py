"""Pitch and envelope of a voice apart, as WORLD finds them, and the voice that they make.

Morise, Yokomori and Ozawa 2016, "WORLD: a vocoder-based high-quality speech synthesis system for real-time
applications"; computed by pyworld, of the extra `world`, on the CPU.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from wganx import MissingExtra

LOWEST_HZ, HIGHEST_HZ = 65.0, 800.0
"""Pitches that are looked for."""

_SHORTEST = 0.05
"""Seconds below which no voice has a pitch that could be found."""


@dataclass(frozen=True)
class WorldFeatures:
    """A voice in frames a hop apart, the first at its begin.

    Attributes:
        pitch_T: fundamental frequency in hertz, 0 where there is no voice.
        envelope_TF: power in each bin, without the harmonics.
        aperiodicity_TF: the share of noise in each bin, in [0, 1].
        rate: samples a second.
        hop: samples from frame to frame.
        length: samples of the voice.
    """

    pitch_T: Tensor
    envelope_TF: Tensor
    aperiodicity_TF: Tensor
    rate: int
    hop: int
    length: int


def find_pitch(wave_L: Tensor, rate: int, hop: int) -> Tensor:
    """Fundamental frequency in hertz ``(1 + L // hop,)`` by Harvest, 0 where there is no voice.

    Raises:
        MissingExtra: pyworld is not installed.
    """
    frames = 1 + len(wave_L) // hop
    if len(wave_L) < _SHORTEST * rate:
        return torch.zeros(frames)
    pitch_T, _ = _harvest(wave_L, rate, hop)
    return _fitted(torch.from_numpy(pitch_T).float(), frames)


def analyse(wave_L: Tensor, rate: int, hop: int) -> WorldFeatures:
    """Pitch, envelope (CheapTrick) and aperiodicity (D4C) of a voice; what is shorter than 0.05 s is padded.

    Raises:
        MissingExtra: pyworld is not installed.
    """
    world = _pyworld()
    missing = max(round(_SHORTEST * rate) - len(wave_L), 0)
    padded_L = torch.nn.functional.pad(wave_L, (0, missing))
    pitch_T, seconds_T = _harvest(padded_L, rate, hop)
    values_L = padded_L.double().numpy()
    frames = 1 + len(wave_L) // hop
    envelope_TF = torch.from_numpy(world.cheaptrick(values_L, pitch_T, seconds_T, rate))
    aperiodicity_TF = torch.from_numpy(world.d4c(values_L, pitch_T, seconds_T, rate))
    return WorldFeatures(
        _fitted(torch.from_numpy(pitch_T).float(), frames),
        _fitted(envelope_TF.float(), frames),
        _fitted(aperiodicity_TF.float(), frames),
        rate,
        hop,
        len(wave_L),
    )


def synthesise(features: WorldFeatures) -> Tensor:
    """The voice ``(length,)`` of these features.

    Raises:
        MissingExtra: pyworld is not installed.
    """
    parts = [
        part.double().contiguous().numpy()
        for part in (features.pitch_T, features.envelope_TF, features.aperiodicity_TF)
    ]
    made = torch.from_numpy(_pyworld().synthesize(*parts, features.rate, 1000 * features.hop / features.rate)).float()
    return torch.nn.functional.pad(made[: features.length], (0, max(features.length - len(made), 0)))


def _harvest(wave_L: Tensor, rate: int, hop: int) -> Any:
    values_L = wave_L.detach().double().cpu().contiguous().numpy()
    return _pyworld().harvest(values_L, rate, LOWEST_HZ, HIGHEST_HZ, 1000 * hop / rate)


def _fitted(frames: Tensor, count: int) -> Tensor:
    """So many frames: pyworld rounds a hop that is no whole number of milliseconds, and may find one more or less."""
    if len(frames) >= count:
        return frames[:count]
    return torch.cat([frames, frames[-1:].expand(count - len(frames), *frames.shape[1:])])


def _pyworld() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of setuptools, which it asks for its own version
            import pyworld
    except ImportError as error:
        raise MissingExtra('pitch and envelope are found by pyworld: pip install "wganx[world]"') from error
    return pyworld

"""How loud a sound is, and bringing sounds to one loudness; silence at its ends."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

Loudness = Literal["rms", "lufs", "peak", "none"]

PEAK = 0.99
"""What no sample exceeds after a sound was made louder."""

SILENT_DB = -90.0
"""Below this root mean square a sound is silence, which is left as it is."""

_SHORTEST_LUFS = 0.4
_FRAME = 0.01


def rms_db(sound_CL: Tensor) -> float:
    """Root mean square of all samples in dB of the full scale; -inf for silence."""
    power = float(sound_CL.double().square().mean()) if sound_CL.numel() else 0.0
    return 10 * math.log10(power) if power > 0 else -math.inf


def loudness_db(sound_CL: Tensor, rate: int, how: Loudness) -> float:
    """Level in dB of the full scale: root mean square, peak, or LUFS by ITU-R BS.1770-4.

    LUFS is gated by blocks of 0.4 s, so that a shorter sound has none, and neither has one whose blocks are all below
    the gate; their root mean square stands in.
    """
    if how == "peak":
        peak = float(sound_CL.abs().max()) if sound_CL.numel() else 0.0
        return 20 * math.log10(peak) if peak > 0 else -math.inf
    if how == "lufs" and sound_CL.shape[-1] >= _SHORTEST_LUFS * rate:
        from torchaudio.functional import loudness

        # torchaudio's filters cut off what they raise above the full scale, so that loud sounds would count too little.
        lowered = min(0.5 / max(float(sound_CL.abs().max()), 1e-9), 1.0)
        found = float(loudness(lowered * sound_CL, rate))
        if math.isfinite(found):
            return found - 20 * math.log10(lowered)
    return rms_db(sound_CL)


def normalise(sound_CL: Tensor, rate: int, how: Loudness = "rms", target_db: float = -20.0) -> Tensor:
    """A sound at the level `target_db`, or as near to it as no sample exceeds 0.99; silence stays silence."""
    if how == "none" or rms_db(sound_CL) < SILENT_DB:
        return sound_CL
    gain = 10 ** ((target_db - loudness_db(sound_CL, rate, how)) / 20)
    return sound_CL * min(gain, PEAK / float(sound_CL.abs().max()))


def trim_silence(sound_CL: Tensor, rate: int, below_db: float = 40.0, margin: float = 0.02) -> Tensor:
    """A sound without the silence at its ends: frames of 10 ms that are `below_db` softer than the loudest.

    Args:
        margin: seconds that are left before and behind what is heard.
    """
    if not sound_CL.shape[1]:
        return sound_CL
    frame = max(round(_FRAME * rate), 1)
    power_L = sound_CL.square().mean(0)
    frames = torch.nn.functional.pad(power_L, (0, -len(power_L) % frame)).unfold(0, frame, frame).mean(1)
    if not frames.max() > 0:
        return sound_CL
    (heard,) = torch.nonzero(frames >= frames.max() * 10 ** (-below_db / 10), as_tuple=True)
    kept = round(margin * rate)
    start, end = int(heard[0]) * frame - kept, (int(heard[-1]) + 1) * frame + kept
    return sound_CL[:, max(start, 0) : end]

"""What can go wrong with generated sounds, in waveforms and in spectrograms; that all are alike is seen by WX030."""

from __future__ import annotations

import torch
from torch import Tensor

from wganx import Vitals

_FEWEST = 64
"""Values along time below which there is nothing to be said."""
_SILENT_DB = -40.0
_TONE = 0.85
"""The share of a sound's power in one tone, by which it is nothing else."""
_COMB, _EXCESS = 0.02, 8.0
_CLIPPED = 0.02
_PERIOD = {3: 64, 4: 4}
"""Values along time after which the steps of a generator come back: of waveforms, of spectrograms; by rank."""
_STEEP = 6.0
"""About how many nepers of power a step of 1 is in a spectrogram, whose bins differ."""


def silence(vitals: Vitals) -> str | None:
    """Fakes that are hardly to be heard beside real sounds: half of them 40 dB below the real median, or at the floor.

    A spectrogram's level is that of its loudest frame, and a frame's that of its loudest frequency; at the floor is
    what lies within a tenth of the way from the quietest frames of real sounds to their loudest.
    """
    real, fake = vitals.real.float(), vitals.fake.float()
    if real.ndim == 3:
        levels = [20 * _rms(x).median().clamp_min(1e-9).log10().item() for x in (real, fake)]
        if levels[1] < levels[0] + _SILENT_DB:
            return f"half of the fakes lie {levels[0] - levels[1]:.0f} dB or more below real sounds: silence"
        return None
    if real.ndim != 4:
        return None
    frames = [x.amax((1, 2)) for x in (real, fake)]  # (N, T)
    loudest = frames[0].amax(1).median()
    floor = frames[0].amin(1).median()
    if loudest - floor > 0.05 and frames[1].amax(1).median() < floor + 0.1 * (loudest - floor):
        return "half of the fakes have no frame above the quietest of real sounds: silence"
    return None


def one_tone(vitals: Vitals) -> str | None:
    """Fakes that are one steady tone: over 85 % of the power of half of them in it, and of real sounds less than half.

    A tone is a frequency with its neighbours, throughout the sound.
    """
    real, fake = (_tone_share(x.float()) for x in (vitals.real, vitals.fake))
    if fake > _TONE and real < 0.5 * fake:
        return f"half of the fakes hold {fake:.0%} of their power in one tone, real sounds {real:.0%}"
    return None


def phase_comb(vitals: Vitals) -> str | None:
    """A pattern that comes back every 64 samples, or 4 frames, at the same places in all fakes.

    Transposed convolutions leave it where they upsample (Donahue et al. 2019, section 3.3): a pitched noise whose phase
    never moves, by which a critic can tell fakes. All fakes are folded at that period and averaged; sounds that begin
    anywhere leave nothing behind. Compared is the power of this mean, as a share of all power.
    """
    if vitals.real.ndim not in _PERIOD or vitals.real.shape[-1] < _FEWEST:
        return None
    period = _PERIOD[vitals.real.ndim]
    real, fake = (_folded_share(x.float(), period) for x in (vitals.real, vitals.fake))
    if fake > max(_COMB, _EXCESS * real):
        what = "samples" if vitals.real.ndim == 3 else "frames"
        return f"{fake:.1%} of the power of fakes is one pattern that repeats every {period} {what}, of real {real:.1%}"
    return None


def clipping(vitals: Vitals) -> str | None:
    """Fakes at the end of their range: over 2 % of their values, and eight times as many as of real sounds.

    Both ends of a waveform; of a spectrogram the loud one alone, since its quiet end is silence.
    """
    if vitals.real.ndim not in _PERIOD:
        return None
    real, fake = (((x.abs() if x.ndim == 3 else x) > 0.995).double().mean().item() for x in (vitals.real, vitals.fake))
    if fake > max(_CLIPPED, _EXCESS * real):
        return f"{fake:.1%} of the values of fakes lie at the end of their range, of real sounds {real:.1%}: clipping"
    return None


def _rms(wave_NCL: Tensor) -> Tensor:
    return wave_NCL.square().mean((1, 2)).sqrt()


def _tone_share(x: Tensor) -> float:
    """The median over sounds of the share of power in the strongest frequency and its neighbours."""
    if x.shape[-1] < _FEWEST or x.ndim not in _PERIOD:
        return 0.0
    if x.ndim == 3:
        window = torch.hann_window(x.shape[-1], device=x.device)
        power_NF = torch.fft.rfft((x - x.mean(-1, keepdim=True)) * window).abs().square().sum(1)
    else:
        power_NF = (_STEEP * x.median(-1).values).exp().mean(1)  # the median: what sounds throughout
        power_NF = power_NF - power_NF.median(1, keepdim=True).values  # what every frequency has is no tone
        power_NF = power_NF.clamp_min(0)
    total = power_NF.sum(1)
    # Windows of Hann spread a tone over two frequencies to either side.
    beside = torch.nn.functional.pad(power_NF, (2, 2)).unfold(1, 5, 1).sum(-1)
    share = torch.where(total > 0, beside.amax(1) / total.clamp_min(1e-20), torch.zeros_like(total))
    return share.median().item()


def _folded_share(x: Tensor, period: int) -> float:
    """The power of the mean of all periods, as a share of all power; both about the mean of their bin."""
    x = x[..., : x.shape[-1] // period * period]
    x = x - x.mean((0, -1), keepdim=True)
    folded = x.reshape(*x.shape[:-1], -1, period).mean((0, -2))
    total = x.square().mean()
    return (folded.square().mean() / total).item() if total > 0 else 0.0

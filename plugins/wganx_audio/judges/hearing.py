"""What a judge hears of samples: the sound that a listener would, in one channel, at the judge's own rate."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

import torch
from torch import Tensor

from wganx import SampleFormat
from wganx_audio.representations import representation_of

MOST_BYTES = 512 * 2**20
"""Memory of the sounds that are kept for the next judge."""

_kept: OrderedDict[tuple[object, ...], Tensor] = OrderedDict()


def heard(samples: Tensor, format: SampleFormat, rate_hz: int | None = None) -> Tensor:
    """Samples ``(N, *format.shape)`` as sounds ``(N, L)`` in [-1, 1], the mean of their channels.

    A search for phases costs more than most judges do, so the sounds are kept, by what the samples hold, for the judges
    that come after; the oldest are let go of. Channels of opposite phases would cancel, and the first is heard alone
    where more than half of their power would be lost so.

    Args:
        rate_hz: to resample to; None leaves the format's own rate.
    """
    key = (_digest(samples), str(samples.device), repr(sorted(format.signal.items())), format.rate_hz)
    if key not in _kept:
        with torch.no_grad():
            _keep(key, one_channel(representation_of(format).decode(samples.float())))
    _kept.move_to_end(key)
    return resampled(_kept[key], round(format.rate_hz or 1), rate_hz)


def resampled(wave_NL: Tensor, from_hz: int, to_hz: int | None) -> Tensor:
    """Sounds at another rate; themselves where it is the same."""
    if to_hz is None or to_hz == from_hz:
        return wave_NL
    from torchaudio.functional import resample

    found: Tensor = resample(wave_NL, from_hz, to_hz)
    return found


def one_channel(wave_NCL: Tensor) -> Tensor:
    mean_NL = wave_NCL.mean(1)
    power_N, left_N = wave_NCL.square().mean((1, 2)), mean_NL.square().mean(1)
    return torch.where((left_N < power_N / (2 * wave_NCL.shape[1]))[:, None], wave_NCL[:, 0], mean_NL)


def _keep(key: tuple[object, ...], wave_NL: Tensor) -> None:
    _kept[key] = wave_NL
    while len(_kept) > 1 and sum(wave.nbytes for wave in _kept.values()) > MOST_BYTES:
        _kept.popitem(last=False)


def _digest(samples: Tensor) -> str:
    plain = samples.detach().cpu().contiguous()
    return hashlib.blake2b(plain.view(torch.uint8).numpy().tobytes(), digest_size=16).hexdigest() + str(samples.shape)

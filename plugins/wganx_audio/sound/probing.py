"""What a sound file is like, told before anything learns from it."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from contextlib import closing
from typing import BinaryIO

import torch
from torch import Tensor

from wganx_audio.sound.levels import SILENT_DB
from wganx_audio.sound.reading import CANCELLED, OpenSound

_CLIPPED_AT = 0.999
_CLIPPED_RUN = 3
"""So many samples at the full scale beside each other are no single peak but a top that was cut off."""
_CLIPPED_RUNS = 3
_OFFSET = 0.25
"""Share of a sound's power from which its mean is an offset of the recorder's."""
_PIECE_SECONDS = 60
_LARGEST_PAGE = 27 + 255 + 255 * 255
"""Bytes of an Ogg page at most: header, table of segments, segments (RFC 3533)."""


def probe(file: BinaryIO, path: str) -> Mapping[str, str]:
    """What a sound is like, once it was decoded whole, piece by piece.

    ``{"length": "0.5 to 1 s", "rate": "8,000 Hz", "channels": "1", "format": "WAV PCM_16", "level": "-30 to -20 dB"}``,
    the level as root mean square of the full scale. Where something is amiss, ``look`` says what: a single sample,
    silence, peaks that are cut off, values beyond the full scale, channels that cancel each other, a constant offset,
    or an Ogg stream that does not end.

    Raises:
        DataError: the content is no sound that the training can read whole: damaged, empty, cut short, or not numbers.
    """
    with closing(OpenSound(file, path)) as sound:
        known = sound.header
        heard = _Heard(known.channels)
        for start in range(0, known.frames, piece := _PIECE_SECONDS * known.rate):
            heard.listen(sound.read(start, piece))
    level = 10 * math.log10(heard.power / known.frames) if heard.power else -math.inf
    found = {
        "length": _between_powers(known.seconds),
        "rate": f"{known.rate:,} Hz",
        "channels": str(known.channels),
        "format": f"{known.container} {known.subtype}",
        "level": "silence" if level < SILENT_DB else f"{(floor := 10 * math.floor(level / 10))} to {floor + 10} dB",
    }
    cut = known.container == "OGG" and _ends_open(file)
    if amiss := "cut short: its stream has no end" if cut else _amiss(known.frames, level, heard):
        found["look"] = amiss
    return found


class _Heard:
    """Sums over a sound that is listened to in pieces.

    Attributes:
        power: sum of squares, averaged over the channels.
        mixed: sum of squares of the channels' average.
        sum_C: sum of each channel.
        peak: largest magnitude.
        cut: how many times some samples beside each other are at the full scale.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.power = self.mixed = self.peak = 0.0
        self.cut = 0
        self.sum_C = torch.zeros(channels, dtype=torch.double)

    def listen(self, sound_CL: Tensor) -> None:
        self.power += float(sound_CL.double().square().mean(0).sum())
        self.mixed += float(sound_CL.double().mean(0).square().sum())
        self.sum_C += sound_CL.double().sum(1)
        self.peak = max(self.peak, float(sound_CL.abs().max()))
        if sound_CL.shape[1] >= _CLIPPED_RUN:
            for top_CL in (sound_CL >= _CLIPPED_AT, sound_CL <= -_CLIPPED_AT):
                whole_CR = top_CL.unfold(1, _CLIPPED_RUN, 1).all(2)
                begins = whole_CR[:, :1].sum() + (whole_CR[:, 1:] & ~whole_CR[:, :-1]).sum()
                self.cut += int(torch.as_tensor(begins))


def _amiss(frames: int, level: float, heard: _Heard) -> str:
    if frames == 1:
        return "a single sample"
    if level < SILENT_DB:
        return "silent"
    if heard.peak > 1.001:
        return "beyond the full scale"
    if heard.cut >= _CLIPPED_RUNS:
        return "clipped"
    if heard.channels > 1 and heard.mixed < CANCELLED * heard.power:
        return "channels that cancel each other"
    if float((heard.sum_C / frames).square().mean()) > _OFFSET * heard.power / frames:
        return "a constant offset, which a high-pass filter takes out"
    return ""


def _ends_open(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file is not marked as the last, or not all there."""
    file.seek(-min(file.seek(0, io.SEEK_END), _LARGEST_PAGE), io.SEEK_END)
    content = file.read()
    page = content[content.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & 4:
        return True
    segments = page[27 : 27 + page[26]]
    return len(page) < 27 + page[26] + sum(segments)


def _between_powers(seconds: float) -> str:
    """The powers of two that a length lies between."""
    upper = 2.0 ** (math.floor(math.log2(seconds)) + 1)
    return "less than 0.0625 s" if upper <= 0.0625 else f"{upper / 2:g} to {upper:g} s"

"""What a film is like, told before anything learns from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO

import torch
from torch import Tensor

from wganx_video.video.header import Frames, Header
from wganx_video.video.reading import open_video

_PIECE_BYTES = 2**24
_BLACK = 16
"""Of 0 .. 255; what a codec makes of black is no exact 0."""
_SAME = 0.5
"""Mean difference of two frames, in steps of 0 .. 255, below which they are one frame shown twice."""
_MANY_SAME = 0.25


def probe(file: BinaryIO, path: str) -> Mapping[str, str]:
    """What a film is like, once it was decoded whole, piece by piece.

    ``{"frames": "64 to 127", "size": "640x480", "channels": "3", "rate": "29.97", "format": "mp4 h264", "sound": "aac
    48,000 Hz, 2 channels"}``; ``depth`` where it is not 8 bit, ``turned`` where a phone noted it. Where something is
    amiss, ``look`` says what: a single frame, all black, frames that never change, many that are shown twice, half
    frames of different times, or a rate that varies.

    Raises:
        DataError: it is no film that the training can read whole: damaged, empty, cut short; says how many frames can
            be decoded.
    """
    with open_video(file, path, threads=0) as film:
        known = film.header
        seen = _Seen()
        piece = max(_PIECE_BYTES // (known.channels * known.height * known.width), 1)
        for start in range(0, known.frames, piece):
            seen.look(film.read(start, piece))
        found = _described(known)
        if amiss := _amiss(film, seen):
            found["look"] = amiss
    return found


class _Seen:
    """What a film shows, as it passes.

    Attributes:
        brightest: largest value of all.
        same: how many frames are as the one before.
        changes: whether any is other than the first.
    """

    def __init__(self) -> None:
        self.brightest, self.same, self.changes = 0, 0, False
        self._first: Tensor | None = None
        self._last: Tensor | None = None

    def look(self, film_TCHW: Tensor) -> None:
        for frame_CHW in film_TCHW:
            self.brightest = max(self.brightest, int(frame_CHW.max()))
            if self._first is None or self._last is None:
                self._first = frame_CHW.clone()
            else:
                self.same += _difference(frame_CHW, self._last) < _SAME
                self.changes = self.changes or not torch.equal(frame_CHW, self._first)
            self._last = frame_CHW


def _difference(one: Tensor, other: Tensor) -> float:
    """Mean difference of two frames uint8; frames may be large, so nothing of theirs becomes wider."""
    apart = torch.maximum(one, other) - torch.minimum(one, other)
    return float(apart.sum(dtype=torch.int64)) / apart.numel()


def _described(known: Header) -> dict[str, str]:
    floor = 2 ** (known.frames.bit_length() - 1)
    found = {
        "frames": "1" if known.frames == 1 else f"{floor:,} to {2 * floor - 1:,}",
        "size": f"{known.width}x{known.height}",
        "channels": str(known.channels),
        "rate": "unknown" if known.rate is None else f"{float(known.rate):.5g}",
        "format": known.kind if known.codec == known.kind else f"{known.kind} {known.codec}",
        "sound": "; ".join(f"{sound.codec} {sound.rate:,} Hz, {_count(sound.channels)}" for sound in known.sound)
        or "none",
    }
    if known.depth != 8:
        found["depth"] = f"{known.depth} bit"
    if known.rotation:
        found["turned"] = f"{known.rotation} degrees clockwise, as noted"
    return found


def _amiss(film: Frames, seen: _Seen) -> str:
    known = film.header
    if known.frames == 1:
        return "a single frame"
    if seen.brightest <= _BLACK:
        return "black"
    if not seen.changes:
        return "constant: all frames are the same"
    if seen.same > _MANY_SAME * known.frames:
        return "duplicate frames: more than a quarter are as the one before"
    if known.interlaced:
        return "interlaced: each frame is two half frames of different times"
    if known.rate is not None and film.times.vary(known.rate):
        return "a frame rate that varies"
    return ""


def _count(channels: int) -> str:
    return "1 channel" if channels == 1 else f"{channels} channels"
